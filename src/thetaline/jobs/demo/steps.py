"""The five steps of the demo. Each can be repeated, so that an interrupted demo goes on when it is called again."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from thetaline.errors import JobError
from thetaline.jobs.anchors import tagging
from thetaline.jobs.anchors.selection import AnchorCriteria
from thetaline.jobs.calibration import nightly_fit
from thetaline.jobs.command_line import print_message
from thetaline.jobs.demo import files, growth, lines, pages, summary, weekly_models
from thetaline.jobs.demo.environment import add_environment
from thetaline.jobs.demo.recovery import SimulatedWindow
from thetaline.jobs.demo.school import SimulatedAnswers, Truth, simulate
from thetaline.jobs.importing import ImportRequest, import_file
from thetaline.jobs.runner import JobContext, Summary

LOOKBACK_DAYS = 30
# The gate's limits are for two nights; between two months learners truly grow apart, and items drift.
MOST_CHANGED, MOST_MOVED = 0.3, 0.1
CRITERIA = AnchorCriteria(count=50, min_answers=30, a_min=0.5, a_max=3.0, max_move=0.5)


def run_steps(context: JobContext, school: files.School) -> Summary:
    """From the school's answers to its KPIs, which are compared with the truth and printed."""
    started = time.monotonic()
    truth, answers = simulate(school.plan)
    start = context.calendar.start_of(school.first_day)
    path = files.write_answers(context.settings.data_folder / "demo", start, truth, answers)
    imported = _import(context, path, school, truth)
    run_id = _calibrate_twice(context, school)
    first, latest = _windows(school, truth, answers)
    report = summary.recovery_report(context.conn, run_id, first=first, latest=latest)
    growth_found = _run_nights(context, school, truth)
    lines_found = lines.line_report(context.conn, school, truth, base=first.moments())
    print_message(growth.report_text(growth_found))
    print_message(lines.report_text(lines_found))
    print_message(weekly_models.weekly_models_text(context.conn))
    print_message(summary.report_text(report, elapsed=time.monotonic() - started))
    print_message(pages.pages_text(context.conn))
    return {**report.as_json(), **growth_found.as_json(), **lines_found.as_json(), "answers": imported["answers"]}


def _import(context: JobContext, path: Path, school: files.School, truth: Truth) -> Summary:
    print_message("1. Twelve weeks of a simulated school go in through `thetaline import`.")
    imported = import_file(context, path, ImportRequest())
    add_environment(context.conn, school.plan, truth, school.last_day)
    context.conn.commit()
    return imported


def _calibrate_twice(context: JobContext, school: files.School) -> str:
    """The first month, whose items give the anchors; then the last, linked to them. Returns the last run."""
    settings = context.settings.model_copy(
        update={
            "mirt_lookback_days": LOOKBACK_DAYS,
            "mirt_model": "2PL",
            "mirt_max_obs": 0,
            "r_irt_base_url": None,
            "mirt_gate_max_changed_learners": MOST_CHANGED,
            "mirt_gate_max_moved": MOST_MOVED,
        }
    )
    early = replace(context, settings=settings, as_of=school.first_day + timedelta(days=LOOKBACK_DAYS - 1))
    print_message("2. The first month is calibrated: its learners are N(0, 1) and set the scale.")
    _calibrate(early)
    print_message("3. Items over the whole range of difficulty become anchors, their parameters frozen.")
    tagging.tag_work(early, criteria=CRITERIA)
    context.conn.commit()
    print_message(
        "4. The last month is calibrated and linked to the anchors: tonight's run, as the nightly job does it."
    )
    # later than the first, so that "newest" is this one
    return _calibrate(replace(context, settings=settings, as_of=school.last_day, now=datetime.now(UTC)))


def _calibrate(context: JobContext) -> str:
    result = nightly_fit.work(context)
    context.conn.commit()
    if "run_id" not in result:
        raise JobError(f"the calibration of {context.as_of} gave no run: {dict(result)}")
    return str(result["run_id"])


def _run_nights(context: JobContext, school: files.School, truth: Truth) -> growth.GrowthReport:
    print_message(
        "5. The night goes on: drift of items, θ of learners and topics, daily features, weekly KPIs, growth, reports."
    )
    last = replace(context, as_of=school.last_day, now=datetime.now(UTC))
    growth.run_nights(last)
    return growth.growth_report(last, truth, weeks=school.plan.weeks)


def _windows(school: files.School, truth: Truth, answers: SimulatedAnswers) -> tuple[SimulatedWindow, SimulatedWindow]:
    first = SimulatedWindow(truth, answers, 0.0, LOOKBACK_DAYS / 7)
    return first, SimulatedWindow(truth, answers, school.plan.weeks - LOOKBACK_DAYS / 7, school.plan.weeks)
