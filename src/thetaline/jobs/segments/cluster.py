"""The job `cluster_segments`: learners grouped by how they learn, once a week; "no structure" is an answer."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import typer
from numpy.typing import NDArray

from thetaline import db
from thetaline.db.bulk import copy_rows
from thetaline.db.jsonb import to_json
from thetaline.jobs.abilities.estimates import lock_items
from thetaline.jobs.command_line import DateOption, DryRunOption, run_app
from thetaline.jobs.runner import JobContext, Summary, run_job
from thetaline.jobs.segments.features import LearnerFeatures, read_features
from thetaline.jobs.weekly_fit import run_once
from thetaline.learning.segments import (
    NOT_ASSIGNED,
    FeatureTable,
    LastSegments,
    Segment,
    Segmentation,
    segment_learners,
    words_of,
)
from thetaline.learning.windows import day_number, last_week_end

JOB = "cluster_segments"
METHOD = (
    "k-means of power-transformed features; gap statistic against one normal, prediction strength, bootstrap Jaccard"
)
INTENDED_USE = (
    "For teachers and staff: to plan material and support for groups of learners. Never shown to learners, never a "
    "reason to grade, admit or exclude anybody; a segment describes weeks of work, not a person."
)
FITTED, NOT_FITTED = "fitted", "not fitted"
COLUMNS = ("learner_no", "segment", "features")
SQL = db.sql("jobs/segments/cluster.sql")
app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRecord:
    """What a run leaves; without learners the segments of the run before stay."""

    meta: Mapping[str, object]
    status: str
    reason: str | None = None
    summary: Mapping[str, object] = field(default_factory=dict)
    learners: tuple[NDArray[Any], ...] = ()  # the columns of learner_segment after run_id

    @property
    def is_published(self) -> bool:
        """Whether there are segments."""
        return bool(self.learners)


@app.command()
def cluster(date: DateOption = None, dry_run: DryRunOption = False) -> None:
    """Group the learners of the last CLUSTER_LOOKBACK_WEEKS weeks that are over by how they learn."""
    raise typer.Exit(run_job(JOB, work, date=date, dry_run=dry_run))


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m thetaline.jobs.cluster_segments`."""
    return run_app(app, argv, "thetaline cluster-segments")


def work(context: JobContext) -> Summary:
    """One run; data without segments leave the reason in the meta table and earlier segments as they were."""
    as_of = last_week_end(context.as_of)
    features = read_features(context, as_of)
    last_run, last = _last(context, as_of)
    n_clusters = context.settings.cluster_n_clusters

    def fitted() -> SegmentRecord:
        rng = np.random.default_rng(day_number(as_of))  # the same night again is the same
        return record_of(features, segment_learners(features.table, rng, n_clusters=n_clusters, last=last))

    def write(run_id: str, record: SegmentRecord) -> None:
        if features.items_run is not None:
            lock_items(context.conn, features.items_run)
        shared = {"run_id": run_id, "method": METHOD, "fitted_at": context.now, "intended_use": INTENDED_USE}
        context.conn.execute(SQL["insert_meta"], {**shared, **record.meta, "reason": record.reason})
        if record.is_published:
            copy_rows(context.conn, "learner_segment", ["run_id", *COLUMNS], [run_id, *record.learners])

    fingerprint = features.fingerprint(n_clusters, last_run)
    return run_once(context, fingerprint, fitted, write, items_run=features.items_run)


def record_of(features: LearnerFeatures, found: Segmentation) -> SegmentRecord:
    """What is stored of a search; a reason in place of segments where there are none."""
    meta = {
        "n_clusters": len(found.segments),
        "centers": to_json([center_of(one, found.names) for one in found.segments]),
        "metrics": to_json(_metrics(features.table, found)),
        "status": FITTED if found.is_fitted else NOT_FITTED,
    }
    if not found.is_fitted:
        return SegmentRecord(meta=meta, status=NOT_FITTED, reason=f"not fitted because {found.reason}")
    assigned = np.flatnonzero(found.assigned != NOT_ASSIGNED)
    summary = {
        "n_learners": int(assigned.size),
        "n_clusters": len(found.segments),
        "segments": {one.label: one.size for one in found.segments},
        "new": list(found.new),
        "vanished": list(found.vanished),
    }
    texts = np.array([to_json(_known(features.table, row)) for row in assigned.tolist()], object)
    columns = (features.learner_no[assigned], found.assigned[assigned].astype(np.int16), texts)
    return SegmentRecord(meta=meta, status=FITTED, summary=summary, learners=columns)


def center_of(segment: Segment, names: Sequence[str]) -> dict[str, object]:
    """A segment as it is stored and told: label and words, size, stability, median in raw units, mean in sd."""
    words = words_of(segment.label)
    return {
        "label": segment.label,
        "english": words.english,
        "korean": words.korean,
        "size": segment.size,
        "jaccard": segment.jaccard,
        "is_new": segment.continues is None,
        "center": dict(zip(names, segment.centre.tolist(), strict=True)),
        "profile": dict(zip(names, segment.profile.tolist(), strict=True)),
    }


def _metrics(table: FeatureTable, found: Segmentation) -> dict[str, object]:
    return {
        "n_learners": len(table.user_ids),
        "n_assigned": int((found.assigned != NOT_ASSIGNED).sum()),
        "features": list(found.names),
        "left_out": list(found.dropped),
        "numbers": [one._asdict() for one in found.numbers],
        "vanished": list(found.vanished),
    }


def _known(table: FeatureTable, row: int) -> dict[str, float]:
    values = table.values[row].tolist()
    return {name: value for name, value in zip(table.names, values, strict=True) if not math.isnan(value)}


def _last(context: JobContext, as_of: date) -> tuple[str | None, LastSegments | None]:
    """The segments of the newest earlier week that has some; a single one is no structure to go on from."""
    row = context.conn.execute(SQL["last_run"], {"as_of": as_of}).fetchone()
    if row is None or len(row[1]) < 2:
        return (row[0] if row else None), None
    run_id, centers = row
    names = tuple(centers[0]["center"])
    members = context.conn.execute(SQL["last_members"], {"run_id": run_id}).fetchall()
    values = [[_number(one["center"].get(name)) for name in names] for one in centers]
    return run_id, LastSegments(
        user_ids=np.array([user for user, _ in members], np.str_),
        segment=np.array([segment for _, segment in members], np.int64),
        labels=tuple(one["label"] for one in centers),
        names=names,
        centres=np.array(values),
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else value
