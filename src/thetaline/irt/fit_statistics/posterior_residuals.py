"""Infit and outfit over each person's posterior, which average 1 under the model, with a z that is a test.

At a point estimate of θ a squared residual is too small, for the answer is part of the estimate. Over the posterior
it is not: E[g(x, θ)] = 0 for g = (x − E)² − W and for g = (x − E)² / W − 1, W = Var(x | θ), so that the posterior mean
G = E[g(x, θ) | all answers] of a person has mean 0 too, whatever the length of the test (the argument of Louis, 1982).
Infit is 1 + Σ G / Σ E[W | answers], outfit 1 + Σ G / n. Estimating the item takes out of Σ G what the item's own scores
explain, as in White's (1982) test of the information matrix; the variance is that of the rest, Σ E[(G − βᵀs)²], each
expected under the model given the person's other answers, for squares of what was observed would rest on few persons.
"""

from collections.abc import Iterator
from typing import NamedTuple, Self

import numpy as np

from thetaline.irt._log_space import softmax
from thetaline.irt._scipy import sparse
from thetaline.irt._types import Array, Index, Mask
from thetaline.irt.families import FAMILIES
from thetaline.irt.fit_statistics.estimated import Estimated
from thetaline.irt.fit_statistics.residuals import refuse_unknown_categories
from thetaline.irt.items import Items
from thetaline.irt.responses import Responses

INFIT, OUTFIT, VARIANCE, SCORES = 0, 1, 2, 3  # rows of a table of features
LEAST_VARIANCE = 1e-10  # W where an answer is certain: of no weight in the posterior of whoever gave another
LEAST_LEFT = 1e-6  # of the variance of Σ G, from which there is something to test
BLOCK_PERSONS = 10_000  # posteriors on 61 nodes, 5 MB


class _Sums(NamedTuple):
    """Of one item: persons, Σ h and Σ E[h hᵀ] of the features h = (G of infit, G of outfit, W, scores)."""

    n: float
    total: Array  # (C,)
    products: Array  # (C, C)

    def added(self, other: Self) -> Self:
        """Those of more persons."""
        return type(self)(self.n + other.n, self.total + other.total, self.products + other.products)


class ItemFeatures(NamedTuple):
    """Tables of one item at the nodes: log P (K, Q) and the features (K, C, Q)."""

    log_prob: Array
    values: Array


def posterior_mean_squares(model: Estimated, responses: Responses) -> Array:
    """Infit, its z, outfit, its z of every item of the bank, (4, I); NaN where nobody answered.

    Raises ResponsesError for an answer beyond an item's categories.
    """
    items = model.items.take(responses.item_ids)
    refuse_unknown_categories(items, responses)
    sums: dict[int, _Sums] = {}
    for g in np.unique(model.group):
        nodes, weights = model.population.nodes[g], model.population.weights[g]
        features = _features(items, nodes)
        for persons in _blocks((model.group == g) & (np.diff(responses.indptr) > 0)):
            _add(sums, features, _answers(items, responses, persons, nodes, weights))
    result = np.full((4, len(model.items)), np.nan)
    for at, bank in enumerate(model.items.positions(responses.item_ids).tolist()):
        if at in sums:
            result[:, bank] = _mean_squares(sums[at], _free_columns(model, bank, sums[at].total.size))
    return result


