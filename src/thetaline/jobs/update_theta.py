"""The contract's name of `jobs.abilities.session_update`."""

from thetaline.jobs.abilities.session_update import app as app, main as main

if __name__ == "__main__":
    raise SystemExit(main())
