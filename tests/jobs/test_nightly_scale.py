"""The scale of a night against the truth, by the benchmark's schools at few replications.

Each is compared with the population that its own answers have under the true items: what luck in drawing learners and
answers does to both is no bias, and the rest has a small error.
"""

from typing import NamedTuple

import numpy as np
import pytest
from benchmarks.nightly_scale import School, calibrated, references, school

from thetaline import irt
from thetaline.jobs.calibration.observations import Observations

SIZE, POPULATION, REPLICATIONS = (250, 60, 20), (0.4, 1.2), 8


class Bias(NamedTuple):
    """Of one school: mean error of log a on a first night; A as a ratio, and B, of a second one beside true anchors."""

    log_a: float
    A: float
    B: float
    ratio_beside_estimates: float  # beside anchors that are estimates of the first night
    dropped: float  # share of the anchors, all of them sound


def known_population(truth: School, answers: Observations) -> tuple[float, float]:
    """Mean and sd of the learners where all items have their true parameters."""
    at = np.searchsorted(truth.names.astype(str), answers.item_ids.astype(str))
    responses = irt.Responses.from_long(answers.user, answers.item, answers.correct)
    fit = irt.calibrate(responses, anchors=irt.Items(ids=responses.item_ids, model="2PL", a=truth.a[at], b=truth.b[at]))
    return float(fit.population.mean[0]), float(fit.population.sd[0])


def replicate(seed: int) -> Bias:
    rng = np.random.default_rng([20, seed])
    truth = school(rng, SIZE[1])
    one, other = truth.answers(rng, SIZE, 0.0, 1.0)[0], truth.answers(rng, SIZE, *POPULATION)[0]
    chosen = rng.permutation(truth.names)[: SIZE[1] // 3]
    (_, sd), (mean_later, sd_later) = known_population(truth, one), known_population(truth, other)
    first = calibrated(one, []).items
    a = truth.a[np.searchsorted(truth.names.astype(str), first.item_ids.astype(str))]
    exact = calibrated(other, references(truth.names, truth.a, truth.b, chosen))
    estimated = references(first.item_ids, first.parameters["a"], first.parameters["b"], chosen)
    beside = calibrated(other, estimated)
    lost = [len(reply.linking.dropped) / len(estimated) for reply in (exact, beside) if reply.linking]
    return Bias(
        log_a=float(np.log(first.parameters["a"] / (a * sd)).mean()),
        A=exact.population[1] / sd_later,
        B=exact.population[0] - mean_later,
        ratio_beside_estimates=beside.population[1] * sd / sd_later,
        dropped=float(np.mean(lost)),
    )


@pytest.fixture(scope="module")
def biases() -> np.ndarray:
    return np.array([replicate(seed) for seed in range(REPLICATIONS)])


def told(biases: np.ndarray, name: str) -> tuple[float, float]:
    """Mean and its standard error."""
    column = biases[:, Bias._fields.index(name)]
    return float(column.mean()), float(column.std(ddof=1) / np.sqrt(len(column)))


def test_a_first_night_has_slopes_without_bias(biases) -> None:
    mean, error = told(biases, "log_a")
    assert error < 0.01
    # 0.02 at 83 answers an item; 0.04 at the joint mode of all slopes, −0.05 about a guessed centre of their prior
    assert mean == pytest.approx(0.01, abs=0.02)


@pytest.mark.parametrize(("name", "truth"), [("A", 1.0), ("B", 0.0), ("ratio_beside_estimates", 1.0)])
def test_learners_lie_on_the_anchors_scale(biases, name: str, truth: float) -> None:
    mean, error = told(biases, name)
    assert abs(mean - truth) < 0.02 + 2 * error
    assert error < 0.025


def test_sound_anchors_are_kept(biases) -> None:
    assert told(biases, "dropped")[0] <= 0.05


def test_the_first_night_makes_its_learners_the_scale() -> None:
    rng = np.random.default_rng(8)
    truth = school(rng, 120)
    reply = calibrated(truth.answers(rng, (170, 120, 50), 2.0, 0.6)[0], [])
    assert reply.population == (0.0, 1.0)
    assert abs(reply.abilities.theta.mean()) < 0.02
    spread = np.sqrt(reply.abilities.theta.var() + np.mean(reply.abilities.se**2))
    assert spread == pytest.approx(1.0, abs=0.03)
