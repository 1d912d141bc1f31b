"""The scale of a night against the truth, by the benchmark's schools at few replications: bias within its error."""

import numpy as np
import pytest
from benchmarks.nightly_scale import NIGHTS, Night, calibrated, school, table

COLUMN = {name: k for k, name in enumerate(Night._fields)}


@pytest.fixture(scope="module", params=[((500, 150, 25), (0.4, 1.2), 8), ((300, 30, 18), (0.4, 0.8), 16)])
def nights(request: pytest.FixtureRequest) -> np.ndarray:
    return table(*request.param)


@pytest.mark.parametrize("anchors", NIGHTS)
@pytest.mark.parametrize(("value", "truth", "bias"), [("A", 1.0, 0.02), ("B", 0.0, 0.02), ("log_a", 0.0, 0.025)])
def test_learners_and_items_lie_on_the_anchors_scale(nights, anchors, value, truth, bias) -> None:
    found = nights[:, NIGHTS.index(anchors), COLUMN[value]]
    error = found.std(ddof=1) / np.sqrt(len(found))
    assert abs(found.mean() - truth) < bias + 2.5 * error
    assert error < 0.05


def test_sound_anchors_are_kept(nights) -> None:
    assert nights[:, 1:, COLUMN["dropped"]].mean() <= 0.05


def test_two_halves_of_one_school_lie_on_one_scale() -> None:
    ratios = []
    for seed in range(8):
        rng = np.random.default_rng([3, seed])
        truth = school(rng, 60)
        first = calibrated(truth.answers(rng, (400, 60, 20), 0.0, 1.0)[0], [])
        second = calibrated(truth.answers(rng, (400, 60, 20), 0.0, 1.0)[0], [])
        a = [dict(zip(r.items.item_ids, r.items.parameters["a"], strict=True)) for r in (first, second)]
        ratios.append(np.mean([np.log(a[0][name] / a[1][name]) for name in a[0].keys() & a[1].keys()]))
    assert abs(np.mean(ratios)) < 3 * np.std(ratios) / np.sqrt(len(ratios)) < 0.1


def test_the_first_night_makes_its_learners_the_scale() -> None:
    rng = np.random.default_rng(8)
    truth = school(rng, 200)
    reply = calibrated(truth.answers(rng, (170, 200, 60), 2.0, 0.6)[0], [])
    assert reply.population == (0.0, 1.0)
    assert abs(reply.abilities.theta.mean()) < 0.02
    spread = np.sqrt(reply.abilities.theta.var() + np.mean(reply.abilities.se**2))
    assert spread == pytest.approx(1.0, abs=0.03)
