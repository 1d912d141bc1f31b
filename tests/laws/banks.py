"""Item banks of every model that the laws are tried on."""

import numpy as np

from thetaline import irt

MODELS = ("Rasch", "1PL", "2PL", "3PL", "4PL", "GRM", "PCM", "GPCM")


def bank(model: str, n: int = 12, seed: int = 1) -> irt.Items:
    rng = np.random.default_rng(seed)
    a = {"Rasch": np.ones(n), "PCM": np.ones(n), "1PL": np.full(n, 1.3)}.get(model, rng.lognormal(0.1, 0.3, n))
    b = np.linspace(-2.0, 2.0, n) + rng.normal(0.0, 0.2, n)
    if model in {"GRM", "PCM", "GPCM"}:
        b = b[:, None] + np.array([-0.8, 0.1, 0.9])
    c = rng.uniform(0.05, 0.3, n) if model in {"3PL", "4PL"} else None
    d = rng.uniform(0.9, 0.99, n) if model == "4PL" else None
    return irt.Items(ids=[f"i{k}" for k in range(n)], model=model, a=a, b=b, c=c, d=d)


def jittered(items: irt.Items, seed: int = 2, sd: float = 0.1) -> irt.Items:
    rng = np.random.default_rng(seed)
    a, b = items.a * rng.lognormal(0.0, sd, len(items)), items.b + rng.normal(0.0, sd, items.b.shape)
    return irt.Items(ids=items.ids, model=items.model, a=a, b=b, c=items.c, d=items.d)


def log_likelihood(items: irt.Items, responses: irt.Responses, person: int, theta: np.ndarray) -> np.ndarray:
    """log P of one person's answers at `theta`, (Q,)."""
    rows = slice(responses.indptr[person], responses.indptr[person + 1])
    codes = items.offsets[responses.item[rows]] + responses.answer[rows]
    return items.log_prob(theta)[codes].sum(axis=0)
