"""No warning of NumPy escapes from a public call, whatever the data: it is a number, an error of ours, or NaN."""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from banks import bank

from thetaline import irt
from thetaline.errors import ModelWarning, ThetalineError

MODELS = ("Rasch", "4PL", "GRM")
PRIORS = irt.Priors(a=irt.LogNormal(0, 0.5), b=irt.Normal(0, 2), c=irt.Beta(5, 17))
N, NAN = 40, float("nan")


def answers(kind: str, items: irt.Items) -> irt.Responses:
    rng = np.random.default_rng(8)
    theta = rng.normal(size=N)
    x = irt.simulate(items, theta, rng).answer.reshape(N, -1).astype(float)
    if kind == "an item always right, one always wrong":
        x[:, 0], x[:, 1] = items.n_categories[0] - 1, 0
    elif kind == "persons with all or nothing":
        x[:12], x[12:24] = 0, items.n_categories - 1
    elif kind == "everybody alike":
        x[:] = x[0]
    elif kind == "hardly any answer":
        x[rng.random(x.shape) < 0.9] = NAN
    elif kind == "nobody answers an item":
        x[:, 2] = NAN
    elif kind == "one person":
        x[1:] = NAN
    elif kind == "nobody":
        x[:] = NAN
    return irt.Responses.from_matrix(x, items=items.ids)


KINDS = (
    "plain",
    "an item always right, one always wrong",
    "persons with all or nothing",
    "everybody alike",
    "hardly any answer",
    "nobody answers an item",
    "one person",
    "nobody",
)


def without_warning(call: Callable[[], Any]) -> Any:
    """Run a call with every warning an error, but ours; a refusal is an answer."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ModelWarning)
        try:
            return call()
        except ThetalineError:
            return None


def calls_on_fit(
    fit: irt.Fit, responses: irt.Responses, items: irt.Items, groups: Any
) -> tuple[Callable[[], object], ...]:
    return (
        lambda: fit.standard_errors("sandwich"),
        lambda: fit.coefficients().to_frame(),
        lambda: irt.item_fit(fit, responses, groups=groups).to_frame(),
        lambda: irt.person_fit(fit, responses, groups=groups).to_frame(),
        lambda: irt.local_dependence(fit, responses, groups=groups),
        lambda: irt.model_fit(fit, responses, groups=groups),
        lambda: irt.link(new=fit.items, reference=items, new_covariance=fit.covariance()),
        lambda: irt.link(new=fit.items, reference=items),
        lambda: irt.drift(new=fit.items, reference=items, new_covariance=fit.covariance()),
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("model", MODELS)
def test_no_warning_of_numpy_escapes_from_a_calibration_or_what_follows_it(model: str, kind: str) -> None:
    items = bank(model, n=5)
    responses, half = answers(kind, items), np.arange(N) % 2
    options: tuple[dict[str, Any], ...] = (
        {"priors": PRIORS},
        {"priors": PRIORS, "groups": half},
        {"anchors": items.take(items.ids[:3])},
    )
    for chosen in options:
        fit = without_warning(partial(irt.calibrate, responses, model, max_cycles=25, **chosen))
        if fit is not None:
            for call in calls_on_fit(fit, responses, items, chosen.get("groups")):
                without_warning(call)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("model", MODELS)
def test_no_warning_of_numpy_escapes_from_scores(model: str, kind: str) -> None:
    items = bank(model, n=5)
    responses = answers(kind, items)
    without_warning(lambda: irt.plausible_values(responses, items, 1))
    for method in ("EAP", "MAP", "MLE", "WLE"):
        scores = without_warning(partial(irt.score, responses, items, method=method))
        without_warning(partial(getattr, scores, "reliability"))
        without_warning(partial(scores.rescaled, 2.0, 0.1))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["mantel-haenszel", "logistic", "wald"])
def test_no_warning_of_numpy_escapes_from_dif(method: str, kind: str) -> None:
    responses = answers(kind, bank("2PL", n=5))
    for size in (1, 20):
        groups = (np.arange(N) < size).astype(int)
        found = without_warning(partial(irt.dif, responses, groups, method=method, priors=PRIORS))
        if found is not None:
            without_warning(found.flagged)
            without_warning(found.to_frame)


def calls_on_bank(items: irt.Items, usual: irt.Items) -> tuple[Callable[[], object], ...]:
    far = np.array([-50.0, -5.0, 0.0, 5.0, 50.0])
    simulated = irt.simulate(items, far, 1)
    return (
        lambda: (irt.information(items, far).se, irt.information(items, far).expected_score),
        lambda: irt.marginal_reliability(items),
        lambda: irt.sum_score_eap(items).to_frame(),
        lambda: irt.next_item(items, 0.0),
        lambda: irt.next_item(items, posterior=(0.0, 1.0), method="posterior-weighted"),
        lambda: irt.simulate_adaptive(items, far, 1, stop=irt.StopRule(max_items=4, se=0.5)).responses(),
        lambda: irt.link(new=items, reference=usual),
        lambda: irt.link(new=usual, reference=items),
        lambda: irt.drift(new=items, reference=usual, new_covariance=usual),
        lambda: [irt.score(simulated, items, method=m).theta for m in ("EAP", "MAP", "MLE", "WLE")],
        lambda: irt.plausible_values(simulated, items, 1),
    )


@pytest.mark.parametrize("model", MODELS)
def test_no_warning_of_numpy_escapes_from_a_call_on_a_bank_of_extreme_items(model: str) -> None:
    usual = bank(model, n=5)
    for a, shift in ((1e-3, 0.0), (25.0, 0.0), (1.0, 300.0), (1.0, -300.0)):
        slopes = np.ones(5) if model in {"Rasch", "PCM"} else np.full(5, a)
        items = irt.Items(ids=usual.ids, model=model, a=slopes, b=usual.b + shift, c=usual.c, d=usual.d)
        for call in calls_on_bank(items, usual):
            without_warning(call)
