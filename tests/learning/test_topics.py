import numpy as np
import pytest
from numpy.typing import NDArray

from thetaline.learning.topics import (
    TopicModel,
    estimate_topic_sd,
    general_posterior,
    resolution,
    topic_departure,
    topic_posterior,
    unseen_topic,
)

Floats = NDArray[np.float64]


def log_likelihood(a: Floats, b: Floats, right: NDArray[np.bool_], nodes: Floats) -> Floats:
    """(Q,) of one topic's 2PL answers."""
    z = a[:, None] * (nodes - b[:, None])
    return -np.logaddexp(0, np.where(right[:, None], -z, z)).sum(axis=0)


def school(
    n_learners: int, n_topics: int, *, topic_sd: float, model: TopicModel, seed: int
) -> tuple[Floats, Floats, NDArray[np.int32]]:
    """Log-likelihoods (R, Q) of learners with 1 to 10 answers a topic, the true topic θ (R,), the learner of a row."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, 1, (n_learners, 1)) + rng.normal(0, topic_sd, (n_learners, n_topics))
    rows = []
    for theta in truth.ravel():
        a, b = rng.lognormal(0, 0.3, n := int(rng.integers(1, 11))), rng.normal(0, 1, n)
        rows.append(log_likelihood(a, b, rng.random(n) < 1 / (1 + np.exp(-a * (theta - b))), model.nodes))
    return np.array(rows), truth.ravel(), np.repeat(np.arange(n_learners, dtype=np.int32), n_topics)


@pytest.fixture(scope="module")
def cohort() -> tuple[Floats, Floats, NDArray[np.int32], TopicModel]:
    model = TopicModel.over(topic_sd=0.5)
    return *school(800, 6, topic_sd=0.5, model=model, seed=5), model


def test_two_topics_agree_with_the_integral_over_both() -> None:
    model = TopicModel.over(topic_sd=0.5)
    a, b = np.array([1.0, 1.5, 0.8]), np.array([-1.0, 0.2, 1.0])
    right = np.array([[True, True, False], [False, False, True]])
    rows = np.array([log_likelihood(a, b, one, model.nodes) for one in right])
    theta, se = topic_posterior(rows, np.zeros(2, np.int32), model)

    # (θ_1, θ_2) is normal with variance 1 + τ² and covariance 1: one two-dimensional integral, no messages.
    fine = np.linspace(-7, 7, 561)
    one, two = np.meshgrid(fine, fine, indexing="ij")
    precision = np.linalg.inv(np.array([[1.25, 1.0], [1.0, 1.25]]))
    log_joint = -(precision[0, 0] * (one**2 + two**2) + 2 * precision[0, 1] * one * two) / 2
    log_joint += log_likelihood(a, b, right[0], fine)[:, None] + log_likelihood(a, b, right[1], fine)
    joint = np.exp(log_joint - log_joint.max())
    joint /= joint.sum()
    for place, value in ((0, one), (1, two)):
        mean = (joint * value).sum()
        assert theta[place] == pytest.approx(mean, abs=1e-5)
        assert se[place] == pytest.approx(np.sqrt((joint * value**2).sum() - mean**2), abs=1e-5)


def test_a_single_topic_has_the_plain_posterior_with_variance_one_plus_tau_squared() -> None:
    model = TopicModel.over(topic_sd=0.6)
    row = log_likelihood(np.array([1.0, 1.2]), np.array([0.0, 0.5]), np.array([True, False]), model.nodes)
    theta, _ = topic_posterior(row[None], np.zeros(1, np.int32), model)
    weight = np.exp(row - model.nodes**2 / (2 * 1.36))
    assert theta[0] == pytest.approx(weight @ model.nodes / weight.sum(), abs=1e-6)


def test_the_answers_of_a_topic_count_once() -> None:
    """With a tiny τ every topic is θ: its posterior holds all answers exactly once, as the general one does."""
    model = TopicModel.over(topic_sd=0.02)
    rows, _, learner = school(20, 4, topic_sd=0.02, model=model, seed=2)
    theta, se = topic_posterior(rows, learner, model)
    weight = np.exp(np.add.reduceat(rows, np.arange(0, 80, 4)) + model.log_prior())
    eap = weight @ model.nodes / weight.sum(axis=1)
    sd = np.sqrt(weight @ model.nodes**2 / weight.sum(axis=1) - eap**2)
    assert theta == pytest.approx(np.repeat(eap, 4), abs=2e-3)
    assert se == pytest.approx(np.repeat(sd, 4), abs=2e-3)


def test_a_topic_without_answers_gets_the_general_posterior_and_the_spread_of_topics() -> None:
    model = TopicModel.over(topic_sd=0.5)
    row = log_likelihood(np.ones(4), np.zeros(4), np.array([True, True, True, False]), model.nodes)
    rows, learner = np.array([row, np.zeros_like(row)]), np.zeros(2, np.int32)
    theta, se = topic_posterior(rows, learner, model)
    general, se_general = general_posterior(rows, learner, model)
    expected, se_expected = unseen_topic(general, se_general, 0.5)
    assert theta[1] == pytest.approx(expected[1], abs=1e-6)
    assert se[1] == pytest.approx(se_expected[1], abs=1e-5)


def test_the_fewer_the_answers_the_nearer_to_the_general_posterior() -> None:
    model = TopicModel.over(topic_sd=0.5)
    others = log_likelihood(np.ones(30), np.linspace(-2, 2, 30), np.linspace(-2, 2, 30) < -0.5, model.nodes)
    distance = []
    for n in (1, 3, 9, 27):
        mine = log_likelihood(np.ones(n), np.zeros(n), np.ones(n, bool), model.nodes)
        theta, _ = topic_posterior(np.array([mine, others]), np.zeros(2, np.int32), model)
        distance.append(theta[0] - theta[1])
    assert np.all(np.diff(distance) > 0)


def test_topic_estimates_are_nearer_to_the_truth_than_general_ones_and_their_errors_are_honest(
    cohort: tuple[Floats, Floats, NDArray[np.int32], TopicModel],
) -> None:
    rows, truth, learner, model = cohort
    theta, se = topic_posterior(rows, learner, model)
    general, se_general = general_posterior(rows, learner, model)
    assert np.square(truth - theta).mean() < 0.95 * np.square(truth - general).mean()
    assert (np.abs(truth - theta) < 1.96 * se).mean() == pytest.approx(0.95, abs=0.015)
    assert not np.allclose(se, se_general, atol=0.01)


def test_the_spread_of_topics_is_recovered(cohort: tuple[Floats, Floats, NDArray[np.int32], TopicModel]) -> None:
    rows, _, learner, _ = cohort
    assert estimate_topic_sd(rows, learner, TopicModel.over(topic_sd=0.3)) == pytest.approx(0.5, abs=0.08)


def test_a_small_cohort_keeps_the_spread_that_was_set(
    cohort: tuple[Floats, Floats, NDArray[np.int32], TopicModel],
) -> None:
    rows, _, learner, model = cohort
    assert estimate_topic_sd(rows[: 6 * 199], learner[: 6 * 199], model) == model.topic_sd
    assert estimate_topic_sd(rows[: 6 * 200], learner[: 6 * 200], model) != model.topic_sd


def test_learners_with_one_topic_tell_nothing_of_the_spread(
    cohort: tuple[Floats, Floats, NDArray[np.int32], TopicModel],
) -> None:
    rows, _, _, model = cohort
    alone = np.append(np.repeat(np.arange(199, dtype=np.int32), 2), np.arange(199, 300, dtype=np.int32))
    assert estimate_topic_sd(rows[: alone.size], alone, model) == model.topic_sd


def test_learners_do_not_touch_each_other(cohort: tuple[Floats, Floats, NDArray[np.int32], TopicModel]) -> None:
    rows, _, learner, model = cohort
    all_theta, _ = topic_posterior(rows, learner, model)
    alone, _ = topic_posterior(rows[60:66], learner[60:66], model)
    assert alone == pytest.approx(all_theta[60:66], abs=1e-12)


def test_a_shifted_scale_shifts_the_estimates() -> None:
    """θ' = Aθ + B with A = 1.5, B = 2: the population moves along, and so do θ and se."""
    rng = np.random.default_rng(4)
    a, b, right = rng.lognormal(0, 0.3, 12), rng.normal(0, 1, 12), rng.random(12) < 0.6
    base, moved = TopicModel.over(0.0, 1.0, 0.4), TopicModel.over(2.0, 1.5, 0.6)
    rows = np.array(
        [log_likelihood(a[:6], b[:6], right[:6], base.nodes), log_likelihood(a[6:], b[6:], right[6:], base.nodes)]
    )
    theirs = np.array(
        [log_likelihood(a[s] / 1.5, 1.5 * b[s] + 2, right[s], moved.nodes) for s in (slice(0, 6), slice(6, 12))]
    )
    theta, se = topic_posterior(rows, np.zeros(2, np.int32), base)
    theta_moved, se_moved = topic_posterior(theirs, np.zeros(2, np.int32), moved)
    assert theta_moved == pytest.approx(1.5 * theta + 2, abs=1e-9)
    assert se_moved == pytest.approx(1.5 * se, abs=1e-9)


