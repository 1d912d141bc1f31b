"""Runs any job: settings, database, work, one summary line, exit code.

A job module has `work(context) -> summary` and a typer command that ends with
`raise typer.Exit(run_job("name", work, date=date, dry_run=dry_run))`; its `main` calls `command_line.run_app`.
People read stderr; programs read the one JSON line on stdout.
"""

import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from types import FrameType
from typing import Any

import psycopg
import typer

from thetaline import db, logs
from thetaline.db import embedded
from thetaline.db.jsonb import to_json
from thetaline.errors import HeldError, InputError, LockedError, MigrationError, SettingsError, ThetalineError
from thetaline.jobs.command_line import parse_day, print_message
from thetaline.learning.school_calendar import DAY, SchoolCalendar
from thetaline.masking import mask_value
from thetaline.settings import Settings, load

INTERRUPTED = 130  # 128 + SIGINT, what a shell expects; SIGTERM ends the same way
FIRST_DATE = date(1970, 1, 5)  # day numbers start that week
PARTIAL_SUMMARY = "partial_summary"  # the attribute of an error with the summary up to it


class Outcome(StrEnum):
    """How a job ended: `status` in the summary line."""

    DONE = "done"
    ALREADY_DONE = "already_done"
    DRY_RUN = "dry_run"
    HELD = "held"
    LOCKED = "locked"
    BAD_INPUT = "bad_input"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class JobContext:
    """What a job works with; `conn` is in a transaction that commits when the work returns, except in a dry run."""

    name: str
    settings: Settings
    url: str
    conn: psycopg.Connection[Any]
    as_of: date
    now: datetime
    dry_run: bool

    @property
    def calendar(self) -> SchoolCalendar:
        """The days of THETALINE_TIME_ZONE."""
        return SchoolCalendar(self.settings.time_zone)

    @property
    def over_at(self) -> datetime:
        """The instant at which the date is over: what began before it has not seen the whole day."""
        return self.calendar.start_of(self.as_of + DAY)

    def commit_or_roll_back(self) -> None:
        """Commit what the work wrote; a dry run rolls it back."""
        if self.dry_run:
            self.conn.rollback()
        else:
            self.conn.commit()


Summary = Mapping[str, object]
Work = Callable[[JobContext], Summary]


class Terminated(KeyboardInterrupt):
    """SIGTERM, handled like Ctrl-C: the work is rolled back."""


def run_job(
    name: str,
    work: Work,
    *,
    date: str | None = None,
    of_today: bool = False,
    dry_run: bool = False,
    writes_temp: bool = False,
    for_people: bool = False,
) -> int:
    """Run `work` once and return the exit code: 0 done or already done, 1 failed, 2 bad input or setting, 130 stopped.

    The date is by default yesterday, and one that is not over is refused; `of_today`: it is by default today. A dry
    run's connection is read-only, so that PostgreSQL itself refuses a write; `writes_temp` lifts that for a job whose
    dry run needs temporary tables, and rolls back instead. `for_people`: only warnings are logged, and a terminal gets
    no summary line.
    """
    logs.configure(level="WARNING" if for_people else "INFO")
    started, now = time.monotonic(), datetime.now(UTC)
    with _sigterm_raises():
        options = {"dry_run": dry_run, "writes_temp": writes_temp, "of_today": of_today}
        code, summary = _attempt(name, work, now=now, date=date, **options)
    elapsed = round(time.monotonic() - started, 3)
    if not (for_people and sys.stdout.isatty()):
        _print_summary({"job": name, **summary, "elapsed_secs": elapsed})
    return code


def prepare_database(settings: Settings) -> str:
    """The URL of the configured database, which has the schema of this version.

    The embedded one is started and migrated here; another is migrated by its owner. Raises DatabaseError.
    """
    given = settings.database_url
    url = given or embedded.url(settings.database_folder)
    try:
        with db.connect(url) as conn:
            db.check_migrated(conn)
    except MigrationError:
        if given:
            raise
        db.migrate(url)
    except psycopg.Error as error:
        raise db.explained(error, url) from error
    return url


