"""The contract's name of `jobs.anchors.tagging`."""

from thetaline.jobs.anchors.tagging import app as app, main as main

if __name__ == "__main__":
    raise SystemExit(main())
