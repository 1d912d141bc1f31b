"""The job that calibrates the answers of a window and publishes the result if the gate passes it."""

import time
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import numpy as np
import psycopg
import typer

from thetaline import logs
from thetaline.db.ledger import RunState, open_run
from thetaline.errors import HeldError, ResponsesError
from thetaline.jobs.anchors.references import AnchorSet, read_anchors
from thetaline.jobs.arrays import Index, Objects
from thetaline.jobs.calibration.engine import CalibrationEngine, CalibrationReply, CalibrationRequest
from thetaline.jobs.calibration.exclusions import Excluded, excluded_items, excluded_users
from thetaline.jobs.calibration.gate import check_all, failures
from thetaline.jobs.calibration.gate_values import CheckResult, GateLimits
from thetaline.jobs.calibration.http_engine import HttpEngine
from thetaline.jobs.calibration.in_process_engine import InProcessEngine
from thetaline.jobs.calibration.observations import Observations
from thetaline.jobs.calibration.publication import (
    JOB,
    CalibrationRecord,
    current_parameters,
    current_run,
    published_on,
    store,
)
from thetaline.jobs.calibration.run_summary import (
    CalibrationRun,
    gate_input,
    metrics,
    model_spec,
    published_abilities,
    recorded_settings,
    summary,
)
from thetaline.jobs.calibration.window import WindowAnswers, load_answers, span
from thetaline.jobs.command_line import DateOption, DryRunOption, run_app
from thetaline.jobs.progress import progress
from thetaline.jobs.runner import JobContext, Outcome, Summary, run_job
from thetaline.learning.windows import Window, last_days
from thetaline.settings import Settings

log = logs.get_logger(__name__)
app = typer.Typer(add_completion=False)


