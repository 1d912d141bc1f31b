"""`python -m thetaline.jobs.import_answers`."""

from thetaline.jobs.import_answers.command import main

raise SystemExit(main())
