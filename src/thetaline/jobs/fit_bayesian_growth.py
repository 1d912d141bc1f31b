"""The contract's name of `jobs.growth.lines`."""

from thetaline.jobs.growth.lines import app as app, main as main, work as work

if __name__ == "__main__":
    raise SystemExit(main())
