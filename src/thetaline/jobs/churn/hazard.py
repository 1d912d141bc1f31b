"""The job `fit_survival_churn`: the risk of falling silent, by the hazard model where it beats S, else by S."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import typer
from numpy.typing import NDArray

from thetaline import db
from thetaline.db.bulk import copy_rows
from thetaline.db.jsonb import to_json
from thetaline.jobs.abilities.answers import LearnerAnswers, read_all_answers
from thetaline.jobs.abilities.classrooms import classrooms
from thetaline.jobs.arrays import Int32s
from thetaline.jobs.command_line import DateOption, DryRunOption, run_app
from thetaline.jobs.runner import JobContext, Summary, run_job
from thetaline.jobs.terms import read_terms
from thetaline.jobs.weekly_fit import run_once
from thetaline.learning.churn import MONTH_DAYS, ChurnFit, Coefficients, fit_churn, landmark_rows
from thetaline.learning.term_calendar import TermCalendar
from thetaline.learning.windows import day_number, last_days, last_week_end

JOB = "fit_survival_churn"
INTENDED_USE = (
    "For teachers and staff: to ask early after learners who may be about to stop. Never shown to learners, never a "
    "reason to grade, admit or exclude anybody; accuracy and calibration by class stand in metrics."
)
FITTED, NOT_FITTED = "fitted", "not fitted"
COLUMNS = ("learner_no", "risk", "hazard_ratio", "rank_percentile")
SQL = db.sql("jobs/churn/hazard.sql")
app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskRecord:
    """What a run leaves; without learners the risks of the run before stay."""

    meta: Mapping[str, object]
    status: str
    reason: str | None = None
    summary: Mapping[str, object] = field(default_factory=dict)
    learners: tuple[NDArray[Any], ...] = ()  # the columns of learner_risk after run_id

    @property
    def is_published(self) -> bool:
        """Whether there are risks."""
        return bool(self.learners)


@app.command()
def fit(date: DateOption = None, dry_run: DryRunOption = False) -> None:
    """Fit the risk of SURVIVAL_EVENT_THRESHOLD_DAYS without activity to the last SURVIVAL_LOOKBACK_DAYS."""
    raise typer.Exit(run_job(JOB, work, date=date, dry_run=dry_run))


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m thetaline.jobs.fit_survival_churn`."""
    return run_app(app, argv, "thetaline fit-survival-churn")


def work(context: JobContext) -> Summary:
    """One run; data that carry no hazard leave the reason in the meta table and earlier risks as they were."""
    as_of, settings = last_week_end(context.as_of), context.settings
    window = last_days(as_of, settings.survival_lookback_days + MONTH_DAYS)
    answers = read_all_answers(context.url, window, context.calendar)
    terms = read_terms(context.conn)
    group = classrooms(context, answers.learner_no, context.calendar.bounds(window)["stop"])
    silent_days = settings.survival_event_threshold_days

    def fitted() -> RiskRecord:
        cohort = landmark_rows(answers.attempts, window, terms, silent_days=silent_days)
        rng = np.random.default_rng(day_number(as_of))  # the same night again is the same
        return record_of(answers.learner_no, fit_churn(cohort, rng, group=group, silent_days=silent_days), silent_days)

    def write(run_id: str, record: RiskRecord) -> None:
        shared = {"run_id": run_id, "fitted_at": context.now, "intended_use": INTENDED_USE}
        context.conn.execute(SQL["insert_meta"], {**shared, **record.meta, "reason": record.reason})
        if record.is_published:
            copy_rows(context.conn, "learner_risk", ["run_id", *COLUMNS], [run_id, *record.learners])

    return run_once(context, _fingerprint(answers, terms, group, window, silent_days), fitted, write)


def record_of(learner_no: Int32s, found: ChurnFit, silent_days: int) -> RiskRecord:
    """What is stored of a fit; a reason in place of risks where there are none."""
    counts = {"n_rows": found.n_rows, "n_silent": found.n_silent, "n_already_silent": int(found.already_silent.sum())}
    if found.risks is None or found.coefficients is None:
        meta = {**_meta(None, silent_days), "metrics": to_json(counts), "in_force": None, "status": NOT_FITTED}
        return RiskRecord(meta=meta, status=NOT_FITTED, reason=f"not fitted because {found.reason}", summary=counts)
    overall = found.accuracy["landmark_hazard"]
    metrics = {
        **counts,
        "n_holdouts": found.n_holdouts,
        "left_out": list(found.dropped),
        "accuracy": {name: one._asdict() for name, one in found.accuracy.items()},
        "comparisons": [asdict(one) for one in found.comparisons],
    }
    meta = {**_meta(found.coefficients, silent_days), "concordance": None if np.isnan(overall.auc) else overall.auc}
    meta |= {"metrics": to_json(metrics), "in_force": str(found.in_force), "status": FITTED}
    known = np.flatnonzero(np.isfinite(found.risks.risk))
    columns = [getattr(found.risks, name)[known] for name in COLUMNS[1:]]
    summary = {"n_learners": int(known.size), **counts, "in_force": str(found.in_force), "auc": overall.auc}
    return RiskRecord(meta=meta, status=FITTED, summary=summary, learners=(learner_no[known], *columns))


def formula(names: Sequence[str], silent_days: int) -> str:
    """The model in a line."""
    return f"cloglog P(silent for {silent_days} school days) ~ {' + '.join(names) or '1'}"


def _meta(found: Coefficients | None, silent_days: int) -> dict[str, object]:
    names = found.names if found else ()
    rows = zip(names, *([found.beta.tolist(), found.se.tolist()] if found else [[], []]), strict=True)
    ratios = dict(zip(names, found.hazard_ratio.tolist(), strict=True)) if found else {}
    return {
        "formula": formula(names, silent_days),
        "coefficients": to_json([{"term": term, "estimate": beta, "se": se} for term, beta, se in rows]),
        "hazard_ratios": to_json(ratios),
        "concordance": None,
    }


def _fingerprint(answers: LearnerAnswers, terms: TermCalendar, *more: object) -> str:
    """Differs where an answer, the calendar or a setting does."""
    digest = hashlib.sha256(repr((terms.periods, *more)).encode())
    attempts = answers.attempts
    for column in (answers.learner_no, attempts.learner, attempts.day, attempts.correct, attempts.hint):
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()
