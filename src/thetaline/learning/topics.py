"""Topic ability as a departure from the general one, solved exactly on a grid.

Model: θ_topic = θ + δ, δ ~ N(0, τ²) independent between topics, θ ~ N(mean, sd²) over the population; an answer depends
on the θ of its own topic only.  With L_t(θ_t) the likelihood of topic t's answers, its message to θ is
m_t(θ) = ∫ L_t(θ + δ) N(δ; 0, τ²) dδ.  The general posterior *from the other topics* is
p_−t(θ) ∝ N(θ; mean, sd²) Π_{s≠t} m_s(θ); moved on by δ it is the prior of θ_t, and L_t multiplies it once.  So no
answer counts twice, and a topic with few answers stays near the others.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from thetaline.learning._types import Array, Index, Int32s

N_NODES = 81
FINER, FINEST = 4, 2  # a grid that is too coarse is made four times finer, at most twice
REACH_SD = 6.0
LOG_FLOOR = -600.0  # exp underflows below; two topics that disagree could then rule out every node
DEFAULT_SD = 0.4
SD_BOUNDS = (0.05, 2.0)
N_DEVIATIONS = 15  # nodes in δ
MIN_LEARNERS = 200  # with two topics or more, to estimate τ rather than set it


@dataclass(frozen=True, slots=True, eq=False)
class TopicModel:
    """Population N(mean, sd²) of θ, spread τ = `topic_sd` of topics around it, and the nodes (Q,) of the grid."""

    mean: float
    sd: float
    topic_sd: float
    nodes: Array

    @classmethod
    def over(cls, mean: float = 0.0, sd: float = 1.0, topic_sd: float = DEFAULT_SD) -> "TopicModel":
        """The model on 81 nodes over mean ± 6 marginal standard deviations."""
        reach = REACH_SD * float(np.hypot(sd, topic_sd))
        return cls(mean, sd, topic_sd, np.linspace(mean - reach, mean + reach, N_NODES))

    def refined(self, level: int) -> Self:
        """The same model with a step 4^`level` times as fine."""
        n_nodes = (self.nodes.size - 1) * FINER**level + 1
        return replace(self, nodes=np.linspace(self.nodes[0], self.nodes[-1], n_nodes))

    def log_prior(self) -> Array:
        """(Q,) log N(θ; mean, sd²) up to a constant."""
        return -np.square((self.nodes - self.mean) / self.sd) / 2

    def kernel(self) -> Array:
        """(Q, Q) row θ -> column θ_topic: N(θ_topic; θ, τ²) with every row summing to one."""
        step = np.subtract.outer(self.nodes, self.nodes) / self.topic_sd
        weight = np.exp(-np.square(step) / 2)
        return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def topic_posterior(log_likelihood: Array, learner: Int32s, model: TopicModel) -> tuple[Array, Array]:
    """EAP and its standard error of each (learner, topic) row.

    `log_likelihood` (R, Q) on the model's nodes; `learner` (R,) groups the rows, equal values side by side.
    """
    kernel, log_message, log_general = _messages(log_likelihood, learner, model)
    cavity = log_general - log_message
    prior = _scaled(cavity) @ kernel
    return _moments(_scaled(log_likelihood) * prior, model.nodes)


def resolution(information: Array, learner: Int32s, model: TopicModel) -> Index:
    """(R,) the level of `refined` at which the grid's step is no wider than any posterior sd of the row's learner.

    `information` (R,) is an upper bound, Σ max I(θ) over the answers of a row, and finite; `learner` as in
    `topic_posterior`.
    """
    if not np.isfinite(information).all():
        raise ValueError("the information of a topic's answers is not finite; look at the slopes of its items")
    if not learner.size:
        return np.empty(0, np.intp)
    starts = _starts(learner)
    of_general = information / (1 + information * model.topic_sd**2)  # what is left of it a spread τ further up
    most = np.maximum(np.maximum.reduceat(information, starts), np.add.reduceat(of_general, starts))
    too_wide = (model.nodes[1] - model.nodes[0]) * np.sqrt(most + 1 / model.sd**2)
    level = np.clip(np.ceil(np.log(too_wide) / np.log(FINER)), 0, FINEST).astype(np.intp)
    return np.repeat(level, np.diff(np.append(starts, learner.size)))


def general_posterior(log_likelihood: Array, learner: Int32s, model: TopicModel) -> tuple[Array, Array]:
    """EAP and standard error of θ itself under the same model, repeated on every row of its learner."""
    _, _, log_general = _messages(log_likelihood, learner, model)
    return _moments(_scaled(log_general), model.nodes)


class Departure(NamedTuple):
    """Posterior mean and standard deviation of δ = θ_topic − θ, (R,) each."""

    mean: Array
    sd: Array


def topic_departure(log_likelihood: Array, learner: Int32s, model: TopicModel) -> Departure:
    """How far each (learner, topic) row lies from its learner's θ, by all of the learner's answers.

    p(δ) ∝ N(δ; 0, τ²) ∫ p_−t(θ) L_t(θ + δ) dθ by Gauss–Hermite in δ, so that a τ below the step of the grid does not
    vanish between two nodes; log L_t is interpolated linearly.  Arguments as of `topic_posterior`.
    """
    _, log_message, log_general = _messages(log_likelihood, learner, model)
    cavity = _scaled(log_general - log_message)
    at = log_likelihood - log_likelihood.max(axis=1, keepdims=True)
    deviations, weights = np.polynomial.hermite_e.hermegauss(N_DEVIATIONS)
    deviations = model.topic_sd * deviations
    step = float(model.nodes[1] - model.nodes[0])
    density = np.stack([np.einsum("rq,rq->r", cavity, np.exp(_shifted(at, delta / step))) for delta in deviations])
    density *= weights[:, None]
    total = density.sum(axis=0)
    mean = deviations @ density / total
    return Departure(mean, np.sqrt(np.square(deviations) @ density / total - np.square(mean)))


def _shifted(values: Array, steps: float) -> Array:
    """(R, Q) read `steps` nodes further up, linearly between nodes; beyond the ends, those."""
    whole = int(np.floor(steps))
    place = np.arange(values.shape[1]) + whole
    low, high = (values[:, np.clip(place + one, 0, values.shape[1] - 1)] for one in (0, 1))
    return np.asarray(low + (steps - whole) * (high - low))


def unseen_topic(theta: Array, se: Array, topic_sd: float) -> tuple[Array, Array]:
    """What is known of a topic without answers: N(θ, se² + τ²)."""
    return theta, np.sqrt(np.square(se) + topic_sd**2)


def estimate_topic_sd(log_likelihood: Array, learner: Int32s, model: TopicModel) -> float:
    """τ that maximises the marginal likelihood of all rows; the model's own τ below 200 learners with two topics."""
    _, n_topics = np.unique(learner, return_counts=True)
    if (n_topics > 1).sum() < MIN_LEARNERS:
        return model.topic_sd

    def loss(topic_sd: float) -> float:
        candidate = TopicModel(model.mean, model.sd, topic_sd, model.nodes)
        return -_log_marginal(log_likelihood, learner, candidate)

    return float(minimize_scalar(loss, bounds=SD_BOUNDS, method="bounded", options={"xatol": 1e-3}).x)


