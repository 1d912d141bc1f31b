"""How often the statistics of fit speak where the model holds (size) and where it does not (power), at the 5 % level.

python benchmarks/fit_error_rates.py [replications] prints a row a design: items × persons, complete or a third of the
items each. The size is over all items, pairs, persons or calibrations. The power is that of infit, outfit and S-X² for
two items that half of the persons with θ < −0.8 know by heart, of lz* for the twentieth of persons who guess at 1/2,
of Q3 for a pair of which 40 % copy the first answer, of drift and of the anchors' verification for two items that
became harder by 0.4 for learners N(0.6, 1.3²). Same seeds, same numbers.
"""

import sys
from collections.abc import Callable

import numpy as np

from thetaline import irt
from thetaline.errors import ThetalineError
from thetaline.jobs.anchors.references import AnchorItem, AnchorSet
from thetaline.jobs.anchors.verification import PublishedDifficulties, verify_anchors

DESIGNS = [(n, i, share) for share in (1, 3) for i in (20, 60) for n in (300, 3000)]
Spoil = Callable[[irt.Responses, np.ndarray, np.random.Generator], irt.Responses]
N_KNOWN = 2
BEYOND = 1.96
HARDER, LATER = 0.4, (0.6, 1.3)  # of the changed items, of the later learners
MAX_MOVE = 0.5  # the default of `thetaline tag_anchor_items verify`


def by_heart(drawn: irt.Responses, theta: np.ndarray, rng: np.random.Generator) -> irt.Responses:
    knows = (drawn.item < N_KNOWN) & (theta[drawn.person] < -0.8) & (rng.random(drawn.item.size) < 0.5)
    return answered(drawn, np.where(knows, 1, drawn.answer))


def guessing(drawn: irt.Responses, theta: np.ndarray, rng: np.random.Generator) -> irt.Responses:
    guesses = drawn.person < theta.size // 20
    return answered(drawn, np.where(guesses, rng.random(drawn.item.size) < 0.5, drawn.answer))


def copied(drawn: irt.Responses, theta: np.ndarray, rng: np.random.Generator) -> irt.Responses:
    first = np.full(theta.size, 255)
    first[drawn.person[drawn.item == 0]] = drawn.answer[drawn.item == 0]
    copies = (drawn.item == 1) & (first[drawn.person] < 255) & (rng.random(drawn.item.size) < 0.4)
    return answered(drawn, np.where(copies, first[drawn.person], drawn.answer))


def answered(drawn: irt.Responses, answer: np.ndarray) -> irt.Responses:
    codes = answer.astype(np.uint8)
    return irt.Responses(drawn.person_ids, drawn.item_ids, drawn.indptr, drawn.item, codes, drawn.counts)


def statistics(responses: irt.Responses) -> dict[str, np.ndarray]:
    """Whether each item, person, pair or the whole is rejected; NaN where there is no test."""
    fit = irt.calibrate(responses)
    items, eap = irt.item_fit(fit, responses), irt.item_fit(fit, responses, residuals="EAP")
    found = {
        "infit": beyond(items.infit_z),
        "outfit": beyond(items.outfit_z),
        "infit at the EAP": beyond(eap.infit_z),
        "S-X2": below(items.s_x2_p),
        "lz*": below(irt.person_fit(fit, responses).p),
    }
    pairs = irt.local_dependence(fit, responses).pairs
    flagged = np.zeros((len(fit.items),) * 2)
    flagged[tuple(pairs.astype(np.intp).T)] = 1.0
    found["Q3"] = np.maximum(flagged, flagged.T)[np.triu_indices(len(fit.items), 1)]
    complete = items.n_complete == responses.n_persons
    found["M2"] = below(np.array([irt.model_fit(fit, responses).p])) if complete else np.array([np.nan])
    return found


def beyond(z: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(z), np.abs(z) > BEYOND, np.nan)


def below(p: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(p), p < 0.05, np.nan)


