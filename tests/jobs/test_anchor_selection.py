from dataclasses import replace

import numpy as np
import pytest

from thetaline.jobs.anchors.selection import AnchorCriteria, PublishedItems, n_strata, rejection_reasons, select, strata

CRITERIA = AnchorCriteria(count=50, min_answers=30, a_min=0.5, a_max=3.0, max_move=0.5)


def bank_of(n: int, seed: int = 7) -> PublishedItems:
    rng = np.random.default_rng(seed)
    return PublishedItems(
        item_ids=np.array([str(i) for i in range(n)], dtype=object),
        a=rng.uniform(0.6, 2.0, n),
        b=rng.normal(0, 1, n),
        se_b=rng.uniform(0.05, 0.3, n),
        n_answers=rng.integers(40, 400, n),
        move=rng.uniform(0, 0.3, n),
        anchored=np.zeros(n, dtype=bool),
        has_question=np.ones(n, dtype=bool),
        retired=np.zeros(n, dtype=bool),
        unseen=np.zeros(n, dtype=bool),
        reversed=np.zeros(n, dtype=bool),
    )


def test_strata_hold_equal_numbers_from_easy_to_hard() -> None:
    b = np.random.default_rng(1).normal(size=103)
    stratum = strata(b, 10)
    assert set(np.bincount(stratum)) == {10, 11}
    assert np.all(np.diff(stratum[np.argsort(b)]) >= 0)


def test_ties_in_difficulty_still_fill_every_stratum() -> None:
    assert np.bincount(strata(np.zeros(12), 4)).tolist() == [3, 3, 3, 3]


@pytest.mark.parametrize(
    ("count", "items", "expected"), [(50, 150, 10), (20, 150, 4), (3, 150, 3), (50, 2, 2), (50, 0, 1)]
)
def test_the_number_of_strata_follows_the_count(count: int, items: int, expected: int) -> None:
    assert n_strata(count, items) == expected


def test_anchors_cover_every_stratum_alike_and_come_easiest_first() -> None:
    bank = bank_of(200)
    chosen = select(bank, CRITERIA)
    assert chosen.size == 50
    assert np.bincount(strata(bank.b, 10)[chosen], minlength=10).tolist() == [5] * 10
    assert np.all(np.diff(bank.b[chosen]) >= 0)


def test_much_answered_items_of_the_middle_do_not_crowd_out_the_ends() -> None:
    bank = bank_of(200)
    bank = replace(bank, n_answers=(400 / (1 + np.abs(bank.b))).astype(np.int64))
    chosen = select(bank, CRITERIA)
    hardest = np.argsort(bank.b)[-20:]
    assert np.isin(chosen, hardest).sum() == 5


def test_within_a_stratum_the_steadiest_items_are_taken() -> None:
    bank = bank_of(200)
    stratum = strata(bank.b, 10)
    instability = 5 / bank.n_answers + bank.move**2
    chosen = set(select(bank, CRITERIA))
    for one in range(10):
        members = np.flatnonzero(stratum == one)
        assert set(members[np.argsort(instability[members])][:5]) <= chosen


def test_present_anchors_count_and_are_not_chosen_again() -> None:
    bank = bank_of(200)
    first = select(bank, CRITERIA)
    kept = first[::2]
    topped_up = select(replace(bank, anchored=np.isin(np.arange(200), kept)), CRITERIA)
    assert sorted([*kept, *topped_up]) == sorted(first)


def test_enough_anchors_are_enough() -> None:
    bank = bank_of(200)
    assert select(replace(bank, anchored=np.arange(200) < 60), CRITERIA).size == 0


def test_a_stratum_without_candidates_leaves_its_share_to_the_others() -> None:
    bank = bank_of(200)
    stratum = strata(bank.b, 10)
    chosen = select(replace(bank, n_answers=np.where(stratum == 0, 5, 100)), CRITERIA)
    counts = np.bincount(stratum[chosen], minlength=10)
    assert chosen.size == 50
    assert counts[0] == 0
    assert set(counts[1:]) <= {5, 6}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"anchored": np.array([True])}, "anchor already"),
        ({"has_question": np.array([False])}, "no row in question"),
        ({"retired": np.array([True])}, "retired as an anchor"),
        ({"anchored": np.array([True]), "retired": np.array([True])}, "anchor already"),
        ({"n_answers": np.array([29])}, "fewer than 30 answers"),
        ({"a": np.array([0.49])}, "a below 0.5"),
        ({"a": np.array([np.nan])}, "a below 0.5"),
        ({"a": np.array([3.1])}, "a above 3"),
        ({"move": np.array([0.51])}, "b moved by more than 0.5 over the last runs"),
        ({"move": np.array([np.nan])}, ""),
        ({"n_answers": np.array([30]), "a": np.array([0.5])}, ""),
    ],
)
def test_each_wish_refuses_with_its_reason(change: dict[str, object], reason: str) -> None:
    assert rejection_reasons(replace(bank_of(1), **change), CRITERIA).tolist() == [reason]


def test_refused_items_are_never_chosen() -> None:
    bank = bank_of(60)
    bank = replace(bank, a=np.where(np.arange(60) < 40, 0.1, bank.a))
    assert sorted(select(bank, CRITERIA)) == list(range(40, 60))


def test_nothing_published_is_nothing_to_choose() -> None:
    assert select(bank_of(0), CRITERIA).size == 0


def test_among_items_that_stood_still_the_most_answered_are_taken_whatever_their_slope() -> None:
    bank = replace(bank_of(200), move=np.full(200, np.nan))
    flat = select(replace(bank, a=np.full(200, 0.6)), CRITERIA)
    assert list(select(bank, CRITERIA)) == list(flat)
    assert np.median(bank.n_answers[flat]) > np.median(bank.n_answers)


def test_an_anchor_that_no_run_sees_any_more_is_replaced_and_no_candidate() -> None:
    bank = bank_of(200)
    first = select(bank, CRITERIA)
    tagged = np.isin(np.arange(200), first)
    gone = first[::5]
    withdrawn = replace(bank, anchored=tagged, unseen=np.isin(np.arange(200), gone))
    assert select(replace(bank, anchored=tagged), CRITERIA).size == 0
    chosen = select(withdrawn, CRITERIA)
    assert chosen.size == gone.size
    assert not set(chosen) & set(gone)
    never = replace(bank, unseen=np.ones(200, dtype=bool))
    assert set(rejection_reasons(never, CRITERIA)) == {"not in the last published runs"}
