"""The whole night: every stage in flow order."""

from thetaline.jobs.nightly.night import app as app, main as main