def _blocks(used: Mask) -> list[Index]:
    persons = np.flatnonzero(used)
    return np.array_split(persons, -(-persons.size // BLOCK_PERSONS)) if persons.size else []


def _features(items: Items, nodes: Array) -> list[ItemFeatures]:
    """Of every item: g of infit, g of outfit, W and the derivatives of log P in its free parameters."""
    tables = [ItemFeatures(np.zeros((0, 0)), np.zeros((0, 0, 0)))] * len(items)
    for batch in items.batches():
        k = np.arange(batch.n_categories, dtype=np.float64)
        log_prob = batch.log_prob(nodes)
        p = np.exp(log_prob)
        mean = np.einsum("k,gkq->gq", k, p)
        squared = np.square(k[:, None] - mean[:, None])
        variance = np.maximum(np.sum(p * squared, axis=1), LEAST_VARIANCE)[:, None]
        parts = squared - variance, squared / variance - 1.0, np.broadcast_to(variance, squared.shape)
        slopes = np.swapaxes(batch.family.d_log_prob(batch.free, nodes), 1, 2)
        table = np.concatenate([np.stack(parts, axis=2), slopes], axis=2)
        for row, item in enumerate(batch.index.tolist()):
            tables[item] = ItemFeatures(log_prob[row], table[row])
    return tables


class _Answers(NamedTuple):
    """The posteriors (n, Q) of some persons, their counts (n,), and who gave which answer."""

    posterior: Array
    counts: Array
    given: sparse.csc_array  # (n, all categories of all items)
    offsets: Index  # (I + 1,) the first category of each item among the columns of `given`

    def by_item_and_answer(self) -> Iterator[tuple[int, int, Index]]:
        """Item, answer and the persons who gave it."""
        for column in np.flatnonzero(np.diff(self.given.indptr)).tolist():
            item = int(np.searchsorted(self.offsets, column, side="right")) - 1
            persons = self.given.indices[self.given.indptr[column] : self.given.indptr[column + 1]]
            yield item, column - int(self.offsets[item]), persons.astype(np.intp)


def _answers(items: Items, responses: Responses, persons: Index, nodes: Array, weights: Array) -> _Answers:
    lengths = np.diff(responses.indptr)[persons]
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    rows = np.repeat(responses.indptr[persons] - indptr[:-1], lengths) + np.arange(indptr[-1])
    offsets = np.concatenate([[0], np.cumsum(items.n_categories)])
    table = np.empty((offsets[-1], nodes.size))
    for batch in items.batches():
        table[batch.codes(offsets[:-1])] = batch.log_prob(nodes)
    column = offsets[responses.item[rows].astype(np.intp)] + responses.answer[rows]
    given = sparse.csr_array((np.ones(rows.size), column, indptr), (persons.size, len(table)))
    with np.errstate(divide="ignore"):
        posterior = softmax(given @ table + np.log(weights))
    return _Answers(posterior, responses.counts[persons].astype(np.float64), given.tocsc(), offsets)


def _add(sums: dict[int, _Sums], features: list[ItemFeatures], answers: _Answers) -> None:
    for item, answer, persons in answers.by_item_and_answer():
        posterior, counts = answers.posterior.take(persons, axis=0), answers.counts[persons]
        table = features[item]
        total = table.values[answer] @ (counts @ posterior)
        own = _Sums(float(counts.sum()), total, _expected_products(posterior, counts, table, answer))
        sums[item] = sums[item].added(own) if item in sums else own


def _expected_products(posterior: Array, counts: Array, table: ItemFeatures, given: int) -> Array:
    """Σ E[h hᵀ | the other answers], (C, C): posterior / P(given) times P(k) is the posterior had the answer been k."""
    odds = np.exp(table.log_prob - table.log_prob[given])
    n_answers, width, n_nodes = table.values.shape
    weighted = (table.values * odds[:, None]).reshape(-1, n_nodes)
    integrals = np.concatenate([odds, weighted]) @ posterior.T  # one product: the posteriors are read once
    chance, h = integrals[:n_answers], integrals[n_answers:].reshape(n_answers, width, -1)
    weight = counts / (chance * chance.sum(axis=0))  # the share of each answer, over its chance squared
    products: Array = np.matmul(h * weight[:, None], h.swapaxes(1, 2)).sum(axis=0)
    return products


def _free_columns(model: Estimated, item: int, width: int) -> Index:
    """The features that are scores of what the item's own answers decided: none of an anchor, no shared slope."""
    if model.fixed[item]:
        return np.zeros(0, dtype=np.intp)
    return np.arange(SCORES + FAMILIES[str(model.items.model[item])].tied, width)


def _mean_squares(sums: _Sums, scores: Index) -> tuple[float, float, float, float]:
    infit = 1.0 + sums.total[INFIT] / sums.total[VARIANCE]
    outfit = 1.0 + sums.total[OUTFIT] / sums.n
    return infit, _z(sums, INFIT, scores), outfit, _z(sums, OUTFIT, scores)


def _z(sums: _Sums, which: int, scores: Index) -> float:
    """Σ (G − βᵀs) over its standard deviation; NaN where the scores explain G, as of an item without slope."""
    own, cross = sums.products[which, which], sums.products[scores, which]
    beta = np.linalg.pinv(sums.products[np.ix_(scores, scores)], hermitian=True) @ cross
    left = own - cross @ beta
    # Scores sum to 0 at the maximum; what a prior or the end of the cycles left of them is taken out.
    rest = sums.total[which] - beta @ sums.total[scores]
    return float(rest / np.sqrt(left)) if left > LEAST_LEFT * own else np.nan
