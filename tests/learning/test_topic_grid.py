"""The grid on which topics are solved: its kernel, its refinement, and when it is fine enough."""

import numpy as np
import pytest

from thetaline.learning.topics import FINEST, N_NODES, TopicModel, resolution


def step(model: TopicModel) -> float:
    return float(model.nodes[1] - model.nodes[0])


def test_the_grid_reaches_six_marginal_sds_to_both_sides_of_the_mean() -> None:
    model = TopicModel.over(mean=0.7, sd=1.2, topic_sd=0.5)
    assert model.nodes.size == N_NODES
    assert model.nodes[[0, -1]] == pytest.approx([0.7 - 6 * 1.3, 0.7 + 6 * 1.3])


def test_the_prior_is_the_normal_density_of_the_population() -> None:
    model = TopicModel.over(mean=0.7, sd=1.2)
    weight = np.exp(model.log_prior())
    mean = weight @ model.nodes / weight.sum()
    assert mean == pytest.approx(0.7)
    assert weight @ np.square(model.nodes - mean) / weight.sum() == pytest.approx(1.2**2, rel=1e-6)


def test_the_kernel_spreads_every_node_into_a_distribution_with_the_spread_of_topics() -> None:
    model = TopicModel.over(sd=1.0, topic_sd=0.5)
    kernel = model.kernel()
    assert kernel.sum(axis=1) == pytest.approx(np.ones(N_NODES))
    inner = np.abs(model.nodes) < 3.5  # further out the grid ends within six τ
    mean = kernel @ model.nodes
    assert mean[inner] == pytest.approx(model.nodes[inner])
    variance = kernel @ np.square(model.nodes) - np.square(mean)
    assert variance[inner] == pytest.approx(np.full(inner.sum(), 0.5**2), rel=1e-5)


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_finer_grid_holds_the_nodes_of_the_coarse_one(level: int) -> None:
    model = TopicModel.over(mean=0.3, topic_sd=0.6)
    fine = model.refined(level)
    assert fine.nodes[:: 4**level] == pytest.approx(model.nodes)
    assert (fine.mean, fine.sd, fine.topic_sd) == (model.mean, model.sd, model.topic_sd)


@pytest.mark.parametrize("level", range(FINEST))
@pytest.mark.parametrize("sd", [0.5, 2.0])
def test_a_grid_is_refined_as_soon_as_its_step_is_wider_than_the_posterior(sd: float, level: int) -> None:
    """A narrow posterior of one topic has sd 1 / √(I + 1 / sd²); at the edge that is the step of the level."""
    model = TopicModel.over(sd=sd, topic_sd=0.1)
    edge = 1 / step(model.refined(level)) ** 2 - 1 / sd**2
    learner = np.arange(2, dtype=np.int32)
    assert resolution(edge * np.array([1 - 1e-6, 1 + 1e-6]), learner, model).tolist() == [level, level + 1]


def test_what_the_other_topics_tell_is_blurred_by_the_spread_of_topics() -> None:
    """n topics of information I tell n · I / (1 + I τ²) of θ; the grid is refined once that makes its step too wide."""
    model = TopicModel.over(topic_sd=0.2)
    told = 30 / (1 + 30 * 0.2**2)
    enough = int((1 / step(model) ** 2 - 1) / told)
    few, many = (np.full(n, 30.0) for n in (enough, enough + 1))
    assert resolution(few, np.zeros(few.size, np.int32), model).max() == 0
    assert resolution(many, np.zeros(many.size, np.int32), model).min() == 1


def test_the_level_of_a_learner_is_that_of_the_most_informed_row_and_of_nobody_else() -> None:
    model = TopicModel.over(topic_sd=0.1)
    much = 1 / step(model) ** 2
    information = np.array([1.0, much, 1.0, 1.0, 1.0])
    learner = np.array([4, 4, 6, 6, 9], np.int32)
    assert resolution(information, learner, model).tolist() == [1, 1, 0, 0, 0]


def test_a_grid_is_never_finer_than_the_finest() -> None:
    model = TopicModel.over(topic_sd=0.1)
    assert resolution(np.array([1e12]), np.zeros(1, np.int32), model).tolist() == [FINEST]


def test_neighbours_in_the_order_of_learners_do_not_touch_each_other() -> None:
    model = TopicModel.over(topic_sd=0.1)
    much = 1 / step(model) ** 2
    assert resolution(np.array([1.0, much]), np.array([0, 1], np.int32), model).tolist() == [0, 1]
