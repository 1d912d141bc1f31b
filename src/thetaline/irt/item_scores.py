"""Whether answers agree with known item parameters: the score of each item's location, learners predicted without it.

A learner's θ is integrated over the posterior that his answers to the other items give, so that the answers to an item
have no part in what they are held against. Answers of different learners to one item are then independent, and the sum
of their scores has mean 0 and its information for variance where the parameters are right.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thetaline.errors import ItemsError
from thetaline.irt._scipy import sparse
from thetaline.irt._types import Array, Ints, Mask, short_repr
from thetaline.irt.grid import Grid, normal_log_weights
from thetaline.irt.items import Items

GRID = Grid(49)
CYCLES = 25  # of EM for the population: two parameters, far more accurate than the scores need
CHUNK = 32_768  # answers at a time, which bounds the memory
LEAST_VARIANCE = 1e-6


@short_repr
@dataclass(frozen=True, slots=True, eq=False)
class ItemScores:
    """Sums over the counted answers to each of I items, on the scale of θ; `score / information` estimates −Δb."""

    n_answers: Ints  # (I,)
    score: Array  # (I,) positive where the item is easier than its parameters say
    information: Array  # (I,) about its location
    location: Array  # (I,) mean θ of those who answered, weighted by their information; NaN without any


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """M dichotomous answers, one of each learner to each item; persons are 0 … N − 1, items positions in the bank."""

    person: NDArray[np.int32]
    item: NDArray[np.int32]
    correct: Mask

    def table(self, n_items: int) -> "tuple[sparse.csr_array, sparse.csr_array]":
        """(N, I) right and wrong answers."""
        n_persons = int(self.person.max()) + 1 if self.person.size else 0
        shape = (n_persons, n_items)
        places = (self.person, self.item)
        right = sparse.csr_array((self.correct.astype(np.float64), places), shape=shape)
        return right, sparse.csr_array(((~self.correct).astype(np.float64), places), shape=shape)


def item_scores(items: Items, answers: Answers, counted: Mask) -> ItemScores:
    """Scores of the location of I items from the `counted` (M,) of the answers; θ is estimated from all of them.

    Scores are those of the marginal likelihood: (x − P) P' / (P (1 − P)) with P and P' averaged over θ. Learners are
    N(μ, σ²) with μ and σ estimated. Raises ItemsError for items with more than two categories.
    """
    if np.any(items.n_categories != 2):
        raise ItemsError("only right and wrong answers have a score of location; an item has more categories")
    if not np.any(counted):
        none = np.zeros(len(items))
        return ItemScores(none.astype(np.int64), none, none, np.full(len(items), np.nan))
    curves = _Curves.of(items)
    right, wrong = answers.table(len(items))
    log_posterior = right @ curves.log_p + wrong @ curves.log_q
    log_posterior += _population(log_posterior)
    sums = np.zeros((4, len(items)))
    chosen = np.flatnonzero(counted)
    for start in range(0, chosen.size, CHUNK):
        rows = chosen[start : start + CHUNK]
        item = answers.item[rows]
        values = curves.scores(log_posterior[answers.person[rows]], item, answers.correct[rows])
        sums += [np.bincount(item, weights=column, minlength=len(items)) for column in values]
    n, score, information, weighted = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        location = weighted / information
    return ItemScores(n.astype(np.int64), score, information, location)


@dataclass(frozen=True, slots=True, eq=False)
class _Curves:
    """log P, log(1 − P), P and P' at the nodes, (I, Q) each."""

    log_p: Array
    log_q: Array
    p: Array
    slope: Array

    @classmethod
    def of(cls, items: Items) -> "_Curves":
        log_prob = items.log_prob(GRID.nodes).reshape(len(items), 2, GRID.n)
        log_q, log_p = log_prob[:, 0], log_prob[:, 1]
        p = np.exp(log_p)
        # of two categories the information is P'² / (P (1 − P))
        slope = np.sign(items.a)[:, None] * np.sqrt(items.information(GRID.nodes) * p * np.exp(log_q))
        return cls(log_p, log_q, p, slope)

    def scores(self, log_posterior: Array, item: NDArray[np.int32], correct: Mask) -> tuple[Array, ...]:
        """1, score, information and information × mean θ, (M,) each, of answers with their learners' posteriors."""
        log_weight = log_posterior - np.where(correct[:, None], self.log_p[item], self.log_q[item])
        weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
        weight /= weight.sum(axis=1, keepdims=True)
        p = np.einsum("mq,mq->m", weight, self.p[item])
        slope = np.einsum("mq,mq->m", weight, self.slope[item])
        variance = np.maximum(p * (1 - p), LEAST_VARIANCE)
        information = slope**2 / variance
        return np.ones(item.size), (correct - p) * slope / variance, information, information * (weight @ GRID.nodes)


def _population(log_likelihood: Array) -> Array:
    """(Q,) log weights of the normal population that maximises the likelihood (N, Q)."""
    mean, sd = 0.0, 1.0
    for _ in range(CYCLES):
        joint = log_likelihood + normal_log_weights(GRID.nodes, mean, sd)
        weight = np.exp(joint - joint.max(axis=1, keepdims=True))
        share = (weight / weight.sum(axis=1, keepdims=True)).mean(axis=0)
        mean = float(share @ GRID.nodes)
        sd = max(float(np.sqrt(share @ (GRID.nodes - mean) ** 2)), GRID.spacing)
    return normal_log_weights(GRID.nodes, mean, sd)
