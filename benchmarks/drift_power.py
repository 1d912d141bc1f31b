"""How surely the tests of drift see items that change, and how often they call a sound one changed in a year.

python -m benchmarks.drift_power [years] draws schools of 300 learners and 130 items with 220 answers an item in 30
days.  Learners grow, are given items near their level, and none of them twice in 30 days.  References are estimates of
the nightly engine from the 30 days before; 40 of them are anchors.  10 items change overnight by 0.9, 6 leak by 0.9
within 150 days.  The weeks are weighed every night, calibrations are compared every tenth.
"""

import sys
from typing import NamedTuple

import numpy as np

from thetaline import irt
from thetaline.irt.change_points import change_points
from thetaline.irt.item_scores import Answers, item_scores
from thetaline.jobs.anchors.references import AnchorItem
from thetaline.jobs.calibration.engine import CalibrationRequest, ItemEstimates
from thetaline.jobs.calibration.exclusions import excluded_items
from thetaline.jobs.calibration.in_process_engine import InProcessEngine
from thetaline.jobs.calibration.observations import Observations
from thetaline.jobs.calibration.soundness import with_free_anchors
from thetaline.jobs.drift.alerts import ALPHA
from thetaline.jobs.drift.comparison import adjusted_within
from thetaline.jobs.drift.monitor import LOG_LIMIT

N_LEARNERS, N_ITEMS, N_ANCHORS, LOOKBACK = 300, 130, 40, 30
ANSWERS_A_DAY = N_ITEMS * 220 // LOOKBACK
GROWTH = 0.5 / 365  # of every learner, a day
ROUTING = 1.2  # standard deviation of b about the level of a learner
N_SUDDEN, N_LEAKING = 10, 6
COMPARED_EVERY = 10  # nights; windows of 30 days that overlap by more say nearly the same
LEAST_ANSWERS = 30  # of an item, the job's default
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

    def some(self, items: np.ndarray) -> "School":
        of_items = {name: getattr(self, name)[items] for name in ("a", "b", "change", "begins", "takes")}
        return self._replace(**of_items, last=self.last[:, items])

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
    """Of the I items of a school that have a reference, after each of D nights."""

    school: School
    log_odds: np.ndarray  # (I, D) of a change, by the weeks
    compared: np.ndarray  # (I, D) whether the newest comparison of calibrations calls the item changed

    def alarms(self, log_limit: float) -> np.ndarray:
        return np.asarray((self.log_odds > log_limit) | self.compared)

    def found(self, after: np.ndarray, within: int, log_limit: float) -> np.ndarray:
        """(I,) whether there is an alarm between the begin of the change and `within` days after a day (I,)."""
        day = np.arange(self.log_odds.shape[1])
        when = (day >= self.school.begins[:, None]) & (day <= after[:, None] + within)
        return np.asarray(np.any(self.alarms(log_limit) & when, axis=1))


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


def observations(window: list[np.ndarray]) -> Observations:
    person, item, right = np.hstack(window)
    users, items = (np.array([f"{k:04}" for k in range(n)], dtype=object) for n in (N_LEARNERS, N_ITEMS))
    at = np.full(person.size, np.datetime64("2025-11-01", "us"))
    columns = person.astype(np.int32), item.astype(np.int32), right.astype(np.uint8)
    drawn_answers = Observations(users, items, *columns, at)
    return drawn_answers.without_items(excluded_items(drawn_answers, min_answers=LEAST_ANSWERS).ids)


def calibrated(window: list[np.ndarray], anchors: tuple[AnchorItem, ...] = ()) -> ItemEstimates:
    """What the answers of a window say of each item."""
    return with_free_anchors(InProcessEngine().calibrate(CalibrationRequest(observations(window), "2PL", anchors)))


def bank_of(estimates: ItemEstimates) -> tuple[irt.Items, irt.ItemBlocks]:
    a, b = estimates.parameters["a"], estimates.parameters["b"]
    cross = np.asarray(estimates.covariance_ab)
    blocks = np.array([[estimates.se["a"] ** 2, cross], [cross, estimates.se["b"] ** 2]])
    bank = irt.Items(ids=estimates.item_ids, model="2PL", a=a, b=b)
    return bank, irt.ItemBlocks(bank.ids, np.moveaxis(blocks, -1, 0))


