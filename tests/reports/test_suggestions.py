"""Which items, topics and examples a learner is shown, and why."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from thetaline import irt
from thetaline.reports.success import SuccessTable
from thetaline.reports.suggestions import Bank, Practice, examples, next_items, next_topics
from thetaline.reports.value import ExampleItem, ItemReason, SuggestedItem, SuggestedTopic, TopicVerdict

TOPICS = ("algebra", "geometry", "logic")
N = 30


def bank() -> Bank:
    return Bank(
        codes=[f"Q{item}" for item in range(N)],
        content=[f"Question {item}" for item in range(N)],
        topic=np.arange(N) % 3,
        topics=TOPICS,
        difficulty=np.linspace(-3, 3, N),
        usable=np.ones(N, bool),
    )


def practice(expected: float = 0.7) -> Practice:
    nothing = np.empty(0, np.int64)
    return Practice(np.full(N, expected), nothing, nothing, Counter(dict.fromkeys(TOPICS, 20)), {})


def codes(found: tuple[SuggestedItem, ...] | tuple[ExampleItem, ...]) -> list[str]:
    return [one.item for one in found]


def test_the_nearest_to_seven_tenths_come_first_and_two_of_a_topic_at_most() -> None:
    expected = np.linspace(0.70, 0.84, N)
    found = next_items(bank(), replace(practice(), expected=expected))
    assert codes(found) == ["Q0", "Q1", "Q2", "Q3", "Q4"]
    all_algebra = replace(bank(), topic=np.zeros(N, np.int64))
    assert codes(next_items(all_algebra, replace(practice(), expected=expected))) == ["Q0", "Q1"]
    without_topics = replace(bank(), topic=np.full(N, -1))
    assert len(next_items(without_topics, replace(practice(), expected=expected))) == 5


@pytest.mark.parametrize("expected", [0.54, 0.86])
def test_items_that_are_too_hard_or_too_easy_are_not_suggested(expected: float) -> None:
    assert next_items(bank(), practice(expected)) == ()


def test_items_seen_or_out_of_use_are_not_suggested() -> None:
    usable = np.ones(N, bool)
    usable[:10] = False
    found = next_items(replace(bank(), usable=usable), replace(practice(), seen=np.arange(10, 20)))
    assert codes(found) == ["Q20", "Q21", "Q22", "Q23", "Q24"]


def test_topics_that_were_never_practised_may_not_have_been_taught() -> None:
    found = next_items(bank(), replace(practice(), answers=Counter(algebra=9)))
    assert {one.topic_id for one in found} == {"algebra"}
    assert len({one.topic_id for one in next_items(bank(), replace(practice(), answers=Counter()))}) == 3


def test_reasons_come_in_their_rank() -> None:
    learner = replace(practice(), missed=np.array([13]), answers=Counter(algebra=20, geometry=20, logic=2))
    assert [(one.item, one.reason) for one in next_items(bank(), learner)] == [
        ("Q13", ItemReason.MISSED_BEFORE),
        ("Q2", ItemReason.LITTLE_PRACTISED),
        ("Q5", ItemReason.LITTLE_PRACTISED),
        ("Q0", ItemReason.RIGHT_DIFFICULTY),
        ("Q1", ItemReason.RIGHT_DIFFICULTY),
    ]
    weak = replace(learner, verdicts={"logic": TopicVerdict.WEAKER})
    assert [one.reason for one in next_items(bank(), weak)][:3] == [
        ItemReason.WEAKER_TOPIC,
        ItemReason.WEAKER_TOPIC,
        ItemReason.MISSED_BEFORE,
    ]


def test_an_item_like_a_missed_one_is_of_its_topic_and_of_its_difficulty() -> None:
    learner = replace(practice(), missed=np.array([13]))  # geometry, difficulty −0.31
    found = next_items(bank(), learner)
    missed = [one for one in found if one.reason is ItemReason.MISSED_BEFORE]
    assert codes(tuple(missed)) == ["Q13"]
    assert all(one.topic_id == "geometry" for one in missed)


def test_topics_come_by_reason_and_once_each() -> None:
    learner = replace(
        practice(),
        answers=Counter(algebra=20, geometry=20, logic=2, sets=30),
        verdicts={"geometry": TopicVerdict.WEAKER, "algebra": TopicVerdict.STRONGER},
    )
    assert next_topics(learner, Counter(geometry=9, algebra=2, sets=3, logic=1)) == (
        SuggestedTopic("geometry", ItemReason.WEAKER_TOPIC),
        SuggestedTopic("sets", ItemReason.MISSED_BEFORE),
        SuggestedTopic("algebra", ItemReason.MISSED_BEFORE),
    )
    assert next_topics(learner, Counter())[1] == SuggestedTopic("logic", ItemReason.LITTLE_PRACTISED)


def test_examples_have_text_are_near_eight_tenths_and_of_different_topics() -> None:
    expected = np.linspace(0.75, 0.85, N)
    expected[15] = 0.8
    found = examples(bank(), replace(practice(), expected=expected), [], 0.3)
    assert found[0].item == "Q15"
    assert {one.topic_id for one in found} == set(TOPICS)
    assert all(abs(one.expected - 0.8) < 0.01 for one in found)
    silent = replace(bank(), content=[None] * N)
    assert examples(silent, replace(practice(), expected=expected), [], 0.3) == ()
    assert "Q15" not in codes(examples(bank(), replace(practice(), expected=expected), ["Q15"], 0.3))


def test_where_theta_is_hardly_known_there_are_no_examples() -> None:
    assert examples(bank(), practice(0.8), [], 0.5)
    assert examples(bank(), practice(0.8), [], 0.51) == ()


@pytest.mark.parametrize(("theta", "se"), [(0.0, 0.9), (1.3, 0.3), (-2.0, 0.05), (0.5, 1e-6)])
def test_expected_success_is_the_mean_over_what_is_known_of_theta(theta: float, se: float) -> None:
    items = irt.Items(ids=range(3), model="3PL", a=[0.8, 1.5, 2.5], b=[-1.0, 0.3, 1.2], c=[0.0, 0.2, 0.1])
    draws = theta + se * np.random.default_rng(1).normal(size=100_000)
    table = SuccessTable.of(items)
    expected = items.expected_score(draws).mean(axis=1)
    found = table.of_items(np.array([theta]), np.array([se]), np.arange(3))[0]
    np.testing.assert_allclose(found, expected, atol=0.004)
    np.testing.assert_allclose(table.of_each(np.full(3, theta), np.full(3, se), np.arange(3)), found)
