"""The E-step: posteriors over the nodes, summed to expected counts, block by block.

Blocks of persons are split into a fixed number of partitions, whose sums are added in order, in float64: the sums, and
so every result, do not depend on how many threads ran them.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from thetaline.irt._log_space import exp_less_max
from thetaline.irt._types import Array, FloatArray
from thetaline.irt.calibration.blocking import PersonBlock
from thetaline.irt.calibration.observed_data import ObservedData
from thetaline.irt.threads import map_in_order

PARTITIONS = 8
PARTITION_BYTES = 1 << 26  # the partitions' sums stay below 64 MB together


@dataclass(frozen=True, slots=True, eq=False)
class Expectation:
    """Expected counts and log-likelihood at given parameters."""

    counts: Array  # (G, sum of K, Q): expected number of persons at a node who gave a category
    mass: Array  # (G, Q): expected number of persons at a node
    log_likelihood: float


@dataclass(frozen=True, slots=True, eq=False)
class _PartialSums:
    gathered: Array
    mass: Array
    log_likelihood: float


def e_step(data: ObservedData, log_prob: Array, log_weights: Array, executor: ThreadPoolExecutor | None) -> Expectation:
    """Return expected counts for category tables `log_prob` (G, sum of K, Q) and log weights (G, Q)."""
    counts, masses, total = [], [], 0.0
    for g, blocks in enumerate(data.blocks):
        table = data.design.table(log_prob[g], data.dtype)
        prior = log_weights[g].astype(data.dtype)
        partitions = _partitions(blocks, table.size)
        parts = map_in_order(executor, partial(_partition_sums, table=table, prior=prior), partitions)
        mass = sum((part.mass for part in parts), np.zeros(prior.size))
        gathered = sum((part.gathered for part in parts[1:]), parts[0].gathered)
        counts.append(data.design.counts(gathered, mass))
        masses.append(mass)
        total += sum(part.log_likelihood for part in parts)
    return Expectation(np.stack(counts), np.stack(masses), total)


def log_likelihood(
    data: ObservedData, log_prob: Array, log_weights: Array, executor: ThreadPoolExecutor | None
) -> float:
    """Return the log-likelihood in float64, whatever the precision of the E-steps."""
    total, double = 0.0, np.dtype(np.float64)
    for g, blocks in enumerate(data.blocks):
        table = data.design.table(log_prob[g], double)
        total += sum(map_in_order(executor, partial(_block_log_likelihood, table=table, prior=log_weights[g]), blocks))
    return total


def _block_log_likelihood(block: PersonBlock, table: FloatArray, prior: FloatArray) -> float:
    _, value = posteriors(block, table, prior)
    return float(value @ block.weight.astype(np.float64))


def _partitions(blocks: tuple[PersonBlock, ...], table_size: int) -> list[tuple[PersonBlock, ...]]:
    n = int(max(1, min(PARTITIONS, len(blocks), PARTITION_BYTES // (8 * table_size))))
    edges = np.linspace(0, len(blocks), n + 1).round().astype(int)
    return [blocks[low:high] for low, high in pairwise(edges)]


def _partition_sums(blocks: tuple[PersonBlock, ...], table: FloatArray, prior: FloatArray) -> _PartialSums:
    gathered, mass, total = np.zeros((0, 0)), np.zeros(prior.size), 0.0
    for block in blocks:
        posterior, log_likelihood = posteriors(block, table, prior)
        part = block.gather(posterior)
        gathered = part.astype(np.float64) if not gathered.size else np.add(gathered, part, out=gathered)
        mass += posterior.sum(axis=0, dtype=np.float64)
        total += float(log_likelihood @ block.weight.astype(np.float64))
    return _PartialSums(gathered, mass, total)


def posteriors(block: PersonBlock, table: FloatArray, prior: FloatArray) -> tuple[FloatArray, Array]:
    """Return posterior weights times pattern frequency (n, Q), and log P(answers) per row (n,)."""
    joint = block.log_likelihood(table)
    joint += prior
    top = exp_less_max(joint, axis=1)[:, 0]
    total = joint.sum(axis=1)
    joint *= (block.weight / total)[:, None]
    return joint, top.astype(np.float64) + np.log(total.astype(np.float64))
