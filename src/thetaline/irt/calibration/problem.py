"""What the EM solves: a model, its observed data, priors and nodes, with the two steps of one cycle."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from thetaline.irt._types import Array
from thetaline.irt.calibration.e_step import Expectation, e_step
from thetaline.irt.calibration.latent_m_step import (
    empirical_histogram,
    free_moments,
    moments_on_fixed_nodes,
    px_em_step,
)
from thetaline.irt.calibration.log_prior import log_prior
from thetaline.irt.calibration.m_step import BlockCounts, counts_by_block, item_m_step
from thetaline.irt.calibration.model import EmState, Model
from thetaline.irt.calibration.observed_data import ObservedData
from thetaline.irt.calibration.quadrature import Nodes, adapted_nodes
from thetaline.irt.priors import Priors

NEWTON_STEPS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What does not change from cycle to cycle."""

    model: Model
    data: ObservedData
    priors: Priors
    nodes: Nodes
    executor: ThreadPoolExecutor | None

    def tables(self, state: EmState) -> tuple[Array, Array]:
        """Category tables (G, sum of K, Q) and log weights (G, Q)."""
        return self.model.log_prob(state, self.nodes.theta(state)), self.nodes.log_weights(state)

    def e_step(self, state: EmState) -> Expectation:
        """Return the expected counts at these parameters."""
        return e_step(self.data, *self.tables(state), self.executor)

    def m_step(self, state: EmState, expectation: Expectation) -> EmState:
        """Return parameters, of items first, that make the expected counts likelier."""
        theta = self.nodes.theta(state)
        after = item_m_step(self.model, state, self.block_counts(state, expectation), steps=NEWTON_STEPS)
        after = self._latent_m_step(after, theta, expectation.mass)
        return self.model.freeze_at_bound(self.model.bounded(after), at=state)

    def _latent_m_step(self, state: EmState, theta: Array, mass: Array) -> EmState:
        if state.log_histogram is not None:
            return empirical_histogram(self.model, state, theta, mass)
        if self.nodes.fixed:
            return moments_on_fixed_nodes(self.model, state, theta, mass)
        step = px_em_step if self.priors.flat else free_moments  # a prior would not let all items move together
        return step(self.model, state, theta, mass)

    def block_counts(self, state: EmState, expectation: Expectation) -> list[BlockCounts]:
        """Arrange expected counts for the items' M-step."""
        return counts_by_block(self.model, self.nodes.theta(state), expectation.counts, self.priors)

    def adapted_nodes(self, state: EmState) -> Nodes:
        """Return the nodes that slopes and posteriors at these parameters ask for."""
        return adapted_nodes(self.data, state, self.tables(state), self.nodes, self.model.slopes(state))

    def objective(self, state: EmState, expectation: Expectation) -> float:
        """Log-likelihood plus log prior."""
        return expectation.log_likelihood + log_prior(self.model, state, self.priors)
