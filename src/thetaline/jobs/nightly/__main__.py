"""`python -m thetaline.jobs.nightly`."""

from thetaline.jobs.nightly.night import main

raise SystemExit(main())
