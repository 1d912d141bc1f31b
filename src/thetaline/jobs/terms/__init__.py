"""The school's calendar of holidays, vacations and exams: files in, one table, one value for every model."""

from thetaline.jobs.terms.command import app as app
from thetaline.jobs.terms.store import read_terms as read_terms
