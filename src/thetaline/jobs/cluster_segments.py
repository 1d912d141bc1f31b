"""The contract's name of `jobs.segments.cluster`."""

from thetaline.jobs.segments.cluster import app as app, main as main, work as work

if __name__ == "__main__":
    raise SystemExit(main())
