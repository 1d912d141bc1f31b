"""The contract's name of `jobs.growth.mixed`."""

from thetaline.jobs.growth.mixed import app as app, main as main, work as work

if __name__ == "__main__":
    raise SystemExit(main())
