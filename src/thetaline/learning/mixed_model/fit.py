"""Fits a mixed model by the `glmm` library, and a simpler one where the data do not carry it."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thetaline.errors import NotFittedError
from thetaline.learning._types import Array
from thetaline.learning.mixed_model.conditional import Design, conditional_sds
from thetaline.learning.mixed_model.data import Family, ModelData, confounding_note, family_of, model_data
from thetaline.learning.mixed_model.formula import Formula, RandomTerm, parse_formula
from thetaline.learning.mixed_model.result import Coefficient, FallBack, GroupEffects, MixedFit

LEAST_SD = 1e-4  # of an effect, in sds of the response (Gaussian) or logits; below, it is none
MOST_CORRELATION = 0.999
SCALE_TOL = 1e-3  # of the variances' common scale, which the known error holds at 1
MOST_FITS = 12
TINY = 1e-9
NOISELESS = 1e-6  # residual over the scores' variance: the library's estimates of the levels' spread are wrong there
LEAST_SCALE = 0.8  # of the known errors: below, what scores show of them is told


@dataclass(frozen=True, slots=True, eq=False)
class _Engine:
    """One model as the library gave it; `residual` is the variance beside the known one, `scale` multiplies both."""

    raw: Any
    residual: float
    scale: float


def fit_mixed(
    formula: Formula | str,
    columns: Mapping[str, ArrayLike],
    *,
    family: Family | str = Family.GAUSSIAN,
    trials: ArrayLike | None = None,
    error_variance: ArrayLike | None = None,
    reml: bool = True,
) -> MixedFit:
    """The model, by REML or ML (Gaussian) or by ML under the Laplace approximation (binomial).

    `trials` (n,): answers behind each share right. `error_variance` (n,): known variance of each score's measurement;
    the residual is then N(0, σ² + that), σ² estimated, which weights alone cannot say: they only scale one variance. A
    fit that is singular or did not converge falls back to a simpler formula, which the result names.
    Raises NotFittedError where no formula can be fitted, InputError for a formula that is not understood.
    """
    wanted = parse_formula(formula) if isinstance(formula, str) else formula
    kind = family_of(family)
    data = model_data(wanted, columns, kind, trials=trials, error_variance=error_variance)
    tried: list[FallBack] = []
    candidate: Formula | None = wanted
    while candidate is not None:
        engine = _run(candidate, data, kind, reml=reml)
        why = _fault(engine, candidate, data, kind)
        if why is None:
            return _result(engine, candidate, data, family=kind, tried=tried)
        tried.append(FallBack(str(candidate), why))
        candidate = _simpler(engine, candidate, data, kind)
    told = "; ".join(f"{one.formula}: {one.reason}" for one in tried)
    raise NotFittedError(f"no model with random effects fits: {told}")


def _run(formula: Formula, data: ModelData, family: Family, *, reml: bool) -> _Engine:
    if family is Family.BINOMIAL:
        return _Engine(_glmm(formula, data, family, data.weights, reml=False), 0.0, 1.0)
    if data.error_variance is None:
        raw = _glmm(formula, data, family, None, reml=reml)
        return _Engine(raw, float(raw.dispersion), 1.0)
    return _with_known_error(formula, data, reml=reml)


def _with_known_error(formula: Formula, data: ModelData, *, reml: bool) -> _Engine:
    """σ² such that under weights 1 / (σ² + known) the estimated scale is 1; 0 where the known error is all there is.

    With one known variance v for all, a scale s at σ² would be 1 at s (σ² + v) − v; three or four such steps suffice.
    """
    assert data.error_variance is not None  # noqa: S101  for the type checker
    known = np.maximum(data.error_variance, TINY * float(np.var(data.response)))
    residual = float(np.var(data.response)) / 4.0
    for _ in range(MOST_FITS):
        weight = 1.0 / (residual + known)
        raw = _glmm(formula, data, Family.GAUSSIAN, weight, reml=reml)
        scale = float(raw.dispersion)
        if not raw.converged or abs(scale - 1.0) < SCALE_TOL or (residual == 0.0 and scale < 1.0):
            break
        typical = float(weight @ known / weight.sum())
        residual = max(0.0, scale * (residual + typical) - typical)
    return _Engine(raw, residual, scale)


def _glmm(formula: Formula, data: ModelData, family: Family, weights: Array | None, *, reml: bool) -> Any:
    try:
        import glmm  # noqa: PLC0415  an extra, loaded when it is used
    except ModuleNotFoundError:
        raise NotFittedError("mixed models need the library glmm: pip install 'thetaline[growth]'") from None
    columns = {name: column - data.centres[name] for name, column in data.columns.items()}
    table = {formula.response: data.response, **columns, **data.codes}
    options = {"satterthwaite": False, "anova_test": "Wald", "reml": reml if family is Family.GAUSSIAN else None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", glmm.DiagnosticWarning)  # the fit carries them
        try:
            return glmm.fit(table, str(formula), family=family.value, weights=weights, **options)
        except ValueError as error:
            raise NotFittedError(f"{formula} cannot be fitted: {error}") from None


def _fault(engine: _Engine, formula: Formula, data: ModelData, family: Family) -> str | None:
    """Why a fit is not taken."""
    raw = engine.raw
    if not raw.converged:
        return "did not converge"
    if family is Family.GAUSSIAN and data.error_variance is None and engine.residual < NOISELESS * data.response.var():
        return "leaves no residual: the scores lie on their lines without any noise"
    if not (np.isfinite(raw.beta).all() and np.isfinite(raw.se).all()):
        return "has no standard errors"
    for term, sd, correlation in _variances(engine, formula):
        unit = float(data.response.std()) if family is Family.GAUSSIAN else 1.0
        if small := [name for name, one in zip(term.names, sd, strict=True) if one < LEAST_SD * unit]:
            return f"singular: {small[0]} does not vary between {term.group}s"
        if abs(correlation) > MOST_CORRELATION:
            return f"singular: intercept and slope of {term.group} are one (correlation {correlation:.3f})"
    return "singular" if raw.singular else None


def _variances(engine: _Engine, formula: Formula) -> Iterator[tuple[RandomTerm, Array, float]]:
    for term, packed in zip(formula.random, _ordered(engine, formula), strict=True):
        matrix = _covariance(packed, len(term.names))
        sd = np.sqrt(np.diag(matrix))
        product = float(sd.prod())
        yield term, sd, float(matrix[0, 1] / product) if len(sd) == 2 and product else 0.0


def _ordered(engine: _Engine, formula: Formula) -> list[Any]:
    """The library's covariances in the formula's order."""
    found = {name: packed for (name, _), packed in zip(engine.raw.re_groups, engine.raw.varcorr, strict=True)}
    return [found.get(term.group, [0.0] * 3) for term in formula.random]


def _covariance(packed: Any, q: int) -> Array:
    """(q, q) from [v₁₁, v₂₁, v₂₂] or [v₁₁]."""
    if q == 1:
        return np.array([[packed[0]]])
    return np.array([[packed[0], packed[1]], [packed[1], packed[2]]])


def _simpler(engine: _Engine, formula: Formula, data: ModelData, family: Family) -> Formula | None:
    """Without an effect that does not vary, else without the slope, else without the group of fewest levels."""
    unit = float(data.response.std()) if family is Family.GAUSSIAN else 1.0
    for term, sd, _ in _variances(engine, formula) if engine.raw.converged else ():
        if sd[0] < LEAST_SD * unit and len(formula.random) > 1:
            return formula.without_group(term.group)
    for term in formula.random:
        if term.slope:
            return formula.without_slope(term.group)
    if len(formula.random) > 1:
        fewest = min(formula.groups, key=lambda group: data.labels[group].size)
        return formula.without_group(fewest)
    return None


def _result(engine: _Engine, formula: Formula, data: ModelData, *, family: Family, tried: list[FallBack]) -> MixedFit:
    raw = engine.raw
    beta, covariance = _at_zero(raw.names, raw.beta, np.asarray(raw.vcov), data)
    rows = zip(raw.names, beta.tolist(), np.sqrt(np.diag(covariance)).tolist(), strict=True)
    residuals = data.response - raw.fitted
    metrics = {
        "logLik": float(raw.loglik),
        "AIC": float(raw.aic),
        "BIC": float(raw.bic),
        "RMSE": float(np.sqrt(np.mean(np.square(residuals)))),
    }
    notes = [
        confounding_note(data.columns[name], data.codes[group], name=name, group=group)
        for name in formula.fixed
        for group in formula.groups
    ]
    notes.append(_error_note(engine, data))
    return MixedFit(
        formula=formula,
        family=family,
        n=data.n,
        coefficients=tuple(Coefficient(name, value, se, value / se) for name, value, se in rows),
        covariance=covariance,
        groups=tuple(_effects(engine, formula, data, family)),
        residual_sd=None if family is Family.BINOMIAL else float(np.sqrt(engine.residual)),
        metrics=metrics,
        reml=bool(raw.reml),
        fell_back_from=tuple(tried),
        notes=tuple(filter(None, notes)),
    )


def _error_note(engine: _Engine, data: ModelData) -> str | None:
    """What is to be said where the known errors are larger than the scores show."""
    if data.error_variance is None or engine.residual > 0.0 or engine.scale >= LEAST_SCALE:
        return None
    return (
        f"the scores spread around their lines {engine.scale:.2f} times as wide, in variance, as their known errors "
        "say: the residual is 0, and errors of the effects may be too large; check the scores' standard errors"
    )


def _effects(engine: _Engine, formula: Formula, data: ModelData, family: Family) -> Iterator[GroupEffects]:
    blocks = {block["group"]: block for block in engine.raw.ranef_blocks}
    designs, effects = [], []
    for term, packed in zip(formula.random, _ordered(engine, formula), strict=True):
        block = blocks[term.group]
        values = np.empty((data.labels[term.group].size, len(term.names)))
        values[np.array(block["levels"], np.int64)] = block["values"]
        at_zero, covariance = _at_zero(term.names, values, _covariance(packed, len(term.names)), data)
        effects.append(at_zero)
        designs.append(_design(term, data, covariance))
    errors = conditional_sds(designs, _information(engine, data, family))
    for term, design, values, se in zip(formula.random, designs, effects, errors, strict=True):
        yield GroupEffects(term.group, term.names, data.labels[term.group], design.covariance, values, se)


def _at_zero(names: Sequence[str], values: Any, covariance: Array, data: ModelData) -> tuple[Array, Array]:
    """Effects (…, q), found at the centres of their columns, and their covariance (q, q), where the columns are 0."""
    move = np.eye(len(names))
    move[0, 1:] = [-data.centres[name] for name in names[1:]]
    return np.asarray(values) @ move.T, move @ covariance @ move.T


def _design(term: RandomTerm, data: ModelData, covariance: Array) -> Design:
    ones = np.ones(data.n)
    columns = np.stack([ones, data.columns[term.slope]], axis=1) if term.slope else ones[:, None]
    return Design(data.codes[term.group], columns, covariance, data.labels[term.group].size)


def _information(engine: _Engine, data: ModelData, family: Family) -> Array:
    """(n,) of each row about its linear predictor."""
    if family is Family.BINOMIAL:
        share = engine.raw.fitted
        return np.asarray((1.0 if data.weights is None else data.weights) * share * (1.0 - share))
    known = np.zeros(data.n) if data.error_variance is None else data.error_variance
    return np.asarray(1.0 / (engine.scale * np.maximum(engine.residual + known, TINY * float(np.var(data.response)))))
