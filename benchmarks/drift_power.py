"""How surely the watch over weeks sees items that change, and how often it calls a sound one changed in a year.

python -m benchmarks.drift_power [years] draws schools of 600 learners and 260 items with 220 answers an item in 30
days.  Learners grow, are given items near their level, and none of them twice in 30 days.  References are estimates of
the nightly engine from the 30 days before.  20 items change overnight by 0.9, 12 leak by 0.9 within 150 days.
"""

import sys
from typing import NamedTuple

import numpy as np

from thetaline import irt
from thetaline.irt.change_points import change_points
from thetaline.irt.item_scores import Answers, item_scores
from thetaline.jobs.calibration.engine import CalibrationRequest, ItemEstimates
from thetaline.jobs.calibration.in_process_engine import InProcessEngine
from thetaline.jobs.calibration.observations import Observations
from thetaline.jobs.drift.monitor import LOG_LIMIT

N_LEARNERS, N_ITEMS, LOOKBACK = 600, 260, 30
ANSWERS_A_DAY = N_ITEMS * 220 // LOOKBACK
GROWTH = 0.5 / 365  # of every learner, a day
ROUTING = 1.2  # standard deviation of b about the level of a learner
N_SUDDEN, N_LEAKING = 20, 12
CHANGE, LEAK_DAYS, HALF = 0.9, 150, 0.5
SEEN_WITHIN = (30, 45, 60)


class School(NamedTuple):
    """I items and N learners; `begins` (I,) is the day of a change, counted from the end of the reference's window."""

    a: np.ndarray
    b: np.ndarray
    theta: np.ndarray
    change: np.ndarray  # (I,) of b, 0 for sound items
    begins: np.ndarray
    takes: np.ndarray  # (I,) days: 1 or LEAK_DAYS
    last: np.ndarray  # (N, I) day of the last answer

    def moved(self, day: int) -> np.ndarray:
        """(I,) change of b by then."""
        return np.asarray(self.change * np.clip((day - self.begins + 1) / self.takes, 0.0, 1.0))

    def answers(self, rng: np.random.Generator, day: int) -> np.ndarray:
        """(3, M) learner, item, right."""
        person, item = rng.integers(0, [[N_LEARNERS], [N_ITEMS]], (2, 8 * ANSWERS_A_DAY))
        level = self.theta[person] + GROWTH * day
        near = rng.random(person.size) < np.exp(-0.5 * ((level - self.b[item]) / ROUTING) ** 2)
        _, once = np.unique(person * N_ITEMS + item, return_index=True)
        able = near & (day - self.last[person, item] >= LOOKBACK)
        kept = np.sort(once[able[once]])[:ANSWERS_A_DAY]
        person, item = person[kept], item[kept]
        self.last[person, item] = day
        gap = level[kept] - self.b[item] - self.moved(day)[item]
        return np.stack([person, item, rng.random(kept.size) < 1 / (1 + np.exp(-self.a[item] * gap))])


class Year(NamedTuple):
    """(I, D) log odds after each night, of the school's items."""

    school: School
    log_odds: np.ndarray

    def found(self, after: np.ndarray, within: int, log_limit: float) -> np.ndarray:
        """(I,) whether there is an alarm between the begin of the change and `within` days after a day (I,)."""
        day = np.arange(self.log_odds.shape[1])
        when = (day >= self.school.begins[:, None]) & (day <= after[:, None] + within)
        return np.asarray(np.any((self.log_odds > log_limit) & when, axis=1))


def drawn(rng: np.random.Generator, n_days: int) -> School:
    kind = rng.permutation(N_ITEMS)
    sudden, leaking = kind < N_SUDDEN, (kind >= N_SUDDEN) & (kind < N_SUDDEN + N_LEAKING)
    return School(
        a=rng.lognormal(0.1, 0.3, N_ITEMS),
        b=rng.normal(0, 1.0, N_ITEMS),
        theta=rng.normal(0, 1, N_LEARNERS),
        change=np.where(sudden, np.where(kind % 2, -CHANGE, CHANGE), -CHANGE * leaking),
        begins=rng.integers(0, np.maximum(n_days - np.where(sudden, LOOKBACK, LEAK_DAYS), 1)),
        takes=np.where(leaking, LEAK_DAYS, 1),
        last=np.full((N_LEARNERS, N_ITEMS), -3 * LOOKBACK),
    )


