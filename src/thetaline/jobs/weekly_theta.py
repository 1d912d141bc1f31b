"""`python -m thetaline.jobs.weekly_theta`: `jobs.abilities.weekly`."""

from thetaline.jobs.abilities.weekly import app as app, main as main, work as work

if __name__ == "__main__":
    raise SystemExit(main())
