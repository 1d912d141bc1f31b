"""Ways in which the answers of a night are spoiled on their way to the calibration."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from thetaline.jobs.calibration.observations import Observations

N_TOPICS, CLASS_SIZE = 6, 25
Spoil = Callable[[np.random.Generator, Observations], Observations]


def with_correct(answers: Observations, correct: np.ndarray) -> Observations:
    return replace(answers, correct=np.asarray(correct, dtype=np.uint8))


def permuted_ids(rng: np.random.Generator, answers: Observations) -> Observations:
    """A tenth of the items under each other's ids."""
    which = rng.permutation(answers.item_ids.size)[: answers.item_ids.size // 10]
    to = np.arange(answers.item_ids.size, dtype=np.int32)
    to[which] = np.roll(which, 1)
    return replace(answers, item=to[answers.item])


def shifted_ids(_rng: np.random.Generator, answers: Observations) -> Observations:
    """Every item under the id of the next one."""
    return replace(answers, item=(answers.item + 1) % np.int32(answers.item_ids.size))


def reversed_keys(rng: np.random.Generator, answers: Observations) -> Observations:
    wrong = rng.random(answers.item_ids.size) < 1 / 3
    return with_correct(answers, answers.correct ^ wrong[answers.item])


def inverted_day(rng: np.random.Generator, answers: Observations) -> Observations:
    """Right is wrong, and wrong right, on one school day."""
    day = rng.choice(np.unique(answers.responded_at))
    return with_correct(answers, answers.correct ^ (answers.responded_at == day))


def timed_out(rng: np.random.Generator, answers: Observations) -> Observations:
    """Half of the answers turned to wrong."""
    return with_correct(answers, answers.correct & (rng.random(answers.n_answers) < 0.5))


def timed_out_day(rng: np.random.Generator, answers: Observations) -> Observations:
    """Every answer of one school day wrong."""
    day = rng.choice(np.unique(answers.responded_at))
    return with_correct(answers, answers.correct & (answers.responded_at != day))


def copied(answers: Observations, chosen: np.ndarray, copies: int) -> Observations:
    """The chosen answers (M,) again under new ids of learners."""
    rows = np.flatnonzero(chosen)
    names, user = np.unique(answers.user[rows], return_inverse=True)
    n = answers.user_ids.size
    again = {name: np.concatenate([getattr(answers, name), *[getattr(answers, name)[rows]] * copies])
             for name in ("item", "correct", "responded_at")}  # fmt: skip
    users = np.concatenate([answers.user, *(n + user + names.size * k for k in range(copies))])
    ids = [f"copy{k:05}" for k in range(names.size * copies)]
    return replace(
        answers,
        user_ids=np.concatenate([answers.user_ids, ids]).astype(object),
        user=users.astype(np.int32),
        **again,
    )


def copied_class(_rng: np.random.Generator, answers: Observations) -> Observations:
    """The answers of one class another nineteen times, under new ids."""
    return copied(answers, answers.user < CLASS_SIZE, 19)


def duplicated_learners(rng: np.random.Generator, answers: Observations) -> Observations:
    """A quarter of the learners again under new ids."""
    return copied(answers, (rng.random(answers.user_ids.size) < 1 / 4)[answers.user], 1)


def shuffled_learners(rng: np.random.Generator, answers: Observations) -> Observations:
    return replace(answers, user_ids=rng.permutation(answers.user_ids))


def foreign_topic(rng: np.random.Generator, answers: Observations) -> Observations:
    """The answers to one topic under the ids of other learners."""
    other = rng.permutation(answers.user_ids.size).astype(np.int32)
    user = np.where(answers.item % N_TOPICS == 0, other[answers.user], answers.user)
    return replace(answers, user=user.astype(np.int32))


def clicked_through(rng: np.random.Generator, answers: Observations) -> Observations:
    """A fifth of the learners click at random, one of four options right."""
    clicks = (rng.random(answers.user_ids.size) < 1 / 5)[answers.user]
    return with_correct(answers, np.where(clicks, rng.random(answers.n_answers) < 1 / 4, answers.correct))


def shifted_rows(_rng: np.random.Generator, answers: Observations) -> Observations:
    """Each answer has the mark of the one before."""
    return with_correct(answers, np.roll(answers.correct, 1))


def coin_flips(rng: np.random.Generator, answers: Observations) -> Observations:
    return with_correct(answers, rng.integers(0, 2, answers.n_answers))


SPOILED: dict[str, Spoil] = {
    "ids of a tenth of the items permuted": permuted_ids,
    "ids of the items shifted by one": shifted_ids,
    "a third of the keys reversed": reversed_keys,
    "half of the answers timed out": timed_out,
    "a class copied x 20": copied_class,
    "a quarter of the learners doubled": duplicated_learners,
    "ids of the learners shuffled": shuffled_learners,
    "a topic answered by others": foreign_topic,
    "a fifth of the learners click through": clicked_through,
    "marks shifted by one answer": shifted_rows,
    "a day inverted": inverted_day,
    "a day all wrong": timed_out_day,
    "coin flips": coin_flips,
}