def references(window: list[np.ndarray]) -> ItemEstimates:
    person, item, right = np.hstack(window)
    users, items = (np.array([f"{k:04}" for k in range(n)], dtype=object) for n in (N_LEARNERS, N_ITEMS))
    at = np.full(person.size, np.datetime64("2025-11-01", "us"))
    columns = person.astype(np.int32), item.astype(np.int32), right.astype(np.uint8)
    drawn_answers = Observations(users, items, *columns, at)
    return InProcessEngine().calibrate(CalibrationRequest(drawn_answers, "2PL", ())).items


def variance_at(estimates: ItemEstimates, location: np.ndarray) -> np.ndarray:
    """(I,) squared error of b and of what the error of a adds at a location."""
    distance = (location - estimates.parameters["b"]) / estimates.parameters["a"]
    shared = 2 * distance * np.asarray(estimates.covariance_ab)
    return estimates.se["b"] ** 2 + distance**2 * estimates.se["a"] ** 2 - shared


def year(seed: int, n_days: int = 365) -> Year:
    rng = np.random.default_rng([77, seed])
    school = drawn(rng, n_days)
    window = [school.answers(rng, day) for day in range(-LOOKBACK, 0)]
    estimates = references(window)
    bank = irt.Items(ids=range(N_ITEMS), model="2PL", a=estimates.parameters["a"], b=estimates.parameters["b"])
    score, information, weighted = np.zeros((3, N_ITEMS, -(-n_days // 7)))
    log_odds = np.full((N_ITEMS, n_days), -np.inf)
    for day in range(n_days):
        window = [*window[1:], school.answers(rng, day)]
        person, item, right = np.hstack(window)
        fresh = np.arange(person.size) >= person.size - window[-1].shape[1]
        answers = Answers(person.astype(np.int32), item.astype(np.int32), right.astype(bool))
        found = item_scores(bank, answers, fresh)
        week = day // 7
        score[:, week] += found.score
        information[:, week] += found.information
        weighted[:, week] += np.nan_to_num(found.location) * found.information
        so_far = slice(0, week + 1)
        known = np.maximum(information[:, so_far].sum(axis=1), 1e-9)
        variance = variance_at(estimates, weighted[:, so_far].sum(axis=1) / known)
        log_odds[:, day] = change_points(score[:, so_far], information[:, so_far], variance).log_odds
    return Year(school, np.nan_to_num(log_odds, nan=-np.inf))


def rates(years: list[Year], log_limit: float) -> dict[str, float]:
    """False alarms of sound items in the whole time, and the shares of changes that are found."""
    sound = np.concatenate([one.log_odds[one.school.change == 0].max(axis=1) > log_limit for one in years])
    out = {"false": float(sound.mean())}
    for within in SEEN_WITHIN:
        for kind, takes, ripe in (("sudden", 1, 0), ("leak", LEAK_DAYS, int(LEAK_DAYS * HALF / CHANGE))):
            hits = [
                one.found(one.school.begins + ripe, within, log_limit)[
                    (one.school.change != 0) & (one.school.takes == takes)
                ]
                for one in years
            ]
            out[f"{kind} {within}"] = float(np.concatenate(hits).mean())
    return out


def main(n_years: int = 6) -> None:
    years = [year(seed) for seed in range(n_years)]
    for limit in (np.log(400.0), LOG_LIMIT, np.log(1000.0)):
        cells = (f"{name} {value:.3f}" for name, value in rates(years, limit).items())
        print(f"odds above {np.exp(limit):.0f}: " + ", ".join(cells), flush=True)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:2]))
