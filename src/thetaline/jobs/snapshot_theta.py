"""The contract's name of `jobs.abilities.snapshot`."""

from thetaline.jobs.abilities.snapshot import app as app, main as main, work as work

if __name__ == "__main__":
    raise SystemExit(main())
