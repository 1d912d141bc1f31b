"""`python -m thetaline.jobs.doctor`."""

from thetaline.jobs.doctor.command import main

raise SystemExit(main())
