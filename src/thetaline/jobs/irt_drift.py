"""The contract's name of `jobs.drift.check`."""

from thetaline.jobs.drift.check import app as app, main as main, work as work

if __name__ == "__main__":
    raise SystemExit(main())