def date_of_run(text: str | None, calendar: SchoolCalendar, now: datetime, *, of_today: bool = False) -> date:
    """The value of --date; None: the last day that is over, or today. InputError for one after that or before 1970."""
    today, zone = calendar.day_of(now), calendar.zone.key
    last = today if of_today else calendar.last_day_over(now)
    day = last if text is None else parse_day("--date", text)
    if FIRST_DATE <= day <= last:
        return day
    if day < FIRST_DATE:
        raise InputError(f"--date {text} lies before {FIRST_DATE}, the first day of any run; check the year")
    if day > today:
        raise InputError(f"--date {text} lies in the future (today is {today} in {zone}, THETALINE_TIME_ZONE)")
    raise InputError(
        f"--date {text} is not over: it is {now.astimezone(calendar.zone):%H:%M} of that day in {zone} "
        f"(THETALINE_TIME_ZONE); the last day that is over is {last}"
    )


@contextmanager
def summary_on_error(summary: Summary) -> Iterator[None]:
    """Where an error leaves the block, the summary line has `summary` as it stands by then."""
    try:
        yield
    except BaseException as error:
        vars(error)[PARTIAL_SUMMARY] = {**summary, **vars(error).get(PARTIAL_SUMMARY, {})}
        raise


def unexpected_error_text(error: Exception, *, job: str) -> str:
    """An unexpected error in one line for people; all but lack of memory are logged with their traceback."""
    if isinstance(error, MemoryError):
        return "out of memory; the tables are as they were"
    logs.get_logger(__name__).error("unexpected error", job=job, traceback="".join(traceback.format_exception(error)))
    return " ".join(f"unexpected {type(error).__name__}: {error}; the tables are as they were".split())


def _attempt(
    name: str, work: Work, *, now: datetime, date: str | None, of_today: bool, dry_run: bool, writes_temp: bool
) -> tuple[int, dict[str, object]]:
    """The outermost edge of a job: every way to end becomes an exit code and a summary."""
    try:
        settings = load()
        dry = dry_run or settings.dry_run
        as_of = date_of_run(date, SchoolCalendar(settings.time_zone), now, of_today=of_today)
        with _connection(name, settings, read_only=dry and not writes_temp) as (url, conn):
            context = JobContext(name=name, settings=settings, url=url, conn=conn, as_of=as_of, now=now, dry_run=dry)
            return 0, _done(context, work)
    except KeyboardInterrupt as stop:
        return _stopped(stop)
    except ThetalineError as error:
        return _failed(_outcome(error), error.exit_code, str(error), error)
    except Exception as error:  # noqa: BLE001  the edge of the job: logged with its traceback, one line for people
        return _failed(Outcome.FAILED, 1, unexpected_error_text(error, job=name), error)


def _done(context: JobContext, work: Work) -> dict[str, object]:
    with summary_on_error({"date": context.as_of}):
        summary = work(context)
        context.commit_or_roll_back()
    status = Outcome.DRY_RUN if context.dry_run else Outcome.DONE
    return {"status": status, "date": context.as_of, **summary}


@contextmanager
def _connection(name: str, settings: Settings, *, read_only: bool) -> Iterator[tuple[str, psycopg.Connection[Any]]]:
    url = prepare_database(settings)
    with db.connect(url, name=name) as conn:
        conn.read_only = read_only
        try:
            yield url, conn
        except psycopg.Error as error:
            raise db.explained(error, url) from error


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    """SIGTERM raises Terminated while the work runs (only the main thread may set a signal handler)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Terminated


def _stopped(stop: KeyboardInterrupt) -> tuple[int, dict[str, object]]:
    by = "SIGTERM" if isinstance(stop, Terminated) else "Ctrl-C"
    return _failed(Outcome.INTERRUPTED, INTERRUPTED, f"stopped by {by}; what was under way is rolled back", stop)


def _failed(outcome: Outcome, code: int, message: str, error: BaseException) -> tuple[int, dict[str, object]]:
    print_message(f"{'stopped' if outcome is Outcome.INTERRUPTED else 'error'}: {message}")
    return code, {"status": outcome, "error": message, **_partial_summary(error)}


def _partial_summary(error: BaseException | None) -> Summary:
    """Of the error, or of the one that it was raised from."""
    if error is None:
        return {}
    found: Summary = vars(error).get(PARTIAL_SUMMARY) or _partial_summary(error.__cause__)
    return found


def _outcome(error: ThetalineError) -> Outcome:
    if isinstance(error, (InputError, SettingsError)):
        return Outcome.BAD_INPUT
    if isinstance(error, HeldError):
        return Outcome.HELD
    return Outcome.LOCKED if isinstance(error, LockedError) else Outcome.FAILED


def _print_summary(summary: Mapping[str, object]) -> None:
    typer.echo(to_json(mask_value("", dict(summary))))