def _log_marginal(log_likelihood: Array, learner: Int32s, model: TopicModel) -> float:
    """Σ over learners of log ∫ N(θ; mean, sd²) Π m_t(θ) dθ, up to a constant that τ does not move."""
    log_general = _messages(log_likelihood, learner, model)[2][_starts(learner)]
    return float(np.sum(logsumexp(log_general, axis=1)))


def _messages(log_likelihood: Array, learner: Int32s, model: TopicModel) -> tuple[Array, Array, Array]:
    """Kernel (Q, Q), log m_t (R, Q), and log prior + Σ_t log m_t of the row's learner (R, Q)."""
    kernel = model.kernel()
    log_message = np.log(_scaled(log_likelihood) @ kernel.T)
    starts = _starts(learner)
    total = np.add.reduceat(log_message, starts, axis=0) + model.log_prior()
    n_rows = np.diff(np.append(starts, learner.size))
    return kernel, log_message, np.repeat(total, n_rows, axis=0)


def _starts(learner: Int32s) -> Index:
    return np.flatnonzero(np.diff(learner, prepend=learner[0] - 1))


def _scaled(log_weight: Array) -> Array:
    weight: Array = log_weight - log_weight.max(axis=1, keepdims=True)
    np.maximum(weight, LOG_FLOOR, out=weight)
    np.exp(weight, out=weight)
    return weight


def _moments(weight: Array, nodes: Array) -> tuple[Array, Array]:
    total = weight.sum(axis=1)
    mean = weight @ nodes / total
    variance = weight @ np.square(nodes) / total - np.square(mean)
    return np.asarray(mean), np.asarray(np.sqrt(variance))
