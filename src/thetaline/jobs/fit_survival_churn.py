"""The contract's name of `jobs.churn.hazard`."""

from thetaline.jobs.churn.hazard import app as app, main as main, work as work

if __name__ == "__main__":
    raise SystemExit(main())
