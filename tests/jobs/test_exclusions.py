import numpy as np

from thetaline.jobs.calibration.exclusions import excluded_items, excluded_users
from thetaline.jobs.calibration.observations import Observations


def observed(rows: list[tuple[str, str, int]]) -> Observations:
    users = sorted({user for user, _, _ in rows})
    items = sorted({item for _, item, _ in rows})
    return Observations(
        user_ids=np.array(users, dtype=object),
        item_ids=np.array(items, dtype=object),
        user=np.array([users.index(user) for user, _, _ in rows], dtype=np.int32),
        item=np.array([items.index(item) for _, item, _ in rows], dtype=np.int32),
        correct=np.array([correct for _, _, correct in rows], dtype=np.uint8),
        responded_at=np.array(["2025-11-01T00:00:00"] * len(rows), dtype="datetime64[us]"),
    )


ANSWERS = {
    "1": [("ann", 1), ("bob", 0), ("cid", 1)],
    "2": [("ann", 1), ("bob", 1), ("cid", 1), ("eve", 1)],
    "3": [("ann", 0), ("bob", 0), ("cid", 0)],
    "4": [("ann", 0), ("dan", 1)],
    "5": [("ann", 1), ("bob", 0), ("cid", 0)],
}
SCHOOL = observed([(user, item, correct) for item, answers in ANSWERS.items() for user, correct in answers])


def test_items_stay_out_for_too_few_answers_and_for_no_difficulty_to_find() -> None:
    out = excluded_items(SCHOOL, min_answers=3)
    assert dict(zip(out.ids, out.reasons, strict=True)) == {
        "2": "nobody answered it wrongly",
        "3": "nobody answered it correctly",
        "4": "fewer than 3 answers",
    }
    assert out.n_answers.tolist() == [4, 3, 2]


def test_learners_are_counted_on_the_items_that_stay() -> None:
    left = SCHOOL.without_items(excluded_items(SCHOOL, min_answers=3).ids)
    assert left.item_ids.tolist() == ["1", "5"]
    assert left.n_answers == 6
    out = excluded_users(left, min_answers=2)
    assert dict(zip(out.ids, out.reasons, strict=True)) == {
        "dan": "no answer on a calibrated item",
        "eve": "no answer on a calibrated item",
    }
    assert out.by_reason() == {"no answer on a calibrated item": 2}
    assert excluded_users(left, min_answers=3).by_reason() == {
        "no answer on a calibrated item": 2,
        "fewer than 3 answers on calibrated items": 3,
    }


def test_the_answers_of_the_items_that_stay_are_the_same_answers() -> None:
    left = SCHOOL.without_items(np.array(["2", "3", "4"], dtype=object))
    told = list(zip(left.user_ids[left.user], left.item_ids[left.item], left.correct, strict=True))
    expected = [("ann", "1", 1), ("bob", "1", 0), ("cid", "1", 1)]
    assert told == [*expected, ("ann", "5", 1), ("bob", "5", 0), ("cid", "5", 0)]


def test_parts_that_no_answer_ties_together_are_counted() -> None:
    assert SCHOOL.connected_parts() == 1
    apart = observed([("ann", "1", 1), ("bob", "1", 0), ("cid", "2", 1), ("dan", "2", 0)])
    assert apart.connected_parts() == 2
    assert apart.without_items(np.array(["2"], dtype=object)).connected_parts() == 1


def test_everyone_who_stays_out_is_listed() -> None:
    out = excluded_items(SCHOOL, min_answers=3)
    assert out.listed()[0] == {"id": "2", "reason": "nobody answered it wrongly", "n_answers": 4}
    assert out.ids_by_reason()["fewer than 3 answers"] == ["4"]
    assert sum(out.by_reason().values()) == len(out.listed()) == 3
