"""Whether the scale stays where the first night put it: a school of 120 nights, calibrated as the job does.

python -m benchmarks.many_nights [schools] [nights] [every].  Cohorts come and go, with means and spreads, learners
grow, are given items near their level, items are withdrawn and replaced by harder ones, some leak slowly.  Anchors are
chosen on the first night.  Once a week the watch over their answers retires those that changed, and others are chosen
in place of those that are gone.  θ is regressed on the truth on the first night and on the last.
"""

import sys
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from benchmarks.changing_school import LOOKBACK, MONTH, Plan, School, drawn
from benchmarks.drift_power import variance_at
from thetaline import irt
from thetaline.irt.change_points import change_points
from thetaline.irt.item_scores import Answers, item_scores
from thetaline.jobs.anchors.references import AnchorItem
from thetaline.jobs.anchors.selection import AnchorCriteria, PublishedItems, select
from thetaline.jobs.calibration.engine import CalibrationReply, CalibrationRequest, ItemEstimates
from thetaline.jobs.calibration.exclusions import excluded_items
from thetaline.jobs.calibration.in_process_engine import InProcessEngine
from thetaline.jobs.calibration.observations import Observations
from thetaline.jobs.calibration.soundness import with_free_anchors
from thetaline.jobs.drift.monitor import LOG_LIMIT

WEEK = 7
LEAST_ANSWERS = 30  # of an item, the job's default
CRITERIA = AnchorCriteria(count=50, min_answers=30, a_min=0.5, a_max=3.0, max_move=0.5)
STABLE_OVER_RUNS = 3


def observations(window: np.ndarray) -> Observations:
    """Of (4, M), under ids that are the numbers with leading zeros."""
    (people, user), (items, item) = (np.unique(row, return_inverse=True) for row in window[:2].astype(int))
    drawn_answers = Observations(
        np.array([f"{k:05}" for k in people], dtype=object),
        np.array([f"{k:05}" for k in items], dtype=object),
        user.astype(np.int32),
        item.astype(np.int32),
        window[2].astype(np.uint8),
        np.datetime64("2025-11-01", "us") + window[3].astype("timedelta64[D]"),
    )
    return drawn_answers.without_items(excluded_items(drawn_answers, min_answers=LEAST_ANSWERS).ids)


def numbers(ids: np.ndarray) -> np.ndarray:
    return np.array([int(name) for name in ids])


