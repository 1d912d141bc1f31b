"""The simulated school as files: the answers as an export would hold them, and the plan that they came from."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from thetaline.jobs.demo.school import TOPICS, Answers, Plan, Truth

ANSWERS = "demo-school.parquet"
PLAN = "demo-school.json"


@dataclass(frozen=True, slots=True)
class School:
    """A plan and the day on which it begins: enough to make the same school, with its truth, once more."""

    plan: Plan
    first_day: date


def write(folder: Path, school: School, truth: Truth, answers: Answers) -> Path:
    """Write both files; returns the path of the answers."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"first_day": str(school.first_day), "plan": asdict(school.plan)}, indent=2)
    (folder / PLAN).write_text(text + "\n", encoding="utf-8")
    path = folder / ANSWERS
    pq.write_table(table(school, truth, answers), path)
    return path


def read(folder: Path) -> School | None:
    """The school that was written there last."""
    path = folder / PLAN
    if not path.exists():
        return None
    kept = json.loads(path.read_text(encoding="utf-8"))
    return School(Plan(**kept["plan"]), date.fromisoformat(kept["first_day"]))


def table(school: School, truth: Truth, answers: Answers) -> pa.Table:
    """One row an answer, in the columns that `thetaline import` knows by themselves."""
    start = datetime.combine(school.first_day, datetime.min.time(), tzinfo=UTC)
    at = np.datetime64(start.replace(tzinfo=None), "ms") + answers.at_ms.astype("timedelta64[ms]")
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
