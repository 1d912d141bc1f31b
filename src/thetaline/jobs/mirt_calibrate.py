"""The contract's name of `jobs.calibration.nightly_fit`."""

from thetaline.jobs.calibration.nightly_fit import app as app, main as main, work as work

if __name__ == "__main__":
    raise SystemExit(main())
