from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
import psycopg
import pytest
from numpy.typing import ArrayLike
from psycopg.types.json import Jsonb
from school import Ended, rows, runner, set_anchors, sheet, write

from thetaline import db
from thetaline.cli import drift
from thetaline.db.ledger import RunState, open_run
from thetaline.jobs.anchors import tagging
from thetaline.jobs.calibration.engine import AbilityEstimates, ItemEstimates
from thetaline.jobs.calibration.publication import CalibrationRecord, store
from thetaline.jobs.command_line import run_app

Tag = Callable[..., Ended]
N_ITEMS = 60
ITEM_IDS = [str(i) for i in range(1, N_ITEMS + 1)]
B = np.linspace(-2.5, 2.5, N_ITEMS)
NOTHING = np.array([], dtype=object)
NOBODY = AbilityEstimates(user_ids=NOTHING, theta=NOTHING.astype(float), se=NOTHING.astype(float))


def publish_items(
    url: str,
    day: int,
    b: ArrayLike = B,
    *,
    a: ArrayLike = 1.0,
    state: RunState = RunState.PUBLISHED,
    flagged: Sequence[Mapping[str, object]] = (),
) -> str:
    """A stored calibration with these parameters and nobody's ability."""
    as_of, now = date(2025, 11, day), datetime(2025, 11, day, 4, tzinfo=UTC)
    b = np.asarray(b, dtype=float)
    with db.connect(url) as conn, open_run(url, "mirt_calibrate", as_of=as_of, now=now) as run:
        number = dict(conn.execute("select item_id, item_no from item").fetchall())
        conn.rollback()
        items = ItemEstimates(
            item_ids=np.array(ITEM_IDS[: b.size], dtype=object),
            parameters={"a": np.broadcast_to(np.asarray(a, dtype=float), b.shape), "b": b},
            se={"a": np.full(b.size, 0.1), "b": np.full(b.size, 0.1)},
        )
        calibration = CalibrationRecord(
            run_id=run.run_id, as_of=as_of, fitted_at=now, model="2PL", model_spec={},
            metrics={"flagged_items": list(flagged)}, items=items,
            item_no=np.array([number[item_id] for item_id in items.item_ids], dtype=np.int32),
            abilities=NOBODY, learner_no=NOTHING.astype(np.int32), n_answers=NOTHING.astype(np.int64), checks=(),
        )  # fmt: skip
        store(conn, calibration, state, summary={})
    return run.run_id


@pytest.fixture
def answered(database: str) -> str:
    """Sixty items with forty answers each."""
    start = datetime(2025, 10, 10, tzinfo=UTC)
    write(
        database,
        [(f"u{n}", start + timedelta(days=n % 7), sheet([(i, n % 2 == 0) for i in ITEM_IDS])) for n in range(40)],
    )
    return database


@pytest.fixture
def tag(answered: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tag:
    return runner(tagging.main, answered, monkeypatch, capsys)


def anchors(url: str) -> dict[str, dict[str, object]]:
    return dict(
        rows(url, "select id::text, meta->'irt' from question where meta->'tags' @> '[\"anchor\"]' order by id")
    )


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


def test_verify_is_content_with_anchors_that_stay_where_they_are(answered: str, tag: Tag) -> None:
    publish_items(answered, 1)
    tag("--count", "20")
    publish_items(answered, 2, B + 0.2)
    ended = tag("verify")
    assert (ended.code, ended.summary["n_anchors"], ended.summary["n_needed"]) == (0, 20, 12)


def test_verify_without_a_single_anchor_says_what_to_run(answered: str, tag: Tag) -> None:
    publish_items(answered, 1)
    ended = tag("verify")
    assert (ended.code, ended.summary["error"]) == (1, "no item is tagged as an anchor; run `thetaline tag` first")


def test_verify_names_what_moved_and_what_is_missing(answered: str, tag: Tag) -> None:
    publish_items(answered, 1)
    tag("--count", "20")
    one = min(anchors(answered), key=int)
    publish_items(answered, 2, np.where(np.array(ITEM_IDS) == one, B + 0.7, B))
    set_anchors(answered, {"30": None})
    ended = tag("verify")
    assert ended.code == 1
    old = B[int(one) - 1]
    assert f"{one}: b moved from {old:.3f} to {old + 0.7:.3f}" in ended.stderr
    assert "30: no meta.irt" in ended.stderr
    assert "2 faults in 21 anchors" in ended.summary["error"]
    assert tag("verify", "--max-move", "0.71").summary["error"] == "1 faults in 21 anchors"


def test_verify_wants_enough_anchors_in_every_stratum(answered: str, tag: Tag) -> None:
    publish_items(answered, 1)
    tag("--count", "9")
    with psycopg.connect(answered) as conn:
        conn.execute("update question set meta = '{}' where id <= 20")
    ended = tag("verify")
    assert ended.code == 1
    assert "6 usable anchors, 12 needed" in ended.stderr
    assert "no anchor among the items with b from -2.50 to -0.89" in ended.stderr
    assert tag("verify", "--at-least", "6").summary["error"] == "1 faults in 6 anchors"


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
