"""θ of learners and of their topics from answers and an item bank."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy import sparse

from thetaline import irt
from thetaline.irt.scoring.prepared_bank import PreparedBank
from thetaline.irt.threads import available_processors
from thetaline.jobs.abilities.answers import LearnerAnswers
from thetaline.jobs.abilities.item_bank import ItemBank
from thetaline.jobs.arrays import Array, Index, Int32s, Ints, Mask
from thetaline.learning.topics import (
    DEFAULT_SD,
    N_NODES,
    TopicModel,
    estimate_topic_sd,
    resolution,
    topic_departure,
    topic_posterior,
)

# Arrays of some 4,000 topic rows and 81 nodes, 2.6 MB, stay in the cache: half the CPU time of 4,000 learners a block.
BLOCK_LEARNERS = 250
_Moments = Callable[[Array, Int32s, TopicModel], tuple[Array, Array]]
SAMPLE_LEARNERS = 1_500  # one spread is known to 2 % from that many


@dataclass(frozen=True, slots=True, eq=False)
class GeneralEstimates:
    """One row a learner with at least one scored answer; `learner` is the position among the answers' learners."""

    learner: Index
    theta: Array
    se: Array
    n_answers: Ints


@dataclass(frozen=True, slots=True, eq=False)
class TopicEstimates:
    """One row a (learner, topic) with at least one scored answer."""

    learner: Int32s
    topic_no: Int32s
    theta: Array
    se: Array
    n_answers: Ints


@dataclass(frozen=True, slots=True, eq=False)
class _TopicRows:
    """Rows of scored answers by (learner, topic): `indptr` (R + 1,) into `code` (M,), places in a category table."""

    learner: Int32s
    topic_no: Int32s
    indptr: Ints
    code: Int32s

    def log_likelihood(self, table: Array) -> Array:
        """(R, Q) from the (Σ K, Q) table of log-probabilities."""
        one_hot = sparse.csr_array((np.ones(self.code.size), self.code, self.indptr), (self.learner.size, len(table)))
        return np.asarray(one_hot @ table)

    def where(self, mask: Mask) -> "_TopicRows":
        """The rows under an (R,) mask, in the same order."""
        lengths = np.diff(self.indptr)
        indptr = np.concatenate(([0], np.cumsum(lengths[mask])))
        return _TopicRows(self.learner[mask], self.topic_no[mask], indptr, self.code[np.repeat(mask, lengths)])

    def take(self, start: int, stop: int) -> "_TopicRows":
        """Rows start to stop."""
        inside = slice(self.indptr[start], self.indptr[stop])
        indptr = self.indptr[start : stop + 1] - self.indptr[start]
        return _TopicRows(self.learner[start:stop], self.topic_no[start:stop], indptr, self.code[inside])


class _RefinedRows(NamedTuple):
    """Rows with the model and the table on a grid as fine as they need."""

    rows: _TopicRows
    model: TopicModel
    table: Array

    @property
    def log_likelihood(self) -> Array:
        """(R, Q)."""
        return self.rows.log_likelihood(self.table)


@dataclass(frozen=True, slots=True, eq=False)
class TopicScale:
    """The topic model of a bank with its table of log-probabilities on the nodes, for all learners."""

    bank: ItemBank
    model: TopicModel
    table: Array  # (Σ K, Q)
    most_information: Array  # (Σ K,) of the category's item

    @classmethod
    def of(cls, bank: ItemBank, topic_sd: float = DEFAULT_SD) -> "TopicScale":
        """On the bank's population."""
        most = np.repeat(PreparedBank(bank.items).curvature_bound, np.diff(bank.items.offsets))
        model = TopicModel.over(bank.mean, bank.sd, topic_sd)
        return cls(bank, model, bank.items.log_prob(model.nodes), most)

    def refined(self, level: int, rows: "_TopicRows") -> "_RefinedRows":
        """The rows on the finer grid of `TopicModel.refined`, with a table of the items that they answered."""
        if not level:
            return _RefinedRows(rows, self.model, self.table)
        items, model = self.bank.items, self.model.refined(level)
        used, code = np.unique(rows.code, return_inverse=True)
        item = np.searchsorted(items.offsets, used, side="right") - 1
        few, place = np.unique(item, return_inverse=True)
        answered = items.take(items.ids[few])
        table = answered.log_prob(model.nodes)[answered.offsets[place] + used - items.offsets[item]]
        return _RefinedRows(replace(rows, code=code.astype(np.int32)), model, table)

    def levels(self, rows: "_TopicRows") -> Index:
        """(R,) the level of refinement that each row's learner needs, see `learning.topics.resolution`."""
        information = np.add.reduceat(self.most_information[rows.code], rows.indptr[:-1])
        return resolution(information, rows.learner, self.model)


def responses_of(answers: LearnerAnswers, bank: ItemBank) -> irt.Responses:
    """First answers to published items; persons are positions of learners, who are absent without any."""
    item = bank.position(answers.attempts.item)
    order = np.flatnonzero(item >= 0)
    order = order[np.lexsort((item[order], answers.attempts.learner[order]))]
    persons, counts = np.unique(answers.attempts.learner[order], return_counts=True)
    return irt.Responses(
        person_ids=persons.astype(object),
        item_ids=bank.items.ids,
        indptr=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        item=item[order],
        answer=answers.attempts.correct[order].astype(np.uint8),
        counts=np.ones(persons.size),
    )