@pytest.mark.parametrize(("n", "level"), [(30, 0), (600, 1), (6000, 2)])
def test_many_answers_get_nodes_as_narrow_as_their_posterior(n: int, level: int) -> None:
    """One topic has the plain posterior with variance sd² + τ², here by a fine integral."""
    rng = np.random.default_rng(n)
    model = TopicModel.over(topic_sd=0.3)
    a, b = rng.lognormal(0, 0.2, n), rng.normal(0, 1, n)
    right = rng.random(n) < 1 / (1 + np.exp(-a * (0.37 - b)))
    learner = np.zeros(1, np.int32)
    information = np.array([np.square(a).sum() / 4])
    assert resolution(information, learner, model).tolist() == [level]
    fine = model.refined(level)
    found = topic_posterior(log_likelihood(a, b, right, fine.nodes)[None], learner, fine)
    nodes = np.linspace(-3, 3, 1_001)  # a quarter of the narrowest posterior's sd apart
    weight = log_likelihood(a, b, right, nodes) - np.square(nodes) / (2 * (1 + 0.3**2))
    weight = np.exp(weight - weight.max())
    mean = weight @ nodes / weight.sum()
    sd = np.sqrt(weight @ np.square(nodes - mean) / weight.sum())
    assert found[0][0] == pytest.approx(mean, abs=0.002 * sd)
    assert found[1][0] == pytest.approx(sd, rel=0.005)


