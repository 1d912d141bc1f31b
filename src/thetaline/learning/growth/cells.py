"""Answers gathered in cells, one a learner × week × topic: within a cell θ is the same."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from thetaline.irt.items import Items
from thetaline.learning._types import Array, Index
from thetaline.learning.attempts import pair_key
from thetaline.learning.growth.answers import GrowthAnswers

BLOCK_LEARNERS = 256


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """C cells of a block of B learners, on the weeks (W,) and on at most T topics a learner.

    Place 0 among the topics is that of answers without a topic; a learner's topics follow in the order of their codes.
    """

    learner: Index  # (B,) rows of the cohort
    place: Index  # (C,) cell's place in a (B, W, T) table
    shape: tuple[int, int, int]
    answered: sparse.csr_array  # (C, sum of K) how often each category of each item was answered
    information: float  # most that a learner's answers can tell of θ
    topic_information: float  # the same on one topic; infinite where an answer has none

    @property
    def of_learner(self) -> Index:
        """(C,) row of the block."""
        return self.place // (self.shape[1] * self.shape[2])


def blocks(answers: GrowthAnswers, weeks: Index, *, size: int = BLOCK_LEARNERS) -> Iterator[Cells]:
    """Blocks of learners with answers, those with alike numbers of topics together; `answers` are by learner."""
    ends = np.concatenate([[0], np.cumsum(np.bincount(answers.learner, minlength=answers.n_learners))])
    who = np.flatnonzero(np.diff(ends))
    n_topics = _topics_each(answers)[who]
    who = who[np.argsort(n_topics, kind="stable")]
    bound = curvature_bound(answers.bank)
    for start in range(0, who.size, size):
        yield _cells(answers, np.sort(who[start : start + size]), ends, weeks, bound)


def curvature_bound(bank: Items) -> Array:
    """(I,) most that an answer to each item can tell of θ."""
    bound = np.empty(len(bank))
    for batch in bank.batches():
        bound[batch.index] = batch.curvature_bound
    return bound


def _topics_each(answers: GrowthAnswers) -> Index:
    pairs = np.unique(pair_key(answers.learner, answers.topic))
    return np.bincount(pairs >> 32, minlength=answers.n_learners)


def _cells(answers: GrowthAnswers, who: Index, ends: Index, weeks: Index, bound: Array) -> Cells:
    n_each = np.diff(ends)[who]
    rows = np.repeat(ends[who] - np.cumsum(n_each) + n_each, n_each) + np.arange(n_each.sum())
    learner = np.repeat(np.arange(who.size), n_each)
    topic = _local_topics(learner, answers.topic[rows])
    shape = (who.size, weeks.size, int(topic.max()) + 1)
    place = np.ravel_multi_index((learner, np.searchsorted(weeks, answers.week[rows]), topic), shape)
    cell, of_answer = np.unique(place, return_inverse=True)
    item = answers.item[rows]
    column = answers.bank.offsets[item] + answers.category[rows]
    table = sparse.csr_array(
        (np.ones(rows.size), (of_answer, column)), shape=(cell.size, int(answers.bank.offsets[-1]))
    )
    information = np.bincount(learner, bound[item]).max()
    on_topic = np.bincount(learner * shape[2] + topic, bound[item]).max() if topic.all() else np.inf
    return Cells(who, cell, shape, table, float(information), float(on_topic))


def _local_topics(learner: Index, topic: Index) -> Index:
    """Each answer's topic by its rank among the learner's topics from 1; 0 where it has none."""
    key = learner.astype(np.int64) << 32 | (topic.astype(np.int64) + 1)
    pairs, of_answer = np.unique(key, return_inverse=True)
    owner, named = pairs >> 32, (pairs & 0xFFFFFFFF) > 0
    counted = np.cumsum(named)
    first = np.searchsorted(owner, owner)
    rank = counted - (counted[first] - named[first])
    return np.asarray(np.where(named, rank, 0)[of_answer])