def general_theta(answers: LearnerAnswers, bank: ItemBank) -> GeneralEstimates:
    """EAP under the bank's population from first answers (see `LearnerAnswers.first_known`)."""
    responses = responses_of(answers, bank)
    persons = responses.person_ids.astype(np.intp)
    if not persons.size:
        return GeneralEstimates(persons, np.empty(0), np.empty(0), np.empty(0, np.int64))
    scores = irt.score(responses, bank.items, method="EAP", prior=(bank.mean, bank.sd))
    return GeneralEstimates(persons, scores.theta, scores.se, np.diff(responses.indptr))


def theta_without_prior(answers: LearnerAnswers, bank: ItemBank) -> GeneralEstimates:
    """Warm's weighted likelihood estimate from first answers, finite also where all are right or wrong.

    A learner whose answers tell nothing of θ has no row.
    """
    responses = responses_of(answers, bank)
    persons = responses.person_ids.astype(np.intp)
    if not persons.size:
        return GeneralEstimates(persons, np.empty(0), np.empty(0), np.empty(0, np.int64))
    scores = irt.score(responses, bank.items, method="WLE")
    known = (scores.status == 0) & np.isfinite(scores.se)
    n_answers = np.diff(responses.indptr)
    return GeneralEstimates(persons[known], scores.theta[known], scores.se[known], n_answers[known])


def topic_theta(answers: LearnerAnswers, bank: ItemBank, scale: TopicScale) -> TopicEstimates:
    """Topic EAP by the two-level model of `learning.topics` from first answers.

    Answers without a topic inform the general level; they have no row of their own.
    """
    return _by_topic(answers, bank, scale, topic_posterior)


def _by_topic(answers: LearnerAnswers, bank: ItemBank, scale: TopicScale, moments: _Moments) -> TopicEstimates:
    rows = _topic_rows(answers, bank)
    theta, se = np.empty((2, rows.learner.size))
    levels = scale.levels(rows) if rows.learner.size else np.empty(0, np.intp)
    for level in np.unique(levels).tolist():
        mine = levels == level
        theta[mine], se[mine] = _posterior(scale.refined(level, rows.where(mine)), moments)
    shown = rows.topic_no > 0
    n_answers = np.diff(rows.indptr)
    return TopicEstimates(rows.learner[shown], rows.topic_no[shown], theta[shown], se[shown], n_answers[shown])


def topic_departures(answers: LearnerAnswers, bank: ItemBank, scale: TopicScale) -> TopicEstimates:
    """Posterior mean and sd of θ_topic − θ, as `theta` and `se` of the rows of `topic_theta`."""
    return _by_topic(answers, bank, scale, topic_departure)


def fit_topic_sd(answers: LearnerAnswers, bank: ItemBank) -> float:
    """τ, the spread of topics, from an even sample of the learners."""
    step = max(1, -(-answers.learner_no.size // SAMPLE_LEARNERS))
    rows = _topic_rows(answers.where(answers.attempts.learner % step == 0), bank)
    scale = TopicScale.of(bank)
    if not rows.learner.size:
        return scale.model.topic_sd
    levels = scale.levels(rows)
    level = min(1, int(np.quantile(levels, 0.9)))  # the few who need a finer one add little to τ
    fine = scale.refined(level, rows.where(levels <= level))
    return estimate_topic_sd(fine.log_likelihood, fine.rows.learner, fine.model)


def _posterior(fine: _RefinedRows, moments: _Moments) -> tuple[Array, Array]:
    """Mean and standard deviation of each row, block by block."""
    rows, model, table = fine
    theta, se = np.empty((2, rows.learner.size))

    def fill(bounds: tuple[int, int]) -> None:
        block, place = rows.take(*bounds), slice(*bounds)
        theta[place], se[place] = moments(block.log_likelihood(table), block.learner, model)

    with ThreadPoolExecutor(available_processors()) as threads:
        list(threads.map(fill, _blocks(rows.learner, model.nodes.size)))
    return theta, se


def _topic_rows(answers: LearnerAnswers, bank: ItemBank) -> _TopicRows:
    item = bank.position(answers.attempts.item)
    scored = np.flatnonzero(item >= 0)
    key = answers.attempts.learner[scored].astype(np.int64) << 32 | answers.topic_no[scored]
    order = np.lexsort((item[scored], key))
    key, scored = key[order], scored[order]
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    code = bank.items.offsets[item[scored]] + answers.attempts.correct[scored]
    return _TopicRows(
        learner=(key[starts] >> 32).astype(np.int32),
        topic_no=(key[starts] & 0x7FFFFFFF).astype(np.int32),
        indptr=np.append(starts, key.size).astype(np.int64),
        code=code.astype(np.int32),
    )


def _blocks(learner: Int32s, n_nodes: int) -> Iterator[tuple[int, int]]:
    """Blocks of rows, given ascending learners, that keep the rows of a learner together."""
    starts = np.flatnonzero(np.diff(learner, prepend=-1))
    cuts = np.append(starts[:: max(1, BLOCK_LEARNERS * N_NODES // n_nodes)], learner.size)
    return ((int(start), int(stop)) for start, stop in pairwise(cuts))
