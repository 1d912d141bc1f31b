"""`thetaline demo --fresh`: empties our own tables where all rows come from the demo."""

import sys

from psycopg import sql

from thetaline import db
from thetaline.errors import InputError
from thetaline.jobs.command_line import print_message
from thetaline.jobs.demo import files
from thetaline.jobs.runner import JobContext

SQL = db.sql("jobs/demo/clearing.sql")
EXAM_RESULTS = "exam_results"
# Every table of ours but those of KEPT; a test compares the two lists with the schema.
CLEARED = (
    EXAM_RESULTS,
    "answer",
    "learner",
    "item",
    "topic",
    "question",
    "classroom",
    "session",
    "interest_goal",
    "run",
    "calibration",
    "item_param",
    "ability",
    "topic_ability",
    "weekly_ability",
    "growth_glmm_meta",
    "growth_brms_meta",
    "growth_line",
    "growth_goal",
    "survival_fit_meta",
    "learner_risk",
    "prophet_fit_meta",
    "forecast_series",
    "forecast_value",
    "forecast_anomaly",
    "segment_meta",
    "learner_segment",
    "gate_result",
    "drift_alert",
    "newest_drift_test",
    "drift_score",
    "features_topic_daily",
    "weekly_kpi",
    "stored_report",
)
# The migrations that have run, who writes which KPI, when school is, and what belongs to the service and its clients.
KEPT = (
    "schema_migration",
    "kpi_key",
    "school_calendar",
    "api_token",
    "service_job",
    "service_job_body",
    "report_deletion",
)


def clear(context: JobContext, *, place: str, confirmed: str | None) -> None:
    """Empty `CLEARED` in one transaction.

    `confirmed` is the database's name; None: it is asked for, but for the embedded database. Raises InputError for
    another name, and where a row is not the demo's; nothing is cleared then.
    """
    _refuse_other_rows(context, place)
    context.conn.rollback()  # nothing is locked while a person types
    _confirm(context, confirmed)
    context.conn.execute(_of_tables("lock table {} in access exclusive mode", CLEARED))
    _refuse_other_rows(context, place)
    context.conn.execute(SQL["give_up_reports"], {"now": context.now})
    context.conn.execute(
        _of_tables("truncate {}", (EXAM_RESULTS,))
    )  # alone: its trigger empties what is derived from it
    context.conn.execute(_of_tables("truncate {} restart identity", CLEARED[1:]))
    context.conn.commit()


def _refuse_other_rows(context: JobContext, place: str) -> None:
    rows = context.conn.execute(SQL["other_rows"], {"file": files.ANSWERS}).fetchall()
    if rows:
        counts = ", ".join(f"{count:,} in {table}" for table, count in rows)
        raise InputError(
            f"{place} holds rows that are not the demo's: {counts}; --fresh would delete them; "
            "name another database by DATABASE_URL, or delete them yourself"
        )


def _confirm(context: JobContext, confirmed: str | None) -> None:
    if confirmed is None and context.settings.database_url is None:
        return
    name = context.conn.info.dbname
    typed = _ask(name) if confirmed is None else confirmed
    if typed != name:
        raise InputError(
            f"{typed!r} is not the name of the database, {name!r}; nothing was cleared; "
            "type the name, or give it by --confirm"
        )


def _ask(name: str) -> str:
    print_message(f"--fresh empties thetaline's tables in the database {name!r}. Type its name to go on:")
    return sys.stdin.readline().strip()


def _of_tables(statement: str, tables: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(statement).format(sql.SQL(", ").join(map(sql.Identifier, tables)))