def drawn_bank(rng: np.random.Generator, n_items: int) -> irt.Items:
    b = np.clip(rng.normal(0, 1, n_items), -2, 2)
    b[:N_KNOWN] = 0.5
    return irt.Items(ids=range(n_items), model="2PL", a=rng.lognormal(0, 0.3, n_items), b=b)


def replicate(seed: int, design: tuple[int, int, int], spoil: Spoil | None) -> dict[str, np.ndarray]:
    n_persons, n_items, share = design
    rng = np.random.default_rng([seed, *design])
    bank = drawn_bank(rng, n_items)
    theta = rng.normal(size=n_persons)
    drawn = irt.simulate(bank, theta, rng, n_answers=n_items // share)
    return statistics(drawn if spoil is None else spoil(drawn, theta, rng))


def over_time(seed: int, design: tuple[int, int, int], harder: float) -> dict[str, np.ndarray]:
    """Whether drift rejects each item of a later calibration, and `verify` its published difficulty."""
    n_persons, n_items, share = design
    rng = np.random.default_rng([seed, 1, *design])
    bank = drawn_bank(rng, n_items)
    changed = irt.Items(ids=bank.ids, model="2PL", a=bank.a, b=bank.b + harder * (np.arange(n_items) < N_KNOWN))
    unknown = {name: np.full(n_items, np.nan) for name in ("drift", "verify")}
    try:
        fits = [
            irt.calibrate(irt.simulate(items, rng.normal(*people, n_persons), rng, n_answers=n_items // share))
            for items, people in ((bank, (0.0, 1.0)), (changed, LATER))
        ]
        before, after = (fit.covariance() for fit in fits)
        found = irt.drift(reference=fits[0].items, new=fits[1].items, reference_covariance=before, new_covariance=after)
    except ThetalineError:
        return unknown
    linked = irt.link(new=fits[1].items, reference=fits[0].items)
    later = linked.items(fits[1].items)
    se = linked.A * fits[1].standard_errors().b
    return {"drift": below(found.p), "verify": moved(fits[0].items, later.b, se)}


def moved(reference: irt.Items, b: np.ndarray, se: np.ndarray) -> np.ndarray:
    names = [str(name) for name in reference.ids]
    anchors = AnchorSet(tuple(AnchorItem(*row) for row in zip(names, reference.a, reference.b, strict=True)), {})
    found = verify_anchors(anchors, PublishedDifficulties(names, b, se), max_move=MAX_MOVE, at_least=None)
    return np.isin(names, [one.item_id for one in found.moved]).astype(float)


def mean(found: list[dict[str, np.ndarray]], name: str, part: slice = slice(None)) -> str:
    values = np.concatenate([one[name][part] for one in found])
    return f"{100 * np.nanmean(values):.1f}" if np.isfinite(values).any() else "–"


def main(n: int, n_spoilt: int) -> None:
    """`n` replications of the size, `n_spoilt` of each power."""
    for design in DESIGNS:
        clean = [replicate(seed, design, None) for seed in range(n)]
        steady = [over_time(seed, design, 0.0) for seed in range(n)]
        known, guess, copy = (
            [replicate(seed, design, spoil) for seed in range(n_spoilt)] for spoil in (by_heart, guessing, copied)
        )
        changed = [over_time(seed, design, HARDER) for seed in range(n_spoilt)]
        size = {name: mean(clean, name) for name in clean[0]} | {name: mean(steady, name) for name in steady[0]}
        power = {name: mean(known, name, slice(N_KNOWN)) for name in ("infit", "outfit", "S-X2")}
        power["lz*"] = mean(guess, "lz*", slice(design[0] // 20))
        power["Q3"] = mean(copy, "Q3", slice(1))
        power |= {name: mean(changed, name, slice(N_KNOWN)) for name in changed[0]}
        print(design, "size", size, "power", power, flush=True)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:3]) if len(sys.argv) > 2 else (100, 20))
