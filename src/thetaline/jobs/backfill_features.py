"""The contract's name of `jobs.features.backfill`."""

from thetaline.jobs.features.backfill import app as app, main as main, work as work

if __name__ == "__main__":
    raise SystemExit(main())
