"""How often the gate holds spoiled nights, and sound ones: python -m benchmarks.gate_power [replications].

A school of 100 items and 500 learners with 30 answers each has a published night with 30 anchors.  The next night has
nine tenths of the same learners, who have learned a little, and new ones; then it is spoiled, or not.  Sound nights are
those, nights of a population that grows, and of the sizes at which the limits were chosen.  With intervals of Wilson.
"""

import sys
from collections import Counter
from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest

from benchmarks.nightly_scale import School, references, school
from benchmarks.spoiled_nights import SPOILED
from thetaline.jobs.anchors.references import AnchorItem
from thetaline.jobs.calibration.engine import CalibrationReply, CalibrationRequest
from thetaline.jobs.calibration.exclusions import excluded_items
from thetaline.jobs.calibration.gate import check_all
from thetaline.jobs.calibration.gate_values import GateInput, GateLimits, PublishedParameters
from thetaline.jobs.calibration.in_process_engine import InProcessEngine
from thetaline.jobs.calibration.observations import Observations
from thetaline.jobs.calibration.published_comparison import PublishedAbilities, anchors_rmsd
from thetaline.jobs.calibration.soundness import soundness, with_free_anchors
from thetaline.learning.school_calendar import UTC_DAYS
from thetaline.settings import load

LEAST_ANSWERS = 30  # of an item, the job's default
SESSIONS, SCHOOL_DAYS = 3, 22  # of a learner, in a window
LIMITS = GateLimits.of(load())


class Size(NamedTuple):
    """Of a night; `anchors` are true, or estimates of the first night."""

    n_users: int
    n_items: int
    n_answers: int
    n_anchors: int


SCHOOL = Size(500, 100, 30, 30)
SOUND_SIZES = (
    Size(2000, 300, 40, 100),
    Size(300, 40, 20, 13),
    Size(1600, 120, 8, 40),
    Size(500, 150, 25, 50),
    Size(200, 150, 25, 50),
)


class Published(NamedTuple):
    """A night that went well, and the anchors that it was linked by."""

    parameters: PublishedParameters
    anchors: list[AnchorItem]


