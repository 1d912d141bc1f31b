"""The contract's name of `jobs.calibration.nightly_fit`."""

from thetaline.jobs.calibration.nightly_fit import app as app, call_calibrate, load_anchors, main as main, work as work

_call_calibrate, _load_anchors = call_calibrate, load_anchors

if __name__ == "__main__":
    raise SystemExit(main())
