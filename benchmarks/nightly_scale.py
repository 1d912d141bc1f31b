"""Where the nightly calibration puts learners and items, against the truth: bias of A, B and log a, errors of b and θ.

python -m benchmarks.nightly_scale [replications] draws schools by the sizes below.  Each has a first night without
anchors, with learners N(0, 1), and a second one whose learners are N(mean, sd²): once with a third of the items as
anchors of known parameters, once with the estimates of the first night as references.  Means with standard errors.
"""

import sys
from typing import NamedTuple

import numpy as np

from thetaline.jobs.anchors.references import AnchorItem
from thetaline.jobs.calibration.engine import CalibrationReply, CalibrationRequest
from thetaline.jobs.calibration.exclusions import excluded_items
from thetaline.jobs.calibration.in_process_engine import InProcessEngine
from thetaline.jobs.calibration.observations import Observations

SIZES = ((500, 150, 25), (300, 30, 18), (3000, 150, 40))
POPULATIONS = ((-0.5, 0.8), (0.4, 1.0), (0.4, 1.2), (0.8, 1.5))
MEAN_LOG_A, SD_LOG_A, SD_B = 0.1, 0.3, 1.1
LEAST_ANSWERS = 10
FAR = 4.0  # no person would tag an item this easy or hard
NIGHTS = ("first", "true", "estimated")


class Night(NamedTuple):
    """Biases of one calibration: A as a ratio, of log a over items that are no anchors; root mean square errors."""

    A: float
    B: float
    log_a: float
    rmse_b: float
    rmse_theta: float
    dropped: float  # share of the anchors, all of them sound


class School(NamedTuple):
    """True parameters of I items."""

    names: np.ndarray
    a: np.ndarray
    b: np.ndarray

    def answers(
        self, rng: np.random.Generator, size: tuple[int, int, int], mean: float, sd: float
    ) -> tuple[Observations, np.ndarray]:
        n_users, n_items, n_answers = size
        theta = rng.normal(mean, sd, n_users)
        item = np.concatenate([rng.permutation(n_items)[:n_answers] for _ in range(n_users)]).astype(np.int32)
        user = np.repeat(np.arange(n_users, dtype=np.int32), n_answers)
        p = 1 / (1 + np.exp(-self.a[item] * (theta[user] - self.b[item])))
        drawn = Observations(
            user_ids=np.array([f"u{k:05}" for k in range(n_users)], dtype=object),
            item_ids=self.names,
            user=user,
            item=item,
            correct=(rng.random(item.size) < p).astype(np.uint8),
            responded_at=np.full(item.size, np.datetime64("2025-11-01", "us")),
        )
        return drawn.without_items(excluded_items(drawn, min_answers=LEAST_ANSWERS).ids), theta


def school(rng: np.random.Generator, n_items: int) -> School:
    names = np.array([f"q{k:04}" for k in range(n_items)], dtype=object)
    return School(names, rng.lognormal(MEAN_LOG_A, SD_LOG_A, n_items), rng.normal(0, SD_B, n_items))


def calibrated(answers: Observations, anchors: list[AnchorItem]) -> CalibrationReply:
    return InProcessEngine().calibrate(CalibrationRequest(answers, "2PL", tuple(anchors)))


def references(names: np.ndarray, a: np.ndarray, b: np.ndarray, chosen: np.ndarray) -> list[AnchorItem]:
    rows = zip(names, a.tolist(), b.tolist(), strict=True)
    return [AnchorItem(name, *values) for name, *values in rows if name in set(chosen) and abs(values[1]) < FAR]


def night(
    truth: School,
    answered: tuple[Observations, np.ndarray],
    population: tuple[float, float],
    anchors: list[AnchorItem],
) -> tuple[Night, CalibrationReply]:
    reply = calibrated(answered[0], anchors)
    mean, sd = reply.population or (np.nan, np.nan)
    place = {name: k for k, name in enumerate(truth.names)}
    at = np.array([place[name] for name in reply.items.item_ids])
    new = ~np.isin(reply.items.item_ids, [one.item_id for one in anchors])
    error_a = np.log(reply.items.parameters["a"] / truth.a[at])[new]
    error_b = (reply.items.parameters["b"] - truth.b[at])[new]
    users = np.array([int(name[1:]) for name in reply.abilities.user_ids])
    error_theta = reply.abilities.theta - answered[1][users]
    dropped = len(reply.linking.dropped) / len(anchors) if reply.linking else 0.0
    return Night(
        A=sd / population[1],
        B=mean - population[0],
        log_a=float(error_a.mean()),
        rmse_b=float(np.sqrt(np.mean(error_b**2))),
        rmse_theta=float(np.sqrt(np.mean(error_theta**2))),
        dropped=dropped,
    ), reply


def replicate(size: tuple[int, int, int], population: tuple[float, float], seed: int) -> list[Night]:
    """The first night, and the second with true and with estimated references."""
    rng = np.random.default_rng([20, seed])
    truth = school(rng, size[1])
    first, reply = night(truth, truth.answers(rng, size, 0.0, 1.0), (0.0, 1.0), [])
    chosen = rng.permutation(truth.names)[: max(10, size[1] // 3)]
    estimates = reply.items
    second = truth.answers(rng, size, *population)
    exact = references(truth.names, truth.a, truth.b, chosen)
    estimated = references(estimates.item_ids, estimates.parameters["a"], estimates.parameters["b"], chosen)
    return [first, *(night(truth, second, population, anchors)[0] for anchors in (exact, estimated))]


def table(size: tuple[int, int, int], population: tuple[float, float], replications: int) -> np.ndarray:
    """(replications, 3 nights, values)."""
    return np.array([replicate(size, population, seed) for seed in range(replications)])


def main(replications: int = 20) -> None:
    for size in SIZES:
        for population in POPULATIONS:
            values = table(size, population, replications)
            mean, error = values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(replications)
            print(f"\n{size[0]} learners x {size[1]} items x {size[2]} answers, N({population[0]}, {population[1]}²)")
            print("  anchors    " + "".join(f"{name:>18}" for name in Night._fields))
            for name, row, errors in zip(NIGHTS, mean, error, strict=True):
                cells = (f"{value:.3f} ± {se:.3f}" for value, se in zip(row, errors, strict=True))
                print(f"  {name:<11}" + "".join(f"{cell:>18}" for cell in cells), flush=True)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:2]))
