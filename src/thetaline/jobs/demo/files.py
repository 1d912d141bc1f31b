"""The answers of the simulated school as a file, as an export has them, and the school as settings of a run."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from thetaline.jobs.demo.school import TOPICS, SchoolPlan, SimulatedAnswers, Truth

ANSWERS = "demo-school.parquet"


@dataclass(frozen=True, slots=True)
class School:
    """A plan and its first day: what it takes to simulate the same school again."""

    plan: SchoolPlan
    first_day: date

    @classmethod
    def ending(cls, last_day: date, plan: SchoolPlan) -> Self:
        """A school whose last day is that one."""
        return cls(plan, last_day + timedelta(days=1) - timedelta(weeks=plan.weeks))

    @property
    def last_day(self) -> date:
        """The date of the demo's last night."""
        return self.first_day + timedelta(weeks=self.plan.weeks) - timedelta(days=1)

    def as_settings(self) -> dict[str, object]:
        """For the ledger."""
        return {"first_day": str(self.first_day), "plan": asdict(self.plan)}

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        """The school out of the ledger."""
        return cls(SchoolPlan(**settings["plan"]), date.fromisoformat(settings["first_day"]))


def write_answers(folder: Path, start: datetime, truth: Truth, answers: SimulatedAnswers) -> Path:
    """Write the answers of a school whose first day begins at `start`; returns their path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ANSWERS
    pq.write_table(answer_table(start, truth, answers), path)
    return path


def answer_table(start: datetime, truth: Truth, answers: SimulatedAnswers) -> pa.Table:
    """One row an answer, in the columns that `thetaline import` knows by themselves."""
    at = np.datetime64(start.astimezone(UTC).replace(tzinfo=None), "ms") + answers.at_ms.astype("timedelta64[ms]")
    return pa.table(
        {
            "user_id": truth.user_ids[answers.learner],
            "item_id": truth.item_codes[answers.item],
            "topic": np.array(TOPICS)[truth.topic[answers.item]],
            "is_correct": pa.array(answers.correct == 1, mask=answers.correct < 0),
            "answered_at": pa.array(at).cast(pa.timestamp("ms", tz="UTC")),
            "session_id": pa.array([f"s{number:06d}" for number in answers.session.tolist()]),
            "response_time_ms": answers.response_ms,
            "hint_used": answers.hint,
        }
    )
