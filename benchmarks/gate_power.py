"""How often the gate holds spoiled nights, and sound ones: python -m benchmarks.gate_power [replications].

A school of 260 items and 1,900 learners with 30 answers each has a published night with 60 anchors.  The next night has
nine tenths of the same learners, who have learned a little, and new ones; then it is spoiled, or not.
"""

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from benchmarks.nightly_scale import LEAST_ANSWERS, School, references, school
from thetaline.jobs.anchors.references import AnchorItem
from thetaline.jobs.calibration.engine import CalibrationReply, CalibrationRequest
from thetaline.jobs.calibration.exclusions import excluded_items
from thetaline.jobs.calibration.gate import GateInput, GateLimits, PublishedParameters, check_all
from thetaline.jobs.calibration.in_process_engine import InProcessEngine
from thetaline.jobs.calibration.observations import Observations
from thetaline.jobs.calibration.soundness import PublishedAbilities, soundness, with_free_anchors
from thetaline.settings import load

N_USERS, N_ITEMS, N_ANSWERS, N_ANCHORS = 1900, 260, 30, 60
Spoil = Callable[[np.random.Generator, Observations], Observations]
LIMITS = GateLimits.of(load())


def sat(rng: np.random.Generator, truth: School, theta: np.ndarray, first_user: int) -> Observations:
    n_items = truth.names.size
    item = np.concatenate([rng.permutation(n_items)[:N_ANSWERS] for _ in theta]).astype(np.int32)
    user = np.repeat(np.arange(theta.size, dtype=np.int32), N_ANSWERS)
    p = 1 / (1 + np.exp(-truth.a[item] * (theta[user] - truth.b[item])))
    return Observations(
        user_ids=np.array([f"u{first_user + k:05}" for k in range(theta.size)], dtype=object),
        item_ids=truth.names,
        user=user,
        item=item,
        correct=(rng.random(item.size) < p).astype(np.uint8),
        responded_at=np.full(item.size, np.datetime64("2025-11-01", "us")),
    )


def permuted_ids(rng: np.random.Generator, answers: Observations) -> Observations:
    """A tenth of the items under each other's ids."""
    which = rng.permutation(answers.item_ids.size)[: answers.item_ids.size // 10]
    to = np.arange(answers.item_ids.size, dtype=np.int32)
    to[which] = np.roll(which, 1)
    return replace(answers, item=to[answers.item])


def reversed_keys(rng: np.random.Generator, answers: Observations) -> Observations:
    wrong = rng.random(answers.item_ids.size) < 1 / 3
    return replace(answers, correct=answers.correct ^ wrong[answers.item].astype(np.uint8))


def timed_out(rng: np.random.Generator, answers: Observations) -> Observations:
    """Half of the answers turned to wrong."""
    return replace(answers, correct=answers.correct & (rng.random(answers.n_answers) < 0.5).astype(np.uint8))


def copied_class(_rng: np.random.Generator, answers: Observations) -> Observations:
    """The answers of 25 learners another nineteen times, under new ids."""
    copied = np.flatnonzero(answers.user < 25)
    n, copies = answers.user_ids.size, 19
    user = np.concatenate([answers.user, *(answers.user[copied] + n + 25 * k for k in range(copies))])
    again = {name: np.concatenate([getattr(answers, name), *[getattr(answers, name)[copied]] * copies])
             for name in ("item", "correct", "responded_at")}  # fmt: skip
    ids = np.concatenate([answers.user_ids, [f"copy{k:05}" for k in range(25 * copies)]]).astype(object)
    return replace(answers, user_ids=ids, user=user.astype(np.int32), **again)


def shuffled_learners(rng: np.random.Generator, answers: Observations) -> Observations:
    return replace(answers, user_ids=rng.permutation(answers.user_ids))


def coin_flips(rng: np.random.Generator, answers: Observations) -> Observations:
    return replace(answers, correct=rng.integers(0, 2, answers.n_answers).astype(np.uint8))


SPOILS: dict[str, Spoil] = {
    "sound": lambda _rng, answers: answers,
    "ids of a tenth of the items permuted": permuted_ids,
    "a third of the keys reversed": reversed_keys,
    "half of the answers timed out": timed_out,
    "a class copied x 20": copied_class,
    "ids of the learners shuffled": shuffled_learners,
    "coin flips": coin_flips,
    "anchors of another bank": lambda _rng, answers: answers,
}


def calibrated(answers: Observations, anchors: list[AnchorItem]) -> tuple[Observations, CalibrationReply]:
    kept = answers.without_items(excluded_items(answers, min_answers=LEAST_ANSWERS).ids)
    return kept, InProcessEngine().calibrate(CalibrationRequest(kept, "2PL", tuple(anchors)))


def held_by(answers: Observations, anchors: list[AnchorItem], published: PublishedParameters) -> tuple[str, ...]:
    """Names of the checks that a night fails."""
    kept, reply = calibrated(answers, anchors)
    own = with_free_anchors(reply)
    used = {one.item_id for one in anchors} - set(reply.linking.dropped if reply.linking else ())
    at = {one.item_id: one.b for one in anchors}
    gaps = [b - at[name] for name, b in zip(own.item_ids, own.parameters["b"], strict=True) if name in used]
    run = GateInput(
        status=reply.fit.status,
        converged=reply.fit.converged,
        n_users=reply.abilities.user_ids.size,
        item_ids=reply.items.item_ids,
        a=reply.items.parameters["a"],
        b=reply.items.parameters["b"],
        n_anchors_tagged=len(anchors),
        n_anchors_used=reply.linking.n_anchors_used if reply.linking else 0,
        linked=reply.linking is not None,
        rmsd=float(np.sqrt(np.mean(np.square(gaps)))) if reply.linking else None,
        link_message=reply.not_linked,
        published=published,
        soundness=soundness(kept, reply, items=published.estimates, abilities=published.abilities),
    )
    return tuple(check.name for check in check_all(run, LIMITS) if not check.passed)


def replicate(seed: int, names: tuple[str, ...] = tuple(SPOILS)) -> dict[str, tuple[str, ...]]:
    """What holds each kind of night."""
    rng = np.random.default_rng([30, seed])
    truth = school(rng, N_ITEMS)
    theta = rng.normal(0.3, 1.1, N_USERS)
    chosen = rng.permutation(truth.names)[:N_ANCHORS]
    anchors = references(truth.names, truth.a, truth.b, chosen)
    _, last = calibrated(sat(rng, truth, theta, 0), anchors)
    published = PublishedParameters(
        "last",
        last.items.item_ids,
        last.items.parameters["a"],
        last.items.parameters["b"],
        estimates=with_free_anchors(last),
        abilities=PublishedAbilities(last.abilities.user_ids, last.abilities.theta),
    )
    gone = N_USERS // 10
    later = np.concatenate([theta[gone:] + rng.normal(0.1, 0.2, N_USERS - gone), rng.normal(0.3, 1.1, 2 * gone)])
    tonight = sat(rng, truth, later, gone)
    foreign = references(truth.names, truth.a, school(rng, N_ITEMS).b, chosen)
    return {
        name: held_by(SPOILS[name](rng, tonight), foreign if name.startswith("anchors") else anchors, published)
        for name in names
    }


def main(replications: int = 20) -> None:
    nights = [replicate(seed) for seed in range(replications)]
    for name in SPOILS:
        held = [night[name] for night in nights if night[name]]
        why = Counter(check for checks in held for check in checks)
        told = ", ".join(f"{check} {n}" for check, n in why.most_common())
        print(f"{name:<40} held {len(held):3d} of {replications}   {told}", flush=True)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:2]))