@dataclass
class Watch:
    """References of I items, and the sums of their scores by weeks since then."""

    a: np.ndarray
    b: np.ndarray
    since: np.ndarray  # (I,) week from which an item is watched
    estimates: dict[int, tuple[ItemEstimates, int]] = field(default_factory=dict)  # where the errors of each stand
    sums: np.ndarray = field(default_factory=lambda: np.zeros((3, 0, 0)))

    @classmethod
    def of(cls, n_items: int, n_weeks: int) -> "Watch":
        unknown = np.full((2, n_items), np.nan)
        return cls(*unknown, np.full(n_items, n_weeks), sums=np.zeros((3, n_items, n_weeks)))

    def refer(self, items: np.ndarray, estimates: ItemEstimates, week: int) -> None:
        """Take these estimates of some items as their references from a week on."""
        place = {int(number): k for k, number in enumerate(numbers(estimates.item_ids))}
        for item in items:
            k = place[int(item)]
            self.a[item], self.b[item] = estimates.parameters["a"][k], estimates.parameters["b"][k]
            self.estimates[int(item)] = estimates, k
        self.since[items], self.sums[:, items] = week, 0.0

    def add(self, window: np.ndarray, day: int) -> None:
        """Score the answers of a day."""
        known = np.flatnonzero(self.since <= day // WEEK)
        place = np.full(self.a.size, -1)
        place[known] = np.arange(known.size)
        if not known.size:
            return
        person, item, right, at = window[:, place[window[1].astype(int)] >= 0]
        bank = irt.Items(ids=range(known.size), model="2PL", a=self.a[known], b=self.b[known])
        answers = Answers(person.astype(np.int32), place[item.astype(int)].astype(np.int32), right.astype(bool))
        found = item_scores(bank, answers, at == day)
        weighted = np.nan_to_num(found.location) * found.information
        self.sums[:, known, day // WEEK] += [found.score, found.information, weighted]

    def changed(self, week: int) -> np.ndarray:
        """Items whose odds of a change are beyond the limit."""
        score, information, weighted = self.sums[:, :, : week + 1]
        total = information.sum(axis=1)
        known = np.flatnonzero(total > 0)
        if not known.size:
            return known
        variance = np.array([self._variance(k, weighted[k].sum() / total[k]) for k in known])
        found = change_points(score[known], information[known], variance)
        return known[np.nan_to_num(found.log_odds, nan=-np.inf) > LOG_LIMIT]

    def _variance(self, item: int, location: float) -> float:
        estimates, k = self.estimates[int(item)]
        return float(variance_at(estimates, np.full(estimates.item_ids.size, location))[k])


class Regression(NamedTuple):
    """Of θ on the truth, by estimators that do not shrink: WLE's slope and origin; mean and sd of the population."""

    night: int
    slope: float
    origin: float
    A: float  # published sd / true sd
    B: float  # published mean − true mean
    eap_slope: float  # of the truth on EAP
    eap_origin: float
    n_anchors: int
    dropped: int


@dataclass
class Nights:
    """The state of the product: what is published, which items are anchors."""

    school: School
    watch: Watch
    anchors: dict[int, AnchorItem] = field(default_factory=dict)
    retired: set[int] = field(default_factory=set)
    history: list[ItemEstimates] = field(default_factory=list)
    n_answers: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def calibrate(self, answers: Observations) -> CalibrationReply:
        reply = InProcessEngine().calibrate(CalibrationRequest(answers, "2PL", tuple(self.anchors.values())))
        self.history = [*self.history[1 - STABLE_OVER_RUNS :], with_free_anchors(reply)]
        return reply

    def tag(self, reply: CalibrationReply) -> None:
        """Choose anchors in place of those that are gone, as `thetaline tag` does."""
        items = reply.items
        place = numbers(items.item_ids)
        b = [dict(zip(numbers(one.item_ids), one.parameters["b"], strict=True)) for one in self.history]
        last = [[run[k] for run in b if k in run] for k in place.tolist()]
        published = PublishedItems(
            item_ids=items.item_ids,
            a=items.parameters["a"],
            b=np.array([runs[-1] for runs in last]),
            se_b=self.history[-1].se["b"],
            n_answers=self.n_answers[place].astype(np.int64),
            move=np.array([np.ptp(runs) if len(runs) > 1 else np.nan for runs in last]),
            anchored=np.isin(place, list(self.anchors)),
            has_question=np.full(place.size, fill_value=True),
            retired=np.isin(place, list(self.retired)),
            unseen=np.zeros(place.size, bool),
            reversed=np.zeros(place.size, bool),
        )
        for k in select(published, CRITERIA):
            a, b_ = float(items.parameters["a"][k]), float(items.parameters["b"][k])
            self.anchors[int(place[k])] = AnchorItem(str(items.item_ids[k]), a, b_)

    def tend(self, reply: CalibrationReply, night: int) -> None:
        """What a person does once a week."""
        week = night // WEEK
        for item in self.watch.changed(week):
            if self.anchors.pop(int(item), None):
                self.retired.add(int(item))
        here = set(numbers(reply.items.item_ids).tolist())
        self.anchors = {item: one for item, one in self.anchors.items() if item in here}
        before = set(self.anchors)
        self.tag(reply)
        fresh = np.array(sorted(set(self.anchors) - before), dtype=int)
        self.watch.refer(fresh, self.history[-1], week + 1)
        new = here - set(np.flatnonzero(~np.isnan(self.watch.b)).tolist())
        self.watch.refer(np.array(sorted(new), dtype=int), self.history[-1], week + 1)


def regressed(school: School, window: np.ndarray, reply: CalibrationReply, night: int) -> Regression:
    items, answers = reply.items, observations(window)
    bank = irt.Items(ids=items.item_ids, model="2PL", a=items.parameters["a"], b=items.parameters["b"])
    responses = irt.Responses.from_long(answers.user_ids[answers.user], answers.item_ids[answers.item], answers.correct)
    scores = irt.score(responses, bank, method="WLE")
    people = numbers(scores.ids)
    person, _, _, day = window.astype(int)
    when = np.bincount(person, day, minlength=school.theta.size) / np.maximum(
        np.bincount(person, minlength=school.theta.size), 1
    )
    truth = school.level(people, when[people])
    usable = np.isfinite(scores.theta) & (scores.se < 0.7)
    slope, origin = np.polyfit(truth[usable], scores.theta[usable], 1)
    of = dict(zip(reply.abilities.user_ids, reply.abilities.theta, strict=True))
    eap = np.array([of[f"{k:05}"] for k in people])
    back = np.polyfit(eap, truth, 1)
    mean, sd = reply.population or (np.nan, np.nan)
    linking = reply.linking
    return Regression(
        night, slope, origin, sd / truth.std(), mean - truth.mean(), back[0], back[1],
        linking.n_anchors_used if linking else 0, len(linking.dropped) if linking else 0,
    )  # fmt: skip


def nights(seed: int, plan: Plan) -> list[Regression]:
    """The first night, the last one, and one a month."""
    rng = np.random.default_rng([120, seed])
    school = drawn(rng, plan)
    n_items = school.a.size
    state = Nights(school, Watch.of(n_items, plan.nights // WEEK + 2), n_answers=np.zeros(n_items))
    days = [school.answers(rng, day) for day in range(-LOOKBACK, 0)]
    state.n_answers += np.bincount(np.hstack(days)[1].astype(int), minlength=n_items)
    out = []
    for night in range(plan.nights):
        days = [*days[1 - LOOKBACK :], school.answers(rng, night)]
        window, told = np.hstack(days), night % MONTH == 0 or night == plan.nights - 1
        state.n_answers += np.bincount(days[-1][1].astype(int), minlength=n_items)
        state.watch.add(window, night)
        monday = night % WEEK == WEEK - 1
        if not (told or monday or night % plan.every == 0):
            continue
        reply = state.calibrate(observations(window))
        if night == 0 or monday:
            state.tend(reply, night)
        if told:
            out.append(regressed(school, window, reply, night))
    return out


def main(schools: int = 4, n_nights: int = 120, every: int = 1) -> None:
    plan = Plan(nights=n_nights, every=every)
    print("school " + " ".join(f"{name:>10}" for name in Regression._fields))
    for seed in range(schools):
        for row in nights(seed, plan):
            print(f"{seed:6d} {row.night:10d} " + " ".join(f"{value:10.3f}" for value in row[1:]), flush=True)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:4]))
