"""`python -m thetaline.jobs.demo`."""

from thetaline.jobs.demo.command import main

raise SystemExit(main())