def test_a_little_from_many_topics_can_need_finer_nodes_too() -> None:
    model = TopicModel.over(topic_sd=0.05)
    few, many = np.full(2, 10.0), np.full(40, 10.0)
    assert resolution(few, np.zeros(2, np.int32), model).tolist() == [0, 0]
    assert set(resolution(many, np.zeros(40, np.int32), model).tolist()) == {1}


def test_no_rows_need_no_nodes_and_no_bound_of_information_is_a_fault() -> None:
    model = TopicModel.over()
    assert resolution(np.empty(0), np.empty(0, np.int32), model).size == 0
    with pytest.raises(ValueError, match="not finite"):
        resolution(np.array([np.inf]), np.zeros(1, np.int32), model)


def test_topics_that_contradict_each_other_without_end_still_give_a_number() -> None:
    model = TopicModel.over(topic_sd=0.2)
    n = 3000
    up = log_likelihood(np.full(n, 3.0), np.full(n, 4.0), np.ones(n, bool), model.nodes)
    down = log_likelihood(np.full(n, 3.0), np.full(n, -4.0), np.zeros(n, bool), model.nodes)
    theta, se = topic_posterior(np.array([up, down]), np.zeros(2, np.int32), model)
    assert np.isfinite(theta).all()
    assert np.isfinite(se).all()
    assert theta[0] > theta[1]


@pytest.mark.parametrize("topic_sd", [0.03, 0.5])
def test_departures_are_the_moments_of_an_integral_over_theta_and_both_topics(topic_sd: float) -> None:
    model = TopicModel.over(topic_sd=topic_sd)
    a, b = np.array([1.0, 1.5, 0.8]), np.array([-1.0, 0.2, 1.0])
    right = np.array([[True, True, True], [False, False, True]])
    rows = np.array([log_likelihood(a, b, one, model.nodes) for one in right])
    mean, sd = topic_departure(rows, np.zeros(2, np.int32), model)

    theta, delta = np.meshgrid(np.linspace(-6, 6, 241), np.linspace(-5, 5, 201) * topic_sd, indexing="ij")
    likelihood = [np.exp(log_likelihood(a, b, one, (theta + delta).ravel())).reshape(theta.shape) for one in right]
    each = [np.exp(-np.square(delta / topic_sd) / 2) * one for one in likelihood]
    for place in (0, 1):
        joint = np.exp(-np.square(theta) / 2) * each[place] * each[1 - place].sum(axis=1, keepdims=True)
        joint /= joint.sum()
        expected = (joint * delta).sum()
        assert mean[place] == pytest.approx(expected, abs=0.01 * topic_sd)
        assert sd[place] == pytest.approx(np.sqrt((joint * delta**2).sum() - expected**2), rel=0.01)


def test_intervals_of_departures_hold_them_at_their_rate(
    cohort: tuple[Floats, Floats, NDArray[np.int32], TopicModel],
) -> None:
    rows, truth, learner, model = cohort
    mean, sd = topic_departure(rows, learner, model)
    theta = general_posterior(rows, learner, model)[0]
    assert np.corrcoef(mean, truth - theta)[0, 1] > 0.3
    assert np.square(mean).mean() + np.square(sd).mean() == pytest.approx(0.25, rel=0.05)  # the law of total variance