def sat(
    rng: np.random.Generator, truth: School, theta: np.ndarray, n_answers: int, first_user: int = 0
) -> Observations:
    """Everybody answers on some days of school."""
    n_items = truth.names.size
    item = np.concatenate([rng.permutation(n_items)[:n_answers] for _ in theta]).astype(np.int32)
    user = np.repeat(np.arange(theta.size, dtype=np.int32), n_answers)
    p = 1 / (1 + np.exp(-truth.a[item] * (theta[user] - truth.b[item])))
    day = rng.integers(0, SCHOOL_DAYS, (theta.size, SESSIONS))[
        user, np.arange(item.size) % n_answers * SESSIONS // n_answers
    ]
    return Observations(
        user_ids=np.array([f"u{first_user + k:05}" for k in range(theta.size)], dtype=object),
        item_ids=truth.names,
        user=user,
        item=item,
        correct=(rng.random(item.size) < p).astype(np.uint8),
        responded_at=np.datetime64("2025-11-03", "us") + (day // 5 * 7 + day % 5).astype("timedelta64[D]"),
    )


def calibrated(answers: Observations, anchors: list[AnchorItem]) -> tuple[Observations, CalibrationReply]:
    kept = answers.without_items(excluded_items(answers, min_answers=LEAST_ANSWERS).ids)
    return kept, InProcessEngine().calibrate(CalibrationRequest(kept, "2PL", tuple(anchors)))


def published(reply: CalibrationReply, anchors: list[AnchorItem]) -> Published:
    items, people = reply.items, reply.abilities
    parameters = PublishedParameters(
        "last",
        items.item_ids,
        items.parameters["a"],
        items.parameters["b"],
        estimates=with_free_anchors(reply),
        abilities=PublishedAbilities(people.user_ids, people.theta, people.se),
    )
    return Published(parameters, anchors)


def held_by(answers: Observations, last: Published) -> tuple[str, ...]:
    """Names of the checks that a night fails."""
    kept, reply = calibrated(answers, last.anchors)
    used = [one for one in last.anchors if reply.linking and one.item_id not in reply.linking.dropped]
    found = soundness(
        kept,
        reply,
        day=UTC_DAYS.day_numbers(kept.responded_at.astype(np.int64)),
        anchors=last.anchors,
        items=last.parameters.estimates,
        abilities=last.parameters.abilities,
    )
    run = GateInput(
        status=reply.fit.status,
        converged=reply.fit.converged,
        n_users=reply.abilities.user_ids.size,
        item_ids=reply.items.item_ids,
        a=reply.items.parameters["a"],
        b=reply.items.parameters["b"],
        n_anchors_tagged=len(last.anchors),
        n_anchors_used=reply.linking.n_anchors_used if reply.linking else 0,
        linked=reply.linking is not None,
        rmsd=anchors_rmsd(used, with_free_anchors(reply)) if reply.linking else None,
        link_message=reply.not_linked,
        published=last.parameters,
        soundness=found,
    )
    return tuple(check.name for check in check_all(run, LIMITS) if not check.passed)


def misstated(truth: School, other: School) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """a and b of the anchors' references that a person may have put in."""
    return {
        "anchors of another bank": (truth.a, other.b),
        "anchors' b x 1.5": (truth.a, 1.5 * truth.b),
        "anchors' a x 1.7": (1.7 * truth.a, truth.b),
        "anchors' b + 1": (truth.a, truth.b + 1),
        "anchors' b with other signs": (truth.a, -truth.b),
    }


def replicate(seed: int, names: tuple[str, ...] = (), size: Size = SCHOOL) -> dict[str, tuple[str, ...]]:
    """What holds each kind of night of the one school (default: all): "sound", "grown" and the spoiled ones."""
    rng = np.random.default_rng([30, seed])
    truth = school(rng, size.n_items)
    theta = rng.normal(0.3, 1.1, size.n_users)
    chosen = rng.permutation(truth.names)[: size.n_anchors]
    anchors = references(truth.names, truth.a, truth.b, chosen)
    last = published(calibrated(sat(rng, truth, theta, size.n_answers), anchors)[1], anchors)
    gone = size.n_users // 10
    nights = {
        name: sat(rng, truth, _later(rng, theta, gone, growth), size.n_answers, gone)
        for name, growth in (("sound", 0.1), ("grown", 0.5))
    }
    spoiled = {name: (spoil(rng, nights["sound"]), last) for name, spoil in SPOILED.items()}
    false = {
        name: (nights["sound"], last._replace(anchors=references(truth.names, *values, chosen)))
        for name, values in misstated(truth, school(rng, size.n_items)).items()
    }
    every = {**{name: (night, last) for name, night in nights.items()}, **spoiled, **false}
    return {name: held_by(*every[name]) for name in names or every}


def _later(rng: np.random.Generator, theta: np.ndarray, gone: int, growth: float) -> np.ndarray:
    """(N + gone,) the learners who stay, after they have learned, and twice as many new ones as have left."""
    stay = theta[gone:] + rng.normal(growth, 0.2 + growth / 4, theta.size - gone)
    return np.concatenate([stay, rng.normal(0.3 + growth, 1.1, 2 * gone)])


def sound_night(size: Size, seed: int) -> tuple[str, ...]:
    """What holds a second night of other learners, linked by references that are estimates of the first."""
    rng = np.random.default_rng([31, seed])
    truth = school(rng, size.n_items)
    _, first = calibrated(sat(rng, truth, rng.normal(0, 1, size.n_users), size.n_answers), [])
    chosen = rng.permutation(truth.names)[: size.n_anchors]
    estimates = first.items
    anchors = references(estimates.item_ids, estimates.parameters["a"], estimates.parameters["b"], chosen)
    later = sat(rng, truth, rng.normal(0.3, 1.1, size.n_users), size.n_answers, size.n_users)
    return held_by(later, published(first, anchors))


def row(name: str, nights: list[tuple[str, ...]]) -> str:
    """Nights held, a 95 % interval of the share, and what holds them."""
    held = sum(map(bool, nights))
    interval = binomtest(held, len(nights)).proportion_ci(method="wilson")
    why = Counter(check for checks in nights for check in checks)
    told = ", ".join(f"{check} {n}" for check, n in why.most_common())
    return f"{name:<40} held {held:3d} of {len(nights)} ({interval.low:.3f} - {interval.high:.3f})   {told}"


def main(replications: int = 20) -> None:
    nights = [replicate(seed) for seed in range(replications)]
    for name in nights[0]:
        print(row(name, [night[name] for night in nights]), flush=True)
    for size in SOUND_SIZES:
        name = f"sound {size.n_users} x {size.n_items} x {size.n_answers}"
        print(row(name, [sound_night(size, seed) for seed in range(replications)]), flush=True)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:2]))
