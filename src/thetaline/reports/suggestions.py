"""What to practise next, and questions of the bank that a learner now gets right: chosen, with the reason for each.

Items are aimed at an expected success of 0.7: a 2PL item still tells 4 · 0.7 · 0.3 = 84 % of what it can tell of θ, and
learners who mostly succeed go on (Eggen & Verschoor 2006 choose easier items at the same price).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thetaline.reports.value import ExampleItem, ItemReason, SuggestedItem, SuggestedTopic, TopicVerdict

TARGET = 0.7
BAND = (0.55, 0.85)
ALIKE = 0.5  # difficulty within which an item is like a missed one
LITTLE = 5  # answers to a topic within the window
LEAST_MISSES = 2  # before a topic is suggested for them
MOST_ITEMS, MOST_A_TOPIC = 5, 2
MOST_TOPICS = 3
EXAMPLE_TARGET = 0.8
EXAMPLE_BAND = (0.75, 0.85)
MOST_EXAMPLES = 3
DECIMALS = 9  # of a chance, beyond which equal items differ by rounding
Places = NDArray[np.int64]
MOST_SE = 0.5  # of θ, beyond which no example is given
ORDER = (ItemReason.WEAKER_TOPIC, ItemReason.MISSED_BEFORE, ItemReason.LITTLE_PRACTISED, ItemReason.RIGHT_DIFFICULTY)


@dataclass(frozen=True, slots=True, eq=False)
class Bank:
    """I items that may be suggested to somebody; `topic` indexes `topics`, −1 is none."""

    codes: Sequence[str]
    content: Sequence[str | None]
    topic: NDArray[np.int64]
    topics: Sequence[str]
    difficulty: NDArray[np.float64]
    usable: NDArray[np.bool_]  # neither retired nor under an open alert

    def topic_id(self, item: int) -> str | None:
        """The id of an item's topic."""
        return self.topics[self.topic[item]] if self.topic[item] >= 0 else None


@dataclass(frozen=True, slots=True, eq=False)
class Practice:
    """What a learner did within the window: items are places in the bank, topics are ids."""

    expected: NDArray[np.float64]  # (I,) success
    seen: NDArray[np.int64]  # answered within the last 14 days
    missed: NDArray[np.int64]  # last answer wrong
    answers: Counter[str]  # by topic
    verdicts: Mapping[str, TopicVerdict]


def next_items(bank: Bank, practice: Practice) -> tuple[SuggestedItem, ...]:
    """At most 5, and 2 a topic: by reason, then by how near the expected success is to 0.7."""
    places = np.flatnonzero(_open_to(bank, practice) & _within(practice.expected, BAND))
    reason = _reasons(bank, practice, places)
    distance = np.abs(practice.expected[places] - TARGET).round(DECIMALS)
    order = np.lexsort((places, distance, reason))
    rows = _varied(order, bank.topic[places])
    return tuple(_suggested(bank, practice, int(places[row]), ORDER[reason[row]]) for row in rows)


def next_topics(practice: Practice, misses: Counter[str]) -> tuple[SuggestedTopic, ...]:
    """At most 3: weaker ones, then those with most items missed and not right since, then little practised ones."""
    missed = sorted((topic for topic, n in misses.items() if n >= LEAST_MISSES), key=lambda one: (-misses[one], one))
    weaker = sorted(topic for topic, verdict in practice.verdicts.items() if verdict is TopicVerdict.WEAKER)
    little = sorted(topic for topic, n in practice.answers.items() if n < LITTLE)
    reasons: dict[str, ItemReason] = {}
    for topics, reason in (
        (weaker, ItemReason.WEAKER_TOPIC),
        (missed, ItemReason.MISSED_BEFORE),
        (little, ItemReason.LITTLE_PRACTISED),
    ):
        for topic in topics:
            reasons.setdefault(topic, reason)
    return tuple(SuggestedTopic(topic, reason) for topic, reason in list(reasons.items())[:MOST_TOPICS])


def examples(bank: Bank, practice: Practice, suggested: Iterable[str], se: float) -> tuple[ExampleItem, ...]:
    """At most 3 with text, of different topics where there are, nearest to an expected success of 0.8.

    None where θ is known worse than ± 1: the questions would be others next week.
    """
    if se > MOST_SE:
        return ()
    shown = set(suggested)
    near = np.flatnonzero(bank.usable & _familiar(bank, practice) & _within(practice.expected, EXAMPLE_BAND))
    fit = [item for item in near.tolist() if bank.content[item] and bank.codes[item] not in shown]
    distance = np.abs(practice.expected - EXAMPLE_TARGET).round(DECIMALS)
    fit.sort(key=lambda item: (distance[item], item))
    best_of_topic = {bank.topic_id(item): item for item in reversed(fit)}.values()
    chosen = sorted(fit, key=lambda item: item not in best_of_topic)[:MOST_EXAMPLES]
    return tuple(
        ExampleItem(bank.codes[item], bank.topic_id(item), bank.content[item], float(practice.expected[item]))
        for item in chosen
    )


def _open_to(bank: Bank, practice: Practice) -> NDArray[np.bool_]:
    may = bank.usable & _familiar(bank, practice)
    may[practice.seen] = False
    return may


def _familiar(bank: Bank, practice: Practice) -> NDArray[np.bool_]:
    """Items of topics that the learner has practised, or of none: nothing says whether another has been taught yet.

    All items, where the learner has practised nothing.
    """
    if not practice.answers:
        return np.ones(bank.topic.size, bool)
    return (bank.topic < 0) | _of_topic([topic in practice.answers for topic in bank.topics], bank.topic)


def _within(expected: NDArray[np.float64], band: tuple[float, float]) -> NDArray[np.bool_]:
    return (expected >= band[0]) & (expected <= band[1])


def _reasons(bank: Bank, practice: Practice, places: Places) -> Places:
    """(J,) index into `ORDER` of the first reason that holds for each place."""
    topic, difficulty, missed = bank.topic[places], bank.difficulty[places], practice.missed
    weaker = [practice.verdicts.get(one) is TopicVerdict.WEAKER for one in bank.topics]
    little = [0 < practice.answers[one] < LITTLE for one in bank.topics]
    same = topic[:, None] == bank.topic[missed]
    alike = np.abs(difficulty[:, None] - bank.difficulty[missed]) <= ALIKE
    named = topic >= 0
    holds = [named & _of_topic(weaker, topic), named & (same & alike).any(axis=1), named & _of_topic(little, topic)]
    return np.asarray(np.select(holds, list(range(len(holds))), default=len(holds)), np.int64)


def _of_topic(values: Sequence[bool], topic: Places) -> NDArray[np.bool_]:
    return np.append(np.array(values, bool), False)[topic]  # −1, no topic, is the last


def _varied(order: Places, topic: Places) -> list[int]:
    chosen: list[int] = []
    of_topic: Counter[int] = Counter()
    for row in order.tolist():
        if len(chosen) == MOST_ITEMS:
            break
        of_topic[topic[row]] += 1
        if topic[row] < 0 or of_topic[topic[row]] <= MOST_A_TOPIC:
            chosen.append(row)
    return chosen


def _suggested(bank: Bank, practice: Practice, item: int, reason: ItemReason) -> SuggestedItem:
    expected = float(practice.expected[item])
    return SuggestedItem(bank.codes[item], bank.topic_id(item), bank.content[item], expected, reason)
