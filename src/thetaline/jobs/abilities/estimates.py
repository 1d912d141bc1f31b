"""θ of a day and its rows, for the nightly snapshot and for the update after a session alike.

Both read the whole window of a learner, so that they agree, and the same answers twice change nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

import numpy as np
import psycopg

from thetaline import db
from thetaline.db.bulk import copy_rows
from thetaline.errors import JobError
from thetaline.jobs.abilities.answers import LearnerAnswers
from thetaline.jobs.abilities.item_bank import ItemBank
from thetaline.jobs.abilities.scoring import GeneralEstimates, TopicEstimates, TopicScale, general_theta, topic_theta
from thetaline.jobs.arrays import Array, Int32s, Mask
from thetaline.learning.topics import DEFAULT_SD
from thetaline.learning.windows import Window, last_days

SQL = db.sql("jobs/abilities/snapshot.sql")
SAME_TOL = 1e-9  # a θ that differs by less comes from the same answers and the same items
Connection = psycopg.Connection[Any]
Part = TypeVar("Part", GeneralEstimates, TopicEstimates)


@dataclass(frozen=True, slots=True, eq=False)
class ThetaEstimates:
    """θ of learners and their topics on one day; positions refer to `learner_no` (N,)."""

    learner_no: Int32s
    general: GeneralEstimates
    topics: TopicEstimates

    def where(self, mask: Mask) -> "ThetaEstimates":
        """Those of the learners under an (N,) mask."""
        general, topics = mask[self.general.learner], mask[self.topics.learner]
        return ThetaEstimates(self.learner_no, _masked(self.general, general), _masked(self.topics, topics))


@dataclass(frozen=True, slots=True)
class Provenance:
    """What all rows of a batch of estimates have in common."""

    run_id: str
    as_of: date
    fitted_at: datetime
    model: str
    version: int = 1


def theta_window(as_of: date, days: int) -> Window:
    """The window of answers for θ of a day: the `days` days that end with it."""
    return last_days(as_of, days)


def estimate(answers: LearnerAnswers, bank: ItemBank, scale: TopicScale) -> ThetaEstimates:
    """General and topic θ from the first known answers of a window."""
    first = answers.first_known()
    return ThetaEstimates(answers.learner_no, general_theta(first, bank), topic_theta(first, bank, scale))


def known_topic_sd(conn: Connection, bank: ItemBank) -> float | None:
    """The τ that the first snapshot under these items estimated; None before it."""
    row = conn.execute(SQL["topic_sd_of"], {"items_run": bank.run_id}).fetchone()
    return None if row is None or row[0] is None else float(row[0])


def topic_sd_or_default(conn: Connection, bank: ItemBank) -> float:
    """As `known_topic_sd`; before the first snapshot under these items that of the last one, or the stated default."""
    known = known_topic_sd(conn, bank)
    if known is None:
        row = conn.execute(SQL["newest_topic_sd"]).fetchone()
        known = float(row[0]) if row else None
    return known or DEFAULT_SD


def changed_learners(conn: Connection, estimates: ThetaEstimates, items_run: str, as_of: date) -> Mask:
    """(N,) whether θ, se, the number of answers, a topic or the items differ from what is stored for the day."""
    learners = estimates.learner_no[estimates.general.learner]
    stored = _newest(conn, learners, items_run, as_of)
    same = np.zeros(learners.size, bool)
    if stored["learner_no"].size:
        place = np.minimum(np.searchsorted(stored["learner_no"], learners), stored["learner_no"].size - 1)
        here = {name: column[place] for name, column in stored.items()}
        same = (here["learner_no"] == learners) & (here["n_answers"] == estimates.general.n_answers)
        same &= _near(here["theta"], estimates.general.theta) & _near(here["se"], estimates.general.se)
        same &= _near(here["topic_checksum"], topic_checksum(estimates)[estimates.general.learner])
    mask = np.zeros(estimates.learner_no.size, bool)
    mask[estimates.general.learner[~same]] = True
    return mask


def topic_checksum(estimates: ThetaEstimates) -> Array:
    """(N,) Σ √topic_no (θ + 2 se) over a learner's topics: it differs where a topic is new, gone or estimated anew."""
    topics = estimates.topics
    weight = np.sqrt(topics.topic_no) * (topics.theta + 2.0 * topics.se)
    return np.bincount(topics.learner, weight, estimates.learner_no.size).astype(np.float64)


def _near(one: Array, other: Array) -> Mask:
    return np.asarray(np.abs(one - other) < SAME_TOL * (1.0 + np.abs(other)))


def lock_items(conn: Connection, items_run: str) -> None:
    """Lock a calibration, so that it stays published until the transaction ends. Raises ItemsRetractedError."""
    row = conn.execute(SQL["lock_items"], {"items_run": items_run}).fetchone()
    if row is None or not row[0]:
        raise ItemsRetractedError(
            f"{items_run} was retracted while θ was estimated on it; nothing is stored, start again"
        )


class ItemsRetractedError(JobError):
    """The calibration whose items were used is no longer published."""


def append_estimates(conn: Connection, estimates: ThetaEstimates, provenance: Provenance) -> tuple[int, int]:
    """Write the rows in the caller's transaction; return the numbers of general and of topic rows."""
    general, topics = estimates.general, estimates.topics
    columns = ["run_id", "as_of", "fitted_at", "model", "version", "learner_no", "theta", "se", "n_answers"]
    common = [
        provenance.run_id,
        str(provenance.as_of),
        str(provenance.fitted_at),
        provenance.model,
        str(provenance.version),
    ]

    def rows(part: GeneralEstimates | TopicEstimates) -> list[Any]:
        return [*common, estimates.learner_no[part.learner], part.theta, part.se, part.n_answers]

    checksum = topic_checksum(estimates)[general.learner]
    n_general = copy_rows(conn, "ability", [*columns, "topic_checksum"], [*rows(general), checksum])
    n_topics = copy_rows(conn, "topic_ability", [*columns, "topic_no"], [*rows(topics), topics.topic_no])
    return n_general, n_topics


def _newest(conn: Connection, learners: Int32s, items_run: str, as_of: date) -> dict[str, Array]:
    parameters: dict[str, object] = {"learners": learners.tolist(), "items_run": items_run, "as_of": as_of}
    rows: Sequence[tuple[Any, ...]] = conn.execute(SQL["newest_general"], parameters, binary=True).fetchall()
    table = np.array(rows, float).reshape(-1, 5)
    return dict(zip(("learner_no", "theta", "se", "n_answers", "topic_checksum"), table.T, strict=True))


def _masked(part: Part, mask: Mask) -> Part:
    kept = {name: getattr(part, name)[mask] for name in type(part).__dataclass_fields__}
    return type(part)(**kept)
