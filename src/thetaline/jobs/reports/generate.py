"""The job `generate_weekly_report`: what is new or changed is rendered, stored, and only then recorded."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import date
from hashlib import sha256
from itertools import islice
from typing import Any

import psycopg

from thetaline import db, logs
from thetaline.db import ledger
from thetaline.errors import JobError
from thetaline.irt.threads import available_processors
from thetaline.jobs.progress import Update, progress
from thetaline.jobs.reports.artifacts import Artifact, delete_waiting, record, supersede_late, unchanged
from thetaline.jobs.reports.keys import JOB, About, format_of, object_key
from thetaline.jobs.reports.learners import read_cohort
from thetaline.jobs.reports.pages import PageMakers, PageTask
from thetaline.jobs.reports.read import class_reports, input_hash, weekly_reports
from thetaline.jobs.reports.storage import ReportStore, open_store
from thetaline.jobs.runner import JobContext, Outcome, Summary, summary_on_error
from thetaline.learning.windows import last_week_end, monday
from thetaline.reports.class_value import ClassReport
from thetaline.reports.descriptors import Descriptors
from thetaline.reports.policy import descriptors_of, options_of
from thetaline.reports.value import Audience, Language, WeeklyReport
from thetaline.reports.version import renderer_version

BATCH = 200  # values in memory, and pages between two commits
FAILURES_SHOWN = 20
MOST_STORE_FAILURES = 5  # in a row: then it is the store, not a page
KINDS = {"html": ("html",), "pdf": ("pdf",), "both": ("html", "pdf")}
log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRequest:
    """Which pages. `users`: these learners, None everybody who has answered in the last months; `classes` alike, an
    empty sequence is none. What is None comes from the settings.
    """

    users: Sequence[str] | None = None
    classes: Sequence[str] | None = None
    format: str | None = None
    language: Language | None = None
    audience: Audience = Audience.LEARNER
    names: Mapping[str, str] = field(default_factory=dict)
    workers: int | None = None


@dataclass(slots=True)
class Tally:
    """What has become of the pages so far."""

    made: int = 0
    unchanged: int = 0
    learners: int = 0
    classes: int = 0
    failures: list[dict[str, str]] = field(default_factory=list)
    replaced: Counter[str] = field(default_factory=Counter)
    store_failures: int = 0  # in a row

    def as_json(self) -> dict[str, object]:
        """For the summary line."""
        counts = {"made": self.made, "unchanged": self.unchanged, "failed": len(self.failures)}
        found: dict[str, object] = {"n_learners": self.learners, "n_classes": self.classes, **counts}
        if self.failures:
            found["failures"] = self.failures[:FAILURES_SHOWN]
        return {**found, "replaced_characters": dict(self.replaced.most_common(20))} if self.replaced else found


def work(context: JobContext, request: ReportRequest | None = None) -> Summary:
    """Make the reports of the last week that is over. Raises JobError after the rest where a page could not be made."""
    wanted = request or ReportRequest()
    as_of = last_week_end(context.as_of)
    store = open_store(context.settings)
    if not context.dry_run:
        store.check()
    batch = _Batch(context, wanted, store, monday(as_of), descriptors_of(context.settings))
    if context.dry_run:
        return batch.run(None)
    with ledger.open_run(context.url, JOB, as_of=as_of, now=context.now) as run:
        summary = batch.run(run.run_id)
        ledger.close_run(run.conn, run.run_id, ledger.RunState.DONE, summary=summary)
    return {"run_id": run.run_id, **summary}


@dataclass(slots=True)
class _Batch:
    """The pages of one call, in portions."""

    context: JobContext
    request: ReportRequest
    store: ReportStore
    week: date
    levels: Descriptors
    tally: Tally = field(default_factory=Tally)

    def run(self, run_id: str | None) -> dict[str, object]:
        """Every page; those of a portion are recorded when they are stored. Raises JobError naming what failed."""
        summary: dict[str, object] = {"week": str(self.week), "store": self.store.location, **self._shape()}
        workers = self.request.workers or available_processors()
        with (
            summary_on_error(summary),
            PageMakers(self.context.settings, workers=workers, dry_run=run_id is None) as makers,
            nullcontext() if run_id is None else db.connect(self.context.url, name=f"thetaline {JOB}") as writer,
            progress("reports") as update,
        ):
            try:
                for portion in _portions(self._values(), BATCH):
                    self._make(portion, makers, writer)
                    self._tell(update)
                if writer is not None:
                    summary |= self._clean_up(writer)
            finally:
                summary |= self.tally.as_json()
            if self.tally.failures:
                raise JobError(self._failed())
        made = self.tally.made if run_id else 0
        return {**summary, "status": Outcome.ALREADY_DONE} if run_id and not made else summary

    def _shape(self) -> dict[str, object]:
        return {"format": self._format, "language": str(self._language), "audience": str(self.request.audience)}

    @property
    def _format(self) -> str:
        return self.request.format or self.context.settings.report_format

    @property
    def _language(self) -> Language:
        return self.request.language or Language(self.context.settings.report_language)

    def _values(self) -> Iterator[WeeklyReport | ClassReport]:
        conn, week, request = self.context.conn, self.week, self.request
        settings, audience = self.context.settings, request.audience
        options = options_of(settings, audience=audience, language=self._language, names=request.names)
        users = self._users()
        if users is None or users:
            yield from weekly_reports(conn, week, users, options=options)
        if request.classes is None or request.classes:
            for_teacher = replace(options, audience=Audience.TEACHER)
            yield from class_reports(conn, week, request.classes, options=for_teacher)

    def _users(self) -> Sequence[str] | None:
        """Those named and those of the classes named; None is everybody."""
        wanted = self.request
        if wanted.users is None or not wanted.classes:
            return wanted.users
        cohort = read_cohort(self.context.conn, last_week_end(self.context.as_of), None, self.context.calendar)
        members = {number for one in wanted.classes for number in cohort.members(one)}
        return sorted({*wanted.users, *(cohort.user_ids[number] for number in members & cohort.active)})

    def _make(
        self, values: Sequence[WeeklyReport | ClassReport], makers: PageMakers, writer: psycopg.Connection[Any] | None
    ) -> None:
        tasks = list(self._tasks(values))
        made = []
        for task, result in zip(tasks, makers.make(tasks), strict=False):
            self.tally.replaced.update(result.replaced)
            self.tally.store_failures = self.tally.store_failures + 1 if result.is_storage else 0
            if result.error is None:
                self.tally.made += 1
                made.append(self._artifact(task))
            else:
                self.tally.failures.append({"owner": task.owner, "format": task.format, "error": result.error})
            if self.tally.store_failures >= MOST_STORE_FAILURES:
                break
        if writer is not None and made:
            record(writer, made)
        if self.tally.store_failures >= MOST_STORE_FAILURES:
            raise JobError(f"the store of reports fails again and again: {self.tally.failures[-1]['error']}")

    def _tasks(self, values: Sequence[WeeklyReport | ClassReport]) -> Iterator[PageTask]:
        """Of what is not stored as it would be made."""
        known = {about: self._known(about, values) for about in About}
        for value in values:
            about = About.CLASS if isinstance(value, ClassReport) else About.LEARNER
            self.tally.learners += about is About.LEARNER
            self.tally.classes += about is About.CLASS
            digest = input_hash(value)
            for kind in KINDS[self._format]:
                audience = Audience.LEARNER if about is About.CLASS else self.request.audience
                task = self._task(about, value, kind, format_of(audience, kind), digest)
                if known[about].get((task.owner, task.format)) == task.content_hash:
                    self.tally.unchanged += 1
                else:
                    yield task

    def _task(self, about: About, value: WeeklyReport | ClassReport, kind: str, format_: str, digest: str) -> PageTask:
        key = object_key(about, _owner(value), self.week, format_)
        content = sha256(f"{digest} {kind} {self.levels} {renderer_version()}".encode()).hexdigest()
        return PageTask(about, _owner(value), value, kind, format_, key, content)

    def _known(self, about: About, values: Sequence[WeeklyReport | ClassReport]) -> dict[tuple[str, str], str]:
        is_class = about is About.CLASS
        owners = [_owner(value) for value in values if isinstance(value, ClassReport) == is_class]
        return unchanged(self.context.conn, about, self.week, self.store.location, owners) if owners else {}

    def _artifact(self, task: PageTask) -> Artifact:
        return Artifact(
            about=task.about,
            owner=task.owner,
            week_start=self.week,
            format=task.format,
            language=str(self._language),
            store=self.store.location,
            object_key=task.key,
            content_hash=task.content_hash,
            sources=task.value.sources,
            generated_at=self.context.now,
        )

    def _clean_up(self, writer: psycopg.Connection[Any]) -> dict[str, object]:
        """Runs retracted meanwhile, and objects that wait for their deletion."""
        supersede_late(writer, self.week, self.context.now)
        writer.commit()
        deleted, faults = delete_waiting(writer, self.context.settings)
        for fault in faults:
            log.warning("reports that were given up could not be deleted; the next run tries again", reason=fault)
        return {"deleted": deleted} if deleted else {}

    def _tell(self, update: Update) -> None:
        tally = self.tally
        done = tally.made + tally.unchanged + len(tally.failures)
        update(done, note=f"{tally.made} made, {tally.unchanged} unchanged, {len(tally.failures)} failed")

    def _failed(self) -> str:
        first, n = self.tally.failures[0], len(self.tally.failures)
        more = f" and {n - 1} more (the summary line names them)" if n > 1 else ""
        return (
            f"{n} of {n + self.tally.made + self.tally.unchanged} pages failed: {first['owner']} ({first['format']}): "
            f"{first['error']}{more}; the others are stored, and the job run again makes only what is missing"
        )


def _owner(value: WeeklyReport | ClassReport) -> str:
    return value.classroom_id if isinstance(value, ClassReport) else value.reader.user_id


def _portions(values: Iterable[WeeklyReport | ClassReport], size: int) -> Iterator[list[WeeklyReport | ClassReport]]:
    rest = iter(values)
    while portion := list(islice(rest, size)):
        yield portion
