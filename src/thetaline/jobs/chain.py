"""A chain of stages as values: what needs what, what is still to do for a day, and how each ended."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from thetaline.errors import InputError
from thetaline.jobs.entry import Summary, Work


class Ended(StrEnum):
    """How a stage of a night ended; `BLOCKED`: something that it needs did not succeed."""

    DONE = "done"
    ALREADY = "already_done"
    FAILED = "failed"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Stage:
    """A job with the jobs that must have succeeded for the same date before it starts.

    `work_again` is the work of a job that would otherwise leave a date alone for which it has succeeded.
    """

    name: str
    work: Work
    needs: tuple[str, ...] = ()
    work_again: Work | None = None


@dataclass(frozen=True, slots=True)
class StageResult:
    """One stage of one night."""

    stage: str
    ended: Ended
    seconds: float = 0.0
    summary: Summary | None = None
    error: BaseException | None = None

    def as_json(self) -> dict[str, object]:
        """For the summary line and the ledger."""
        told = {"stage": self.stage, "status": self.ended, "elapsed_secs": round(self.seconds, 3)}
        return {**told, **({"error": str(self.error)} if self.error else {}), **dict(self.summary or {})}


def selected(stages: Sequence[Stage], *, start: str | None, only: str | None) -> list[Stage]:
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


def is_fresh(stage: Stage, finished: Mapping[str, datetime]) -> bool:
    """Whether the stage has succeeded for the day, and after everything that it needs."""
    if stage.name not in finished:
        return False
    return all(finished[need] <= finished[stage.name] for need in stage.needs if need in finished)


def missing(stage: Stage, finished: Collection[str]) -> list[str]:
    """What the stage needs and is not there."""
    return [need for need in stage.needs if need not in finished]
