"""The stored reports of a learner."""

from datetime import date, datetime

from thetaline.api.base import Reply


class ReportEntry(Reply):
    """A report that is stored; `format` is html or pdf, for other readers teacher.html, family.pdf, …"""

    week_start: date
    format: str
    language: str | None
    generated_at: datetime


class LearnerReports(Reply):
    """What is stored of a learner, newest week first."""

    user_id: str
    reports: list[ReportEntry]


class ReportLink(Reply):
    """A URL that opens one report until then, for whoever has it."""

    url: str
    expires_at: datetime
