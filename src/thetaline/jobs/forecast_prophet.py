"""The contract's name of `jobs.forecast.weekly`."""

from thetaline.jobs.forecast.weekly import app as app, main as main, work as work

if __name__ == "__main__":
    raise SystemExit(main())
