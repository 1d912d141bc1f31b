"""Who may write which key of a week's KPIs: the database's own answer."""

from typing import Any

import psycopg
import pytest
from learners import TODAY, Answer, Connection, as_writer, connected, context, write_answers

from thetaline.jobs.kpis import compute
from thetaline.learning.windows import monday

INSERT = "insert into weekly_kpi (user_id, week_start, kpis) values ('ada', '2025-10-27', cast(%s as jsonb))"
UPDATE = "update weekly_kpi set kpis = cast(%s as jsonb)"


@pytest.fixture
def conn(database: str) -> Any:
    with connected(database) as conn:
        as_writer(conn, "compute_daily_kpis")
        conn.execute(INSERT, ['{"I_t": 0.1, "P": 0.5}'])
        as_writer(conn, "fit_bayesian_growth")
        conn.execute(UPDATE, ['{"I_t": 0.1, "P": 0.5, "goal_probability": 0.7}'])
        conn.commit()
        yield conn


def refused(conn: Connection, writer: str, statement: str, kpis: str) -> str:
    as_writer(conn, writer)
    with pytest.raises(psycopg.errors.CheckViolation) as error, conn.transaction():
        conn.execute(statement, [kpis])
    return error.value.diag.message_primary or ""


@pytest.mark.parametrize(
    "kpis",
    [
        '{"I_t": 0.1, "P": 0.6, "goal_probability": 0.7}',  # changed
        '{"I_t": 0.1, "goal_probability": 0.7}',  # dropped
    ],
)
def test_a_key_of_another_writer_can_be_neither_changed_nor_dropped(conn: Connection, kpis: str) -> None:
    told = refused(conn, "fit_bayesian_growth", UPDATE, kpis)
    assert told == "weekly_kpi: key 'P' belongs to compute_daily_kpis, and fit_bayesian_growth would change it"


def test_a_new_row_too_has_keys_of_its_writer_only(conn: Connection) -> None:
    told = refused(conn, "fit_growth_glmm", INSERT.replace("ada", "bob"), '{"glmm_slope": 0.1, "S": 0.2}')
    assert told == "weekly_kpi: key 'S' belongs to compute_daily_kpis, and fit_growth_glmm would change it"


@pytest.mark.parametrize("column", ["user_id = 'bob'", "week_start = '2025-11-03'"])
def test_keys_cannot_be_changed_on_the_way_to_another_row(conn: Connection, column: str) -> None:
    told = refused(conn, "fit_bayesian_growth", f"{UPDATE}, {column}", '{"I_t": 0.9, "P": 0.5}')
    assert told == "weekly_kpi: key 'I_t' belongs to compute_daily_kpis, and fit_bayesian_growth would change it"


def test_a_key_that_nobody_registered_and_a_writer_that_did_not_declare_itself_are_named(conn: Connection) -> None:
    told = refused(conn, "", INSERT.replace("ada", "bob"), '{"S": 0.2}')
    assert told.endswith("a writer that has not declared itself would change it")
    told = refused(conn, "us", INSERT.replace("ada", "bob"), '{"mine": 1}')
    assert told == "weekly_kpi: key 'mine' belongs to nobody, and us would change it"


def test_the_declaration_ends_with_the_transaction(conn: Connection) -> None:
    as_writer(conn, "compute_daily_kpis")
    conn.commit()
    with pytest.raises(psycopg.errors.CheckViolation, match="has not declared itself"):
        conn.execute(INSERT.replace("ada", "bob"), ['{"S": 0.2}'])


def test_the_nightly_run_after_the_weekly_one_erases_nothing(conn: Connection, database: str) -> None:
    write_answers(conn, [Answer("ada", item, True) for item in range(1, 9)])
    compute.work(context(conn, database, compute.JOB))
    conn.commit()
    query = "select kpis from weekly_kpi where user_id = 'ada' and week_start = %s"
    (kpis,) = conn.execute(query, [monday(TODAY)]).fetchone() or ()
    assert kpis["goal_probability"] == 0.7
    assert kpis["as_of"] == str(TODAY)


def test_no_key_has_two_writers_and_every_key_that_the_nightly_job_writes_is_its_own(conn: Connection) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation), conn.transaction():
        conn.execute("insert into kpi_key (key, writer) values ('P', 'another')")
    rows = conn.execute("select writer, count(*) from kpi_key group by 1 order by 1").fetchall()
    assert rows == [("compute_daily_kpis", 18), ("fit_bayesian_growth", 9), ("fit_growth_glmm", 3)]
