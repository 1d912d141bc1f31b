"""`python -m thetaline.jobs.importing`."""

from thetaline.jobs.importing.command import main

raise SystemExit(main())
