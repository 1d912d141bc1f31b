"""`tag`: which items become anchors, what is frozen of them, and what a person's hand on them means."""

from datetime import UTC, date, datetime

import numpy as np
import psycopg
import pytest
from psycopg.types.json import Jsonb
from school import rows, set_anchors
from sixty_items import ITEM_IDS, N_ITEMS, B, Tag, anchors, publish_items

from thetaline import db
from thetaline.cli import drift
from thetaline.db.ledger import RunState, open_run
from thetaline.jobs.anchors import tagging
from thetaline.jobs.command_line import run_app


def test_anchors_are_tagged_over_the_whole_range_with_their_published_parameters_frozen(
    answered: str, tag: Tag
) -> None:
    run_id = publish_items(answered, 1)
    ended = tag("--count", "20")
    assert (ended.code, ended.summary["n_anchors"]) == (0, 20)
    tagged = anchors(answered)
    assert rows(answered, "select run_id, state from run where job = 'tag_anchor_items'") == [
        (ended.summary["run_id"], "done")
    ]
    assert sorted(tagged) == sorted(ended.summary["tagged"])
    difficulties = sorted(float(str(irt["b"])) for irt in tagged.values())
    assert [
        sum(low <= b < high for b in difficulties) for low, high in [(-3, -1.25), (-1.25, 0), (0, 1.25), (1.25, 3)]
    ] == [5] * 4
    one = ended.summary["tagged"][0]
    assert tagged[one] == {
        "a": 1.0, "b": pytest.approx(B[int(one) - 1]), "model": "2PL", "version": 1, "run_id": run_id,
    }  # fmt: skip


def test_the_acceptance_query_counts_the_anchors(answered: str, tag: Tag) -> None:
    publish_items(answered, 1)
    tag("--count", "20")
    query = """SELECT COUNT(*) AS anchor_count, AVG((meta->'irt'->>'a')::float) AS avg_anchor_discrimination,
               AVG((meta->'irt'->>'b')::float) AS avg_anchor_difficulty
               FROM question WHERE meta->'tags' @> '["anchor"]'::jsonb"""
    assert rows(answered, query) == [(20, pytest.approx(1.0), pytest.approx(0.0, abs=0.3))]


def test_tagging_twice_adds_nothing_and_a_later_calibration_never_moves_a_reference(answered: str, tag: Tag) -> None:
    publish_items(answered, 1)
    tag("--count", "20")
    before = anchors(answered)
    publish_items(answered, 2, B + 0.3, a=1.2)
    ended = tag("--count", "20")
    assert (ended.code, ended.summary["tagged"]) == (0, [])
    assert anchors(answered) == before
    assert tag("--count", "30").summary["n_anchors"] == 30
    assert {item_id: anchors(answered)[item_id] for item_id in before} == before


def test_the_freezing_itself_passes_over_what_is_frozen(answered: str, tag: Tag) -> None:
    publish_items(answered, 1)
    tag("--count", "20")
    before = anchors(answered)
    publish_items(answered, 2, B + 0.3, a=1.2)
    with psycopg.connect(answered) as conn:
        frozen = conn.execute(tagging.SQL["freeze"], {"item_ids": list(before), "now": datetime.now(UTC)})
        assert frozen.rowcount == 0


def test_other_tags_and_meta_stay(answered: str, tag: Tag) -> None:
    publish_items(answered, 1)
    with psycopg.connect(answered) as conn:
        conn.execute(
            "update question set meta = %s", [Jsonb({"tags": ["algebra"], "external_id": None, "source": "x"})]
        )
    tag("--count", "60")
    assert rows(answered, "select distinct meta->'tags', meta->>'source' from question") == [
        (["algebra", "anchor"], "x")
    ]


def test_a_tagged_item_without_reference_is_completed_and_a_malformed_one_is_left_to_a_person(
    answered: str, tag: Tag
) -> None:
    publish_items(answered, 1)
    set_anchors(answered, {"7": None, "8": {"a": "high"}})
    ended = tag("--count", "20")
    assert ended.summary["completed"] == ["7"]
    assert anchors(answered)["7"]["b"] == pytest.approx(B[6])
    assert anchors(answered)["8"] == {"a": "high"}


def retire(url: str, item_id: str, monkeypatch: pytest.MonkeyPatch, *, reason: str) -> None:
    """As a person does it, on an alert of the drift job."""
    now = datetime(2025, 11, 1, 5, tzinfo=UTC)
    with db.connect(url) as conn, open_run(url, "irt_drift", as_of=date(2025, 11, 1), now=now) as run:
        conn.execute(
            "insert into drift_alert (run_id, item_no, is_anchor, severity, statistics)"
            " select %s, item_no, true, 'critical', '{}' from item where item_id = %s",
            (run.run_id, item_id),
        )
    monkeypatch.setenv("DATABASE_URL", url)
    assert run_app(drift.app, ["resolve", item_id, "--retire", "--reason", reason], "thetaline drift") == 0


