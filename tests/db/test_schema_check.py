"""`thetaline db check`: a schema as the migrations make it differs in nothing; each change is named."""

import psycopg
import pytest

from thetaline import db
from thetaline.db import migrations
from thetaline.db.migrations.files import GRANTS
from thetaline.errors import MigrationError


def found(url: str) -> list[str]:
    with db.connect(url) as conn:
        return [str(one) for one in migrations.differences(conn)]


def change(url: str, statement: str) -> None:
    with db.connect(url) as conn:
        conn.execute(statement)


@pytest.mark.parametrize("revision", ["0001", "0004", migrations.wanted()])
def test_a_migrated_database_differs_in_nothing_and_is_left_as_it_was(empty_database: str, revision: str) -> None:
    migrations.migrate(empty_database, to=revision)
    assert found(empty_database) == []
    with db.connect(empty_database) as conn:
        assert conn.execute("select to_regnamespace('thetaline_expected')").fetchone() == (None,)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("drop table report_deletion", ["table report_deletion is missing"]),
        ("alter table question drop column difficulty", ["column question.difficulty is missing"]),
        (
            "alter table question alter column difficulty type double precision",
            ["column question.difficulty is double precision; it should be numeric"],
        ),
        (
            "alter table learner alter column user_id drop not null",
            ["column learner.user_id is text; it should be text not null"],
        ),
        (
            "alter table item_param alter column version drop default",
            ["column item_param.version is integer not null; it should be integer not null default 1"],
        ),
        ("alter table learner add column name text", ["column learner.name is in no migration"]),
        (
            "alter table run drop constraint a_closed_run_has_an_end",
            ["constraint run.a_closed_run_has_an_end is missing"],
        ),
        ("drop index answer_by_time", ["index answer_by_time is missing"]),
        ("create index mine on answer (topic_no)", ["index mine is in no migration"]),
        ("drop view mirt_ability", ["view mirt_ability is missing"]),
        ("drop function theta_on", ["function theta_on(learner integer, topic integer, day date) is missing"]),
        ("drop trigger exam_results_deleted on exam_results", ["trigger exam_results.exam_results_deleted is missing"]),
        (
            "alter table service_job_body alter column data set storage extended",
            ["column service_job_body.data is bytea not null; it should be bytea not null storage e"],
        ),
        ("alter table answer set unlogged", ["table answer is unlogged; it should be logged"]),
        ("grant select on answer to public", ["grant select on answer to everybody is in no migration"]),
        ("revoke delete on answer from current_user", ["grant delete on answer to its owner is missing"]),
    ],
)
def test_each_change_is_named(database: str, statement: str, said: list[str]) -> None:
    change(database, statement)
    assert found(database) == said


def test_a_disabled_trigger_and_a_changed_view_and_function_are_shown_by_what_differs(database: str) -> None:
    change(database, "alter table exam_results disable trigger exam_results_updated")
    change(database, "create or replace view mirt_fit_meta as " + rewritten(database, "'mirt_calibrate'", "'other'"))
    change(
        database,
        "create or replace function json_boolean(value jsonb) returns boolean language sql immutable as 'select true'",
    )
    function, trigger, view = found(database)
    assert function.startswith("function json_boolean(value jsonb) differs")
    assert "select true" in function
    assert "disabled" in trigger
    assert view.count("\n") == 2
    assert "+  WHERE run.job = 'other'::text" in view


def test_what_an_interrupted_build_or_a_view_s_options_leave_is_shown(database: str) -> None:
    with db.connect(database, autocommit=True) as conn:
        conn.execute("drop index question_by_external_id")
        conn.execute("""insert into question (meta) values ('{"external_id": 1}'), ('{"external_id": 1}')""")
        with pytest.raises(psycopg.errors.UniqueViolation):
            conn.execute(
                "create unique index concurrently question_by_external_id on question ((meta ->> 'external_id'))"
            )
        conn.execute("alter view mirt_ability set (security_invoker = true)")
        conn.execute("alter table learner enable row level security")
    index, table, view = found(database)
    assert ", invalid" in index
    assert table == "table learner is logged, row security; it should be logged"
    assert "{security_invoker=true}" in view


def rewritten(url: str, old: str, new: str) -> str:
    with db.connect(url) as conn:
        (text,) = conn.execute("select pg_get_viewdef('mirt_fit_meta')").fetchone() or ("",)
    return str(text).replace(old, new)


def test_what_belongs_to_others_is_not_looked_at(database: str) -> None:
    change(database, "create table customers (id int); create view rich as select * from customers")
    change(database, "create function mine() returns int language sql as 'select 1'")
    assert found(database) == []


def test_a_database_without_the_schema_is_told_to_migrate(empty_database: str) -> None:
    with pytest.raises(MigrationError, match="has no schema yet; run `thetaline db migrate`"):
        found(empty_database)


def test_every_table_and_view_is_granted_to_the_jobs(database: str) -> None:
    with db.connect(database) as conn:
        relations = conn.execute(
            "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v')"
        ).fetchall()
    jobs = "".join(part for part in GRANTS.read_text().split("('thetaline_")[1:] if part.startswith("jobs"))
    assert [name for (name,) in relations if f"'{name}'" not in jobs] == []
