"""The contract's name of `jobs.reports.generate`."""

from thetaline.jobs.reports.command import app as app, main as main
from thetaline.jobs.reports.generate import work as work

if __name__ == "__main__":
    raise SystemExit(main())