@app.command()
def calibrate(
    date: DateOption = None,
    dry_run: DryRunOption = False,
    again: Annotated[bool, typer.Option("--again", help="Calibrate although this date is published already.")] = False,
) -> None:
    """Calibrate the answers of the days up to a date, link them to the anchors, publish what passes the gate."""
    raise typer.Exit(run_job(JOB, partial(work, again=again), date=date, dry_run=dry_run))


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m thetaline.jobs.mirt_calibrate`."""
    return run_app(app, argv, "thetaline calibrate")


def work(context: JobContext, *, again: bool = False) -> Summary:
    """Calibrate a date. Raises HeldError after a held run is stored, ResponsesError where nothing can be calibrated."""
    done = None if again else published_on(context.conn, context.as_of, over_at=context.over_at)
    if done:
        return {"status": Outcome.ALREADY_DONE, "run_id": done, "hint": "--again calibrates this date once more"}
    if context.dry_run:
        run, checks = _fit_and_check(context)
        return {**summary(run), "would_be": _state(checks)}
    settings = recorded_settings(context.settings)
    with open_run(context.url, JOB, as_of=context.as_of, now=context.now, settings=settings) as ledger_run:
        run, checks = _fit_and_check(context)
        return _store(context, ledger_run.run_id, run, checks)


def _fit_and_check(context: JobContext) -> tuple[CalibrationRun, tuple[CheckResult, ...]]:
    """Calibrate and check; writes nothing."""
    run = fit(context)
    checks = check_all(
        gate_input(run, current_parameters(context.conn, run.request.model)), GateLimits.of(context.settings)
    )
    context.conn.rollback()
    _log_results(run, checks)
    return run, checks


def fit(context: JobContext) -> CalibrationRun:
    """Read the window, leave out what cannot be calibrated, call the engine; writes nothing."""
    settings, window = context.settings, last_days(context.as_of, context.settings.mirt_lookback_days)
    answers = _load_observations(context, window)
    anchors = load_anchors(context.conn).frozen_under(settings.mirt_model)
    context.conn.rollback()  # nothing was written, and a snapshot must not stay open for the minutes of a fit
    out = excluded_items(answers.observations, min_answers=settings.mirt_min_item_answers)
    observations = answers.observations.without_items(out.ids)
    _require_enough(answers.observations, observations, out=out, window=window)
    parts = _count_parts(observations)
    request = CalibrationRequest(observations, settings.mirt_model, anchors.anchors)
    reply = call_calibrate(request, settings=settings)
    return CalibrationRun(
        window=window,
        answers=answers,
        anchors=anchors,
        request=request,
        connected_parts=parts,
        day=context.calendar.day_numbers(observations.responded_at.astype("datetime64[us]").astype(np.int64)),
        excluded_items=out,
        reply=reply,
        excluded_users=excluded_users(observations, min_answers=settings.mirt_min_user_answers),
    )


def _load_observations(context: JobContext, window: Window) -> WindowAnswers:
    most, calendar = context.settings.mirt_max_obs, context.calendar
    answers = load_answers(context.conn, context.url, window, calendar=calendar, most=most)
    log.info("observations loaded", count=answers.observations.n_answers, source="attempt", **span(window))
    left_out = {name: getattr(answers, name) for name in ("n_repeats", "n_contradictory", "n_over_limit")}
    if any(left_out.values()):
        log.info("answers left out", **left_out)
    return answers


def _count_parts(observations: Observations) -> int:
    parts = observations.connected_parts()
    if parts > 1:
        log.warning("learners and items fall apart: no answer ties the parts' scales to each other", parts=parts)
    return parts


def load_anchors(conn: psycopg.Connection[Any]) -> AnchorSet:
    """The items tagged `anchor` with their frozen references; what is malformed is named in a warning and left out."""
    anchors = read_anchors(conn)
    log.info("anchors loaded", count=len(anchors), ids=list(anchors.item_ids))
    if anchors.malformed:
        log.warning("malformed anchors left out", anchors=dict(anchors.malformed))
    return anchors


def call_calibrate(
    request: CalibrationRequest, *, settings: Settings | None = None, engine: CalibrationEngine | None = None
) -> CalibrationReply:
    """Calibrate with `engine`, by default the one that the settings name."""
    engine = engine or engine_of(settings)
    started = time.monotonic()
    n_answers, n_items = request.observations.n_answers, request.observations.item_ids.size
    log.info("calibration started", engine=engine.name, model=request.model, answers=n_answers, items=n_items)
    with progress("calibrating") as update:
        reply = engine.calibrate(
            request,
            on_cycle=lambda cycle, log_likelihood, change: update(
                cycle, f"cycle {cycle}, log-likelihood {log_likelihood:,.2f}, largest change {change:.2g}"
            ),
        )
    log.info("calibration finished", elapsed_secs=round(time.monotonic() - started, 3), status=reply.fit.status)
    return reply


def engine_of(settings: Settings | None) -> CalibrationEngine:
    """The engine of this process, unless an IRT service is named."""
    return HttpEngine.of(settings) if settings and settings.r_irt_base_url else InProcessEngine()


def _require_enough(all_answers: Observations, left: Observations, *, out: Excluded, window: Window) -> None:
    days = f"from {window.first_day} to {window.last_day}"
    if not all_answers.n_answers:
        raise ResponsesError(f"no answered attempts {days}; import answers, or set --date or MIRT_LOOKBACK_DAYS")
    n_items, n_users = left.item_ids.size, np.count_nonzero(left.answers_per_user())
    if n_items < 2 or n_users < 2:
        why = ", ".join(f"{reason}: {n} items" for reason, n in out.by_reason().items())
        raise ResponsesError(
            f"{n_items} items and {n_users} learners are left to calibrate {days}, 2 of each are the least"
            + (f"; left out: {why} (see MIRT_MIN_ITEM_ANSWERS)" if why else "")
        )


def _log_results(run: CalibrationRun, checks: tuple[CheckResult, ...]) -> None:
    linking = run.reply.linking
    log.info(
        "linking constants",
        **(linking.constants() if linking else {"linked": False, "why": run.reply.not_linked or "no anchors"}),
        dropped=dict(linking.dropped) if linking else {},
    )
    log.info("item count", count=run.reply.items.item_ids.size, excluded=run.excluded_items.by_reason())
    log.info("user count", count=published_abilities(run).user_ids.size, excluded=run.excluded_users.by_reason())
    for check in checks:
        log.info(
            "gate", check=check.name, passed=check.passed, value=check.value, limit=check.limit, message=check.message
        )


def _store(context: JobContext, run_id: str, run: CalibrationRun, checks: tuple[CheckResult, ...]) -> Summary:
    """Store the run, published or held. Raises HeldError where it is held."""
    state = _state(checks)
    store(context.conn, _record(context, run_id, run, checks), state, summary=summary(run))
    if state is RunState.PUBLISHED:
        log.info("published", run_id=run_id)
        return {"run_id": run_id, **summary(run)}
    log.warning("held", run_id=run_id, reasons=failures(checks))
    raise HeldError(
        f"run {run_id} is held: {'; '.join(failures(checks))}. {current_run(context.conn) or 'Nothing'} stays current; "
        f"to decide otherwise: thetaline runs publish {run_id} --reason …"
    )


def _state(checks: tuple[CheckResult, ...]) -> RunState:
    return RunState.HELD if failures(checks) else RunState.PUBLISHED


def _record(
    context: JobContext, run_id: str, run: CalibrationRun, checks: tuple[CheckResult, ...]
) -> CalibrationRecord:
    """What to store, each estimate with the surrogate key of its id."""
    items, abilities = run.reply.items, published_abilities(run)
    read = run.answers.observations
    user = _positions(read.user_ids, abilities.user_ids)
    return CalibrationRecord(
        run_id=run_id,
        as_of=context.as_of,
        fitted_at=context.now,
        model=run.request.model,
        model_spec=model_spec(run, context.settings),
        metrics=metrics(run),
        items=items,
        free_anchors=run.reply.free_anchors,
        item_no=run.answers.item_no[_positions(read.item_ids, items.item_ids)],
        abilities=abilities,
        learner_no=run.answers.learner_no[user],
        n_answers=run.request.observations.answers_per_user()[user],
        checks=checks,
    )


def _positions(ids: Objects, wanted: Objects) -> Index:
    """(n,) the position of each wanted id."""
    position = {name: place for place, name in enumerate(ids.tolist())}
    return np.array([position[name] for name in wanted.tolist()], dtype=np.intp)