def changed(new: ItemEstimates, reference: ItemEstimates, anchors: tuple[AnchorItem, ...]) -> np.ndarray:
    """(I,) of the reference's items: whether the comparison of calibrations calls them changed."""
    (items, errors), (old, old_errors) = bank_of(new), bank_of(reference)
    found = irt.drift(new=items, reference=old, new_covariance=errors, reference_covariance=old_errors)
    p = adjusted_within(found.p, np.isin(found.ids, [one.item_id for one in anchors]))
    return np.isin(reference.item_ids, found.ids[p < ALPHA])


def variance_at(estimates: ItemEstimates, location: np.ndarray) -> np.ndarray:
    """(I,) squared error of b and of what the error of a adds at a location."""
    distance = (location - estimates.parameters["b"]) / estimates.parameters["a"]
    shared = 2 * distance * np.asarray(estimates.covariance_ab)
    return estimates.se["b"] ** 2 + distance**2 * estimates.se["a"] ** 2 - shared


def year(seed: int, n_days: int = 365) -> Year:
    rng = np.random.default_rng([78, seed])
    school = drawn(rng, n_days)
    window = [school.answers(rng, day) for day in range(-LOOKBACK, 0)]
    reference = calibrated(window)
    known = np.array([int(name) for name in reference.item_ids])
    a, b = reference.parameters["a"], reference.parameters["b"]
    anchors = tuple(
        AnchorItem(f"{known[k]:04}", float(a[k]), float(b[k])) for k in rng.permutation(known.size)[:N_ANCHORS]
    )
    bank = irt.Items(ids=range(known.size), model="2PL", a=a, b=b)
    weeks = np.zeros((3, known.size, -(-n_days // 7)))
    log_odds, compared = np.full((known.size, n_days), -np.inf), np.zeros((known.size, n_days), bool)
    for day in range(n_days):
        window = [*window[1:], school.answers(rng, day)]
        weeks[:, :, day // 7] += day_scores(bank, known, window)
        log_odds[:, day] = odds(weeks[:, :, : day // 7 + 1], reference)
        if day >= LOOKBACK and day % COMPARED_EVERY == COMPARED_EVERY - 1:
            compared[:, day : day + COMPARED_EVERY] = changed(calibrated(window, anchors), reference, anchors)[:, None]
    return Year(school.some(known), np.nan_to_num(log_odds, nan=-np.inf), compared)


def day_scores(bank: irt.Items, known: np.ndarray, window: list[np.ndarray]) -> np.ndarray:
    """(3, I) score, information and information × location of the window's last day."""
    place = np.full(N_ITEMS, -1, dtype=np.int32)
    place[known] = np.arange(known.size)
    rows = np.hstack(window)
    fresh = np.arange(rows.shape[1]) >= rows.shape[1] - window[-1].shape[1]
    usable = place[rows[1].astype(int)] >= 0
    person, item, right = rows[:, usable]
    answers = Answers(person.astype(np.int32), place[item.astype(int)], right.astype(bool))
    found = item_scores(bank, answers, fresh[usable])
    return np.stack([found.score, found.information, np.nan_to_num(found.location) * found.information])


def odds(weeks: np.ndarray, reference: ItemEstimates) -> np.ndarray:
    """(I,) log odds of a change, by the weeks so far."""
    score, information, weighted = weeks
    location = weighted.sum(axis=1) / np.maximum(information.sum(axis=1), 1e-9)
    return change_points(score, information, variance_at(reference, location)).log_odds


def rates(years: list[Year], log_limit: float) -> dict[str, float]:
    """False alarms of sound items in the whole time, and the shares of changes that are found."""
    sound = np.concatenate([one.alarms(log_limit)[one.school.change == 0].any(axis=1) for one in years])
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
