"""`tag verify`: anchors that moved, that are malformed, too few or not everywhere."""

import numpy as np
import psycopg
from school import set_anchors
from sixty_items import ITEM_IDS, B, Tag, anchors, publish_items


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
