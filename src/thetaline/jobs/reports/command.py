"""The command line of the job `generate_weekly_report`."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from thetaline.errors import InputError
from thetaline.jobs.command_line import DateOption, DryRunOption, parse_day, run_app
from thetaline.jobs.reports.generate import KINDS, ReportRequest, work
from thetaline.jobs.reports.keys import JOB
from thetaline.jobs.reports.names import read_names, read_user_ids
from thetaline.jobs.runner import run_job
from thetaline.learning.school_calendar import SchoolCalendar
from thetaline.learning.windows import last_week_end, monday
from thetaline.reports.value import Audience, Language
from thetaline.settings import load

SUNDAY = timedelta(days=6)  # from the Monday on
app = typer.Typer(add_completion=False)


@app.command()
def make(  # noqa: PLR0913, PLR0917  one parameter an option
    user: Annotated[list[str] | None, typer.Option("--user", help="Only this learner; may be given again.")] = None,
    classroom: Annotated[
        list[str] | None, typer.Option("--class", help="The learners of this class and its page; may be given again.")
    ] = None,
    cohort: Annotated[
        Path | None, typer.Option("--cohort", metavar="FILE", help="Only these learners: an id a line, or a CSV.")
    ] = None,
    week: Annotated[
        str | None, typer.Option("--week", metavar="YYYY-MM-DD", help="A day of the week. Default: the last one over.")
    ] = None,
    format_: Annotated[str | None, typer.Option("--format", help="html, pdf or both. Default: REPORT_FORMAT.")] = None,
    lang: Annotated[Language | None, typer.Option("--lang", help="Default: REPORT_LANGUAGE.")] = None,
    audience: Annotated[Audience, typer.Option("--audience", help="Who reads the page.")] = Audience.LEARNER,
    names: Annotated[
        Path | None,
        typer.Option("--names", metavar="FILE", help="What pages call learners: a CSV of user_id and name."),
    ] = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Processes. Default: one a core.")] = None,
    date: DateOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Make the weekly reports of everybody who has answered lately and of every class; what is unchanged is skipped."""
    if format_ is not None and format_ not in KINDS:
        raise InputError(f"--format {format_!r} is none of {', '.join(KINDS)}")
    if week is not None and date is not None:
        raise InputError("--week and --date exclude each other; give one of them")
    users = [*(user or []), *(read_user_ids(cohort) if cohort else [])]
    request = ReportRequest(
        users=None if not users and not classroom else list(dict.fromkeys(users)),
        classes=None if not users and not classroom else list(dict.fromkeys(classroom or [])),
        format=format_,
        language=lang,
        audience=audience,
        names=read_names(names) if names else {},
        workers=workers,
    )
    day = date if week is None else str(_end_of(week))
    raise typer.Exit(run_job(JOB, partial(work, request=request), date=day, dry_run=dry_run))


def _end_of(week: str) -> date:
    """The Sunday of the week. Raises InputError where it is not over."""
    end = monday(parse_day("--week", week)) + SUNDAY
    newest = last_week_end(SchoolCalendar(load().time_zone).last_day_over(datetime.now(UTC)))
    if end > newest:
        raise InputError(f"--week {week} is not over before {end} is; the last week that is over is {monday(newest)}")
    return end


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m thetaline.jobs.generate_weekly_report`."""
    return run_app(app, argv, "thetaline reports make")
