"""The contract's name of `jobs.kpis.compute`."""

from thetaline.jobs.kpis.compute import app as app, main as main, work as work

if __name__ == "__main__":
    raise SystemExit(main())