def test_a_retired_anchor_is_not_chosen_again_and_says_why(
    answered: str, tag: Tag, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = publish_items(answered, 1)
    tag("--count", "60")
    retire(answered, "30", monkeypatch, reason="leaked")
    publish_items(answered, 2, B + 0.3)
    ended = tag("--count", "60")
    assert (ended.summary["tagged"], ended.summary["refused"]) == (
        [],
        {"anchor already": 59, "retired as an anchor": 1},
    )
    ((meta,),) = rows(answered, "select meta from question where id = 30")
    assert meta["tags"] == []
    assert (meta["irt"]["run_id"], meta["irt"]["b"]) == (run_id, pytest.approx(B[29]))
    assert (meta["anchor_retired"]["reason"], meta["anchor_retired"]["reference"]) == ("leaked", meta["irt"])
    assert datetime.fromisoformat(meta["anchor_retired"]["at"]).tzinfo is not None


@pytest.mark.parametrize(
    ("by_hand", "newly_tagged"),
    [('meta || \'{"tags": ["anchor"]}\'', []), ("meta - 'anchor_retired'", ["30"])],
    ids=["its tag set again", "its retirement struck out"],
)
def test_a_person_brings_a_retired_anchor_back(
    answered: str, tag: Tag, monkeypatch: pytest.MonkeyPatch, by_hand: str, newly_tagged: list[str]
) -> None:
    publish_items(answered, 1)
    tag("--count", "60")
    retire(answered, "30", monkeypatch, reason="leaked")
    with psycopg.connect(answered) as conn:
        conn.execute(f"update question set meta = {by_hand} where id = 30")
    ended = tag("--count", "60")
    assert (ended.summary["tagged"], ended.summary["n_anchors"]) == (newly_tagged, 60)


def test_parameters_of_an_untagged_item_are_replaced_and_told(answered: str, tag: Tag) -> None:
    publish_items(answered, 1)
    with psycopg.connect(answered) as conn:
        conn.execute("update question set meta = %s where id = 1", [Jsonb({"irt": {"a": 9, "b": 9}})])
    ended = tag("--count", "60")
    replaced = next(line for line in ended.log if line["event"].startswith("parameters of untagged items replaced"))
    assert replaced["before"] == {"1": {"a": 9, "b": 9}}
    assert anchors(answered)["1"]["b"] == pytest.approx(B[0])


def test_items_that_moved_over_the_last_published_runs_are_no_candidates(answered: str, tag: Tag) -> None:
    publish_items(answered, 1)
    publish_items(answered, 2, np.where(np.arange(N_ITEMS) < 10, B + 0.8, B))
    publish_items(answered, 3, B - 5, state=RunState.HELD)
    ended = tag("--count", "60")
    assert ended.summary["refused"] == {"b moved by more than 0.5 over the last runs": 10}
    assert ended.summary["n_anchors"] == 50
    assert "fewer anchors than asked for" in ended.events


def test_an_item_that_runs_backwards_is_no_anchor(answered: str, tag: Tag) -> None:
    flags = [{"item_id": ITEM_IDS[7], "findings": ["runs backwards"]}, {"item_id": ITEM_IDS[9], "findings": []}]
    publish_items(answered, 1, flagged=flags)
    assert tag("--count", str(N_ITEMS)).code == 0
    tagged = {name for (name,) in rows(answered, "select id::text from question where meta -> 'tags' ? 'anchor'")}
    assert tagged == set(ITEM_IDS) - {ITEM_IDS[7]}


def test_wishes_are_kept(answered: str, tag: Tag) -> None:
    publish_items(answered, 1, a=np.where(np.arange(N_ITEMS) % 2, 0.4, 1.5))
    ended = tag("--count", "60", "--a-max", "1.4")
    assert ended.code == 1
    assert rows(answered, "select state, settings->>'a_max' from run where job = 'tag_anchor_items'") == [
        ("failed", "1.4")
    ]
    assert "no item can become an anchor (a above 1.4: 30, a below 0.5: 30)" in ended.summary["error"]
    assert "fewer than 41 answers: 60" in tag("--min-answers", "41").summary["error"]


def test_an_item_without_a_question_cannot_be_tagged(answered: str, tag: Tag) -> None:
    publish_items(answered, 1)
    with psycopg.connect(answered) as conn:
        conn.execute("delete from question where id <= 20")
    ended = tag("--count", "60")
    assert ended.summary["refused"] == {"no row in question": 20}


def test_nothing_published_is_said(tag: Tag) -> None:
    ended = tag()
    assert (ended.code, ended.summary["error"]) == (1, "nothing is published yet; run `thetaline calibrate` first")


def test_a_dry_run_shows_the_choice_and_writes_nothing(answered: str, tag: Tag) -> None:
    publish_items(answered, 1)
    before = rows(answered, "select * from question order by id"), rows(answered, "select * from run order by 1")
    ended = tag("--count", "20", "--dry-run")
    assert (ended.code, ended.summary["status"], len(ended.summary["tagged"])) == (0, "dry_run", 20)
    assert before == (
        rows(answered, "select * from question order by id"),
        rows(answered, "select * from run order by 1"),
    )


def test_a_count_below_three_is_a_wrong_option(tag: Tag) -> None:
    assert tag("--count", "2").code == 2


def test_anchors_that_the_last_runs_have_not_seen_are_replaced(answered: str, tag: Tag) -> None:
    publish_items(answered, 1)
    first = set(tag("--count", "20").summary["tagged"])
    for day in (2, 3, 4):
        publish_items(answered, day, B[:40])
    ended = tag("--count", "20")
    gone = first - set(ITEM_IDS[:40])
    assert len(gone) == len(ended.summary["tagged"]) > 3
    assert set(ended.summary["tagged"]) <= set(ITEM_IDS[:40])
    assert ended.summary["n_anchors"] == 20
