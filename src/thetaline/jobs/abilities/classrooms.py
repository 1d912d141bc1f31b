"""Which class a learner is in."""

from datetime import datetime

from thetaline import db
from thetaline.jobs.arrays import Int32s
from thetaline.jobs.runner import JobContext

SQL = db.sql("jobs/abilities/classrooms.sql")


def classrooms(context: JobContext, learner_no: Int32s, stop: datetime) -> list[str | None]:
    """(N,) the class of each learner, as declared by the newest session before an instant; None where none is."""
    found = dict(context.conn.execute(SQL["classrooms"], {"stop": stop}).fetchall())
    return [found.get(number) for number in learner_no.tolist()]
