"""How often the statistics of fit speak where the model holds (size) and where it does not (power), at the 5 % level.

python benchmarks/fit_error_rates.py [replications] prints a row a design: items × persons, complete or a third of the
items each. The size is over all items, pairs, persons or calibrations. The power is that of infit, outfit and S-X² for
two items that half of the persons with θ < −0.8 know by heart, of lz* for the twentieth of persons who guess at 1/2,
of Q3 for a pair of which 40 % copy the first answer. Same seeds, same numbers.
"""

import sys
from collections.abc import Callable

import numpy as np

from thetaline import irt

DESIGNS = [(n, i, share) for share in (1, 3) for i in (20, 60) for n in (300, 3000)]
Spoil = Callable[[irt.Responses, np.ndarray, np.random.Generator], irt.Responses]
N_KNOWN = 2
BEYOND = 1.96


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


def replicate(seed: int, design: tuple[int, int, int], spoil: Spoil | None) -> dict[str, np.ndarray]:
    n_persons, n_items, share = design
    rng = np.random.default_rng([seed, *design])
    b = np.clip(rng.normal(0, 1, n_items), -2, 2)
    b[:N_KNOWN] = 0.5
    bank = irt.Items(ids=range(n_items), model="2PL", a=rng.lognormal(0, 0.3, n_items), b=b)
    theta = rng.normal(size=n_persons)
    drawn = irt.simulate(bank, theta, rng, n_answers=n_items // share)
    return statistics(drawn if spoil is None else spoil(drawn, theta, rng))


def mean(found: list[dict[str, np.ndarray]], name: str, part: slice = slice(None)) -> str:
    values = np.concatenate([one[name][part] for one in found])
    return f"{100 * np.nanmean(values):.1f}" if np.isfinite(values).any() else "–"


def main(n: int) -> None:
    for design in DESIGNS:
        clean, known, guess, copy = (
            [replicate(seed, design, spoil) for seed in range(n)] for spoil in (None, by_heart, guessing, copied)
        )
        size = {name: mean(clean, name) for name in clean[0]}
        power = {name: mean(known, name, slice(N_KNOWN)) for name in ("infit", "outfit", "S-X2")}
        power["lz*"] = mean(guess, "lz*", slice(design[0] // 20))
        power["Q3"] = mean(copy, "Q3", slice(1))
        print(design, "size", size, "power", power, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
