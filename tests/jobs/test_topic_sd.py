"""The spread of topics belongs to a calibration: estimated by its first snapshot, kept by the later ones."""

from datetime import timedelta

import pytest
from learners import NOW, TODAY, Connection, publish_items
from thetas import snapshot, taught

from thetaline.jobs.abilities.estimates import topic_sd_or_default
from thetaline.jobs.abilities.item_bank import load_item_bank
from thetaline.learning.topics import DEFAULT_SD


@pytest.fixture(autouse=True)
def school(conn: Connection) -> dict[int, dict[str, float]]:
    """Too few learners to estimate a spread: what is found is the default, or what an earlier snapshot has left."""
    return taught(conn)


def leave(conn: Connection, run_id: object, topic_sd: float, *, state: str = "published") -> None:
    """As if that snapshot had found this spread."""
    summary = "jsonb_set(summary, '{topic_sd}', to_jsonb(cast(%s as float8)))"
    conn.execute(f"update run set summary = {summary}, state = %s where run_id = %s", (topic_sd, state, run_id))
    conn.commit()


def test_later_snapshots_keep_the_spread_of_the_first_under_the_same_items(conn: Connection, database: str) -> None:
    first = snapshot(conn, database)
    assert first["topic_sd"] == DEFAULT_SD
    leave(conn, first["run_id"], 0.77)
    second = snapshot(conn, database, now=NOW + timedelta(hours=1))
    leave(conn, second["run_id"], 0.99)
    assert (second["topic_sd"], snapshot(conn, database)["topic_sd"]) == (0.77, 0.77)


def test_a_snapshot_that_was_taken_back_leaves_no_spread(conn: Connection, database: str) -> None:
    leave(conn, snapshot(conn, database)["run_id"], 0.77, state="retracted")
    assert snapshot(conn, database)["topic_sd"] == DEFAULT_SD


def test_a_new_calibration_has_a_spread_of_its_own_and_until_then_that_of_the_newest_day(
    conn: Connection, database: str, school: dict[int, dict[str, float]]
) -> None:
    leave(conn, snapshot(conn, database)["run_id"], 0.77)
    leave(conn, snapshot(conn, database, as_of=TODAY - timedelta(days=1))["run_id"], 0.55)  # a rerun of an older day
    publish_items(conn, school, run_id="fit-new")
    bank = load_item_bank(conn, TODAY)
    assert bank.run_id == "fit-new"
    assert topic_sd_or_default(conn, bank) == 0.77
    assert snapshot(conn, database)["topic_sd"] == DEFAULT_SD
