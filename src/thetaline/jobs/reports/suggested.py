"""What learners of a chunk are told to go on with: the rules of `reports.suggestions` on what is stored."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from thetaline.jobs.abilities.answers import LearnerAnswers
from thetaline.jobs.abilities.item_bank import ItemBank
from thetaline.jobs.arrays import Array, Ints
from thetaline.jobs.reports.answers import ChunkAnswers, by_learner
from thetaline.jobs.reports.items import ItemFacts
from thetaline.jobs.reports.learners import Ability
from thetaline.learning.topics import unseen_topic
from thetaline.reports.suggestions import Practice, examples, next_items, next_topics
from thetaline.reports.value import ExampleItem, SuggestedItem, SuggestedTopic, TopicPractice

BLOCK = 500  # learners whose chances on all items are in memory at a time
NO_ITEMS = np.empty(0, np.int64)
Abilities = Mapping[int, Ability]
Practices = Mapping[int, Sequence[TopicPractice]]


class Suggestions(NamedTuple):
    """Of one learner."""

    topics: tuple[SuggestedTopic, ...]
    items: tuple[SuggestedItem, ...]
    examples: tuple[ExampleItem, ...]


NOTHING = Suggestions((), (), ())


@dataclass(frozen=True, slots=True, eq=False)
class Suggester:
    """The items that are there, and how far an unseen topic may lie from the general level."""

    items: ItemBank
    facts: ItemFacts
    topic_ids: Mapping[int, str]
    topic_sd: float

    def suggestions(self, answers: ChunkAnswers, practices: Practices, abilities: Abilities) -> dict[int, Suggestions]:
        """By learner_no, of all who have a θ."""
        seen, missed = (self._places(part) for part in (answers.of(answers.seen_window), answers.missed()))
        counts, misses = (self._topics(part) for part in (answers.answered_in(answers.month), answers.missed()))
        found = {}
        for number, expected in self._expected(practices, abilities):
            practice = Practice(
                expected=expected,
                seen=seen.get(number, NO_ITEMS),
                missed=missed.get(number, NO_ITEMS),
                answers=counts.get(number, Counter()),
                verdicts={one.topic_id: one.verdict for one in practices.get(number, ())},
            )
            items = next_items(self.facts.bank, practice)
            topics = next_topics(practice, misses.get(number, Counter()))
            shown = examples(self.facts.bank, practice, [one.item for one in items], abilities[number].theta.se)
            found[number] = Suggestions(topics, items, shown)
        return found

    def _places(self, answers: LearnerAnswers) -> dict[int, Ints]:
        """By learner_no the places of the published items among the answers."""
        place = self.items.position(answers.attempts.item).astype(np.int64)
        return {number: np.unique(place[rows][place[rows] >= 0]) for number, rows in by_learner(answers).items()}

    def _topics(self, answers: LearnerAnswers) -> dict[int, Counter[str]]:
        """By learner_no how many answers are on each topic, in the order of the topics' ids."""
        names = self.topic_ids
        of_each = {number: answers.topic_no[rows].tolist() for number, rows in by_learner(answers).items()}
        return {number: Counter(sorted(names[one] for one in topics if one)) for number, topics in of_each.items()}

    def _expected(self, practices: Practices, abilities: Abilities) -> Iterator[tuple[int, Array]]:
        """Each learner with the (I,) chances on all items: of a topic's items by the θ in that topic."""
        numbers, topic = list(abilities), self.facts.bank.topic
        columns = [(one, np.flatnonzero(topic == one)) for one in np.unique(topic).tolist()]
        for start in range(0, len(numbers), BLOCK):
            block = numbers[start : start + BLOCK]
            theta, se = self._by_topic(block, practices, abilities)
            expected = np.empty((len(block), topic.size))
            for one, items in columns:
                expected[:, items] = self.facts.success.of_items(theta[:, one], se[:, one], items)
            yield from zip(block, expected, strict=True)

    def _by_topic(self, block: Sequence[int], practices: Practices, abilities: Abilities) -> tuple[Array, Array]:
        """(B, T + 1) θ and its error in each topic of the bank, and in general in the last column."""
        place = {topic: number for number, topic in enumerate(self.facts.bank.topics)}
        known = [abilities[number].theta for number in block]
        general, se_general = np.array([(one.value, one.se) for one in known]).T
        unseen, se_unseen = unseen_topic(general, se_general, self.topic_sd)
        theta, se = (np.repeat(column[:, None], len(place) + 1, axis=1) for column in (unseen, se_unseen))
        se[:, -1] = se_general
        for row, number in enumerate(block):
            for one in practices.get(number, ()):
                if one.theta is not None and one.topic_id in place:
                    theta[row, place[one.topic_id]], se[row, place[one.topic_id]] = one.theta.value, one.theta.se
        return theta, se
