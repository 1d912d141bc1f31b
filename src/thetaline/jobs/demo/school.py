"""A simulated school whose truth is known; the same plan gives the same school.

Learners have an ability at the start and a growth rate; those who start low grow faster. Items follow the 2PL; some
are opened later, a few change their difficulty half-way. Time is counted in weeks since the first day.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from thetaline.jobs.arrays import Array, Ints, Mask

TOPICS = ("numbers", "algebra", "geometry", "functions", "statistics", "probability", "measurement", "logic")
TERM_WEEKS = 4.0  # between which new items are opened
RATE_SD = 0.07
DRIFT_WEEK = 7.0
MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class SchoolPlan:
    """The size of the school, and its seed."""

    learners: int = 500
    items: int = 150
    new_items_a_month: int = 12
    drifting: int = 6
    weeks: int = 12
    learners_a_class: int = 25
    seed: int = 20_251_102

    @property
    def terms(self) -> int:
        """Terms of four weeks, the last perhaps shorter."""
        return int(np.ceil(self.weeks / TERM_WEEKS))


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What the estimates should find: N learners, I items, on the scale where first abilities are N(0, 1)."""

    user_ids: npt.NDArray[np.str_]  # (N,)
    theta0: Array  # (N,) ability on the first day
    rate: Array  # (N,) growth a week
    leaves: Array  # (N,) week of the last session; beyond the end for those who stay
    item_codes: npt.NDArray[np.str_]  # (I,)
    topic: Ints  # (I,) index into TOPICS
    a: Array  # (I,)
    b: Array  # (I,) before any drift
    opened: Array  # (I,) week, ascending
    drift: Array  # (I,) what is added to b from DRIFT_WEEK on

    def theta(self, learner: Ints, week: Array) -> Array:
        """Ability of `learner` at `week`, which may lie after the end: a line."""
        return np.asarray(self.theta0[learner] + self.rate[learner] * week)

    def difficulty(self, item: Ints, week: Array) -> Array:
        """b of `item` at `week`."""
        return self.b[item] + np.where(np.asarray(week) >= DRIFT_WEEK, self.drift[item], 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedAnswers:
    """M answers in the order of learner and time."""

    learner: Ints  # (M,) index
    item: Ints  # (M,) index
    session: Ints  # (M,) number of the session
    at_ms: Ints  # (M,) milliseconds since the first day began
    correct: npt.NDArray[np.int8]  # (M,) 1, 0, or −1: shown and not answered
    response_ms: Ints  # (M,)
    hint: Mask  # (M,)

    @property
    def week(self) -> Array:
        """(M,) weeks since the first day."""
        return self.at_ms / (7 * DAY_MS)


def simulate(plan: SchoolPlan) -> tuple[Truth, SimulatedAnswers]:
    """The truth of the school and its answers."""
    rng = np.random.default_rng(plan.seed)
    truth = _truth(plan, rng)
    return truth, _answers(plan, truth, rng)


def _truth(plan: SchoolPlan, rng: np.random.Generator) -> Truth:
    n_later = plan.new_items_a_month * (plan.terms - 1)
    n_items = plan.items + n_later
    topic = np.arange(n_items) % len(TOPICS)
    offsets = np.linspace(-0.6, 0.6, len(TOPICS))
    opened = np.concatenate(
        [np.zeros(plan.items), TERM_WEEKS * np.repeat(np.arange(1, plan.terms), plan.new_items_a_month)]
    )
    churn = rng.random(plan.learners) < 0.08
    theta0 = rng.normal(0.0, 1.0, plan.learners)
    catching_up = 0.05 - 0.03 * theta0  # so that abilities do not fan out
    return Truth(
        user_ids=np.array([f"learner-{number:04d}" for number in range(1, plan.learners + 1)]),
        theta0=theta0,
        rate=rng.normal(catching_up, RATE_SD),
        leaves=np.where(churn, rng.uniform(5.0, plan.weeks, plan.learners), np.inf),
        item_codes=np.array([f"{TOPICS[t][:4]}-{number:03d}" for number, t in enumerate(topic, start=1)]),
        topic=topic,
        a=rng.lognormal(0.1, 0.3, n_items),
        b=offsets[topic] + rng.normal(0.2, 0.9, n_items),
        opened=opened,
        drift=_drift(plan, n_items, rng),
    )


def _drift(plan: SchoolPlan, n_items: int, rng: np.random.Generator) -> Array:
    """Two in three drifting items leak and become easier, the others harder; all are there from the first day."""
    drift = np.zeros(n_items)
    places = rng.choice(plan.items, min(plan.drifting, plan.items), replace=False)
    drift[places] = np.where(np.arange(len(places)) % 3 < 2, -1.0, 1.0)
    return drift


def _answers(plan: SchoolPlan, truth: Truth, rng: np.random.Generator) -> SimulatedAnswers:
    learner, start_ms = _sessions(plan, truth, rng)
    session, item = _questions(truth, start_ms, rng)
    week = start_ms[session] / (7 * DAY_MS)
    gap = truth.theta(learner[session], week) - truth.difficulty(item, week)
    right = rng.random(len(item)) < 1.0 / (1.0 + np.exp(-truth.a[item] * gap))
    response_ms = _response_times(gap, rng)
    return SimulatedAnswers(
        learner=learner[session],
        item=item,
        session=session,
        at_ms=start_ms[session] + _elapsed(response_ms, session),
        correct=np.where(_unanswered(session, rng), -1, right).astype(np.int8),
        response_ms=response_ms,
        hint=rng.random(len(item)) < 0.25 / (1.0 + np.exp(1.5 * gap)),
    )


def _sessions(plan: SchoolPlan, truth: Truth, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Learner and start of every session: two a week on average, a gamma rate a learner, at 14 to 20 o'clock."""
    session_rate = rng.gamma(6.0, 2.0 / 6.0, plan.learners)
    learner = np.repeat(np.arange(plan.learners), rng.poisson(session_rate * plan.weeks))
    day = rng.integers(0, plan.weeks * 7, len(learner))
    start = day * DAY_MS + rng.integers(14 * 60, 20 * 60, len(learner)) * MINUTE_MS
    present = day / 7 < truth.leaves[learner]
    order = np.lexsort((start[present], learner[present]))
    return learner[present][order], start[present][order]


def _questions(truth: Truth, start_ms: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """About twelve different questions a session, drawn from those that are open that week."""
    session = np.repeat(np.arange(len(start_ms)), rng.integers(9, 16, len(start_ms)))
    n_open = np.searchsorted(truth.opened, start_ms[session] / (7 * DAY_MS), side="right")
    item = (rng.random(len(session)) * n_open).astype(np.int64)
    _, first = np.unique(session * len(truth.a) + item, return_index=True)
    kept = np.sort(first)
    return session[kept], item[kept]


def _response_times(gap: Array, rng: np.random.Generator) -> Ints:
    """Lognormal around 40 s (van der Linden, 2006), longer for more difficult items."""
    response_ms: Ints = np.round(np.exp(rng.normal(np.log(40_000) - 0.15 * gap, 0.5))).astype(np.int64)
    return response_ms


def _elapsed(response_ms: Ints, session: Ints) -> Ints:
    """Milliseconds since the start of the session at which each answer is given."""
    total = np.cumsum(response_ms)
    first = np.searchsorted(session, session)
    since_first: Ints = total - (total[first] - response_ms[first])
    return since_first


def _unanswered(session: Ints, rng: np.random.Generator) -> Mask:
    """In one session of four the last question stays unanswered, in a few the last two."""
    from_end = np.searchsorted(session, session, side="right") - np.arange(len(session))
    gave_up = rng.random(int(session[-1]) + 1 if len(session) else 0)[session]
    unanswered: Mask = ((from_end == 1) & (gave_up < 0.25)) | ((from_end == 2) & (gave_up < 0.08))
    return unanswered
