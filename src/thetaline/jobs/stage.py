"""The stages of a night as values: what each needs, what is still to do for a date, how each ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from thetaline.errors import InputError, ThetalineError
from thetaline.jobs.runner import Summary, Work
from thetaline.learning.windows import last_week_end
from thetaline.masking import mask_text


class StageStatus(StrEnum):
    """How a stage of a night ended; `BLOCKED`: something that it needs did not succeed."""

    DONE = "done"
    ALREADY = "already_done"
    FAILED = "failed"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Stage:
    """A job with the jobs that must have succeeded for the same date before it starts.

    `comes_after`: needed too, but a later success of theirs does not make this one stale. `weekly`: its date is the
    last Sunday up to the night's, so that six nights of seven find it done. `work_again`: the work of a job that does
    nothing for a date for which it has succeeded, made to run nevertheless.
    """

    name: str
    work: Work
    needs: tuple[str, ...] = ()
    comes_after: tuple[str, ...] = ()
    weekly: bool = False
    work_again: Work | None = None

    @property
    def all_needs(self) -> tuple[str, ...]:
        """Everything that must have succeeded before."""
        return (*self.needs, *self.comes_after)

    def date_in(self, night: date) -> date:
        """The date that the stage of a night is for."""
        return last_week_end(night) if self.weekly else night


@dataclass(frozen=True, slots=True)
class StageResult:
    """One stage of one night; `reason`: why it is blocked, where that is no error of its own."""

    stage: str
    status: StageStatus
    seconds: float = 0.0
    summary: Summary | None = None
    error: ThetalineError | None = None
    reason: str | None = None

    def as_json(self) -> dict[str, object]:
        """For the summary line and the ledger."""
        row = {"stage": self.stage, "status": self.status, "elapsed_secs": round(self.seconds, 3)}
        reasons = {"error": str(self.error) if self.error else None, "reason": self.reason}
        return {**row, **{key: _storable(text) for key, text in reasons.items() if text}, **dict(self.summary or {})}


@dataclass(frozen=True, slots=True)
class NightProgress:
    """When each job last succeeded for a date, in the ledger or just now.

    `unwritten`: the stages of a dry run that succeeded, or that need one of those: their rows are not there.
    """

    finished: dict[str, datetime]
    unwritten: set[str] = field(default_factory=set)

    def missing_needs(self, stage: Stage) -> list[str]:
        """What the stage needs and has not succeeded, in a dry run neither for real nor dry."""
        return [need for need in stage.all_needs if need not in self.finished and need not in self.unwritten]

    def unwritten_needs(self, stage: Stage) -> list[str]:
        """What the stage needs and only a real run would write."""
        return [need for need in stage.all_needs if need in self.unwritten]

    def record(self, result: StageResult, *, at: datetime, dry_run: bool) -> None:
        """Note a stage that ran and ended at that instant."""
        known = self.finished.pop(result.stage, None)
        blocked = result.status is StageStatus.BLOCKED
        if dry_run and (blocked or (result.status is StageStatus.DONE and known is None)):
            self.unwritten.add(result.stage)
        if result.status is StageStatus.DONE:
            self.finished[result.stage] = at


def select_stages(stages: Sequence[Stage], *, start: str | None, only: str | None) -> list[Stage]:
    """All stages, those from `start` on, or `only` one. Raises InputError for an unknown name, or for both."""
    if start and only:
        raise InputError("--from and --only exclude each other; give one of them")
    names = [stage.name for stage in stages]
    for name in filter(None, (start, only)):
        if name not in names:
            raise InputError(f"{name!r} is no stage; the stages are {', '.join(names)}")
    if only:
        return [stage for stage in stages if stage.name == only]
    return list(stages[names.index(start) :]) if start else list(stages)


def is_up_to_date(stage: Stage, finished: Mapping[str, datetime]) -> bool:
    """Whether the stage has succeeded for the day, and after everything that it needs."""
    if stage.name not in finished:
        return False
    return all(finished[need] <= finished[stage.name] for need in stage.needs if need in finished)


def _storable(text: str) -> str:
    """Without secrets, and without what PostgreSQL keeps in no text."""
    return mask_text(text).replace("\0", "")
