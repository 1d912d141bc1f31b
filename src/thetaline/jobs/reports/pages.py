"""Pages of values: rendered and stored by one process or several, each page's fault its own."""

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self

from thetaline.errors import JobError, StorageError
from thetaline.jobs.reports.keys import About
from thetaline.jobs.reports.storage import ReportStore, open_store
from thetaline.masking import mask_text
from thetaline.reports.class_value import ClassReport
from thetaline.reports.descriptors import Descriptors
from thetaline.reports.policy import descriptors_of
from thetaline.reports.value import WeeklyReport
from thetaline.settings import Settings

if TYPE_CHECKING:
    from thetaline.reports.pdf import PdfRenderer

CONTENT_TYPES = {"html": "text/html; charset=utf-8", "pdf": "application/pdf"}
IN_PROCESS = 16  # pages up to which starting processes costs more than it brings
PAGES_A_CALL = 8


@dataclass(frozen=True, slots=True)
class PageTask:
    """A page to make: of which value, as which kind, under which key."""

    about: About
    owner: str
    value: WeeklyReport | ClassReport
    kind: str  # html or pdf
    format: str
    key: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class PageResult:
    """How one page ended; `replaced`: characters that the fonts lack and that are shown as codes."""

    error: str | None = None
    is_storage: bool = False
    replaced: tuple[str, ...] = ()


@dataclass(slots=True)
class PageMaker:
    """Renders pages and puts them into the store; without one, only renders."""

    store: ReportStore | None
    descriptors: Descriptors
    _pdf: "PdfRenderer | None" = field(default=None, init=False)

    def make(self, task: PageTask) -> PageResult:
        """Never raises: a page that cannot be made or stored is told."""
        try:
            data, replaced = self._rendered(task)
            if self.store is not None:
                self.store.put(task.key, data, CONTENT_TYPES[task.kind])
        except StorageError as error:
            return PageResult(error=str(error), is_storage=True)
        except Exception as error:  # noqa: BLE001  the edge of a page: the others are still made
            return PageResult(error=mask_text(" ".join(f"{type(error).__name__}: {error}".split()))[:500])
        return PageResult(replaced=replaced)

    def _rendered(self, task: PageTask) -> tuple[bytes, tuple[str, ...]]:
        from thetaline.reports import html, pdf  # noqa: PLC0415  (libraries of the extra `reports`)

        if task.kind == "pdf":
            self._pdf = self._pdf or pdf.PdfRenderer(self.descriptors)
            value = task.value
            made = self._pdf.render_class(value) if isinstance(value, ClassReport) else self._pdf.render(value)
            return made.data, made.replaced
        if isinstance(task.value, ClassReport):
            return html.render_class_html(task.value).encode(), ()
        return html.render_html(task.value, self.descriptors).encode(), ()


class PageMakers(AbstractContextManager["PageMakers"]):
    """Makes many pages: in this process while there are few, else in `workers` processes that start when needed."""

    def __init__(self, settings: Settings, *, workers: int, dry_run: bool) -> None:
        """`dry_run`: render, store nothing."""
        self._settings, self._workers, self._dry_run = settings, workers, dry_run
        self._executor: ProcessPoolExecutor | None = None
        self._own: PageMaker | None = None

    def __enter__(self) -> Self:
        """Nothing starts yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes; pages that have not begun are not made."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)

    def make(self, tasks: Sequence[PageTask]) -> Iterator[PageResult]:
        """The results in the order of the tasks. Raises JobError where a process died."""
        if self._executor is None and (self._workers == 1 or len(tasks) <= IN_PROCESS):
            yield from map(self._in_process().make, tasks)
            return
        try:
            yield from self._processes().map(_make, tasks, chunksize=PAGES_A_CALL)
        except BrokenProcessPool as error:
            raise JobError(
                "a process that renders was ended from outside, probably for lack of memory; pages made so far are "
                "stored, and the job run again goes on where it is"
            ) from error

    def _in_process(self) -> PageMaker:
        if self._own is None:
            self._own = _maker(self._settings, self._dry_run)
        return self._own

    def _processes(self) -> ProcessPoolExecutor:
        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                self._workers,
                mp_context=multiprocessing.get_context("spawn"),  # a fork would share the database's connections
                initializer=_start,
                initargs=(self._settings, self._dry_run),
            )
        return self._executor


def _maker(settings: Settings, dry_run: bool) -> PageMaker:
    return PageMaker(None if dry_run else open_store(settings), descriptors_of(settings))


_process: list[PageMaker] = []  # of a process that only renders


def _start(settings: Settings, dry_run: bool) -> None:
    _process[:] = [_maker(settings, dry_run)]


def _make(task: PageTask) -> PageResult:
    return _process[0].make(task)
