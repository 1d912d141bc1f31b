"""Mixed models beside lme4 1.1-31: its own data sets, and 24,000 rows of a simulated school.

lme4's optimiser is run to a tolerance of 1e-9 (block `tight`); two optimisers agree on the log-likelihood to 1e-4 and
on standard deviations to 1e-4 of their value, which is what is asked for here.
"""

import csv
import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thetaline.learning.mixed_model import MixedFit, fit_mixed

LME4 = Path(__file__).parent / "data" / "lme4"
Table = dict[str, Any]


def table(path: Path, *numeric: str) -> Table:
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    rows = list(csv.DictReader(text.splitlines()))
    return {name: np.array([row[name] for row in rows], float if name in numeric else str) for name in rows[0]}


def agrees(fit: MixedFit, reference: Path, *, of_errors: float = 1e-4) -> None:
    whole = json.loads(reference.read_text())
    wanted = whole.get("tight", whole)
    assert fit.metrics["logLik"] == pytest.approx(wanted["logLik"], abs=1e-3)
    for one in fit.coefficients:
        expected = wanted["fixed"][one.term]
        assert one.estimate == pytest.approx(expected["Estimate"], rel=1e-4)
        assert one.se == pytest.approx(expected["Std. Error"], rel=of_errors)
    for effects in fit.groups:
        rows = [row["sdcor"] for row in wanted["random"] if row["grp"] == effects.group]
        found = [*effects.sd, *([] if effects.correlation is None else [effects.correlation])]
        assert found == pytest.approx(rows, rel=1e-4)
    residual = [row["sdcor"] for row in wanted["random"] if row["grp"] == "Residual"]
    assert residual == ([] if fit.residual_sd is None else [pytest.approx(fit.residual_sd, rel=1e-4)])


def blups_agree(fit: MixedFit, files: Mapping[str, Path]) -> None:
    for group, path in files.items():
        effects = fit.effects(group)
        assert effects is not None
        with path.open() as file:
            rows = {row[0]: [float(value) for value in row[1:]] for row in list(csv.reader(file))[1:]}
        expected = np.array([rows[str(level)] for level in effects.levels])
        values, errors = np.split(expected, 2, axis=1)
        np.testing.assert_allclose(effects.values, values, atol=2e-5 * effects.sd.max())
        np.testing.assert_allclose(effects.se, errors, rtol=1e-5)


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_sleepstudy_agrees_with_lme4(method: str) -> None:
    data = table(LME4 / "sleepstudy.csv", "Reaction", "Days")
    assert (data["Reaction"].size, data["Reaction"].sum()) == (180, pytest.approx(53731.4205, abs=1e-3))
    fit = fit_mixed("Reaction ~ Days + (Days|Subject)", data, reml=method == "REML")
    agrees(fit, LME4 / f"sleepstudy_{method}.json")
    blups_agree(fit, {"Subject": LME4 / f"sleepstudy_{method}_ranef_Subject.csv"})


def test_counts_of_answers_agree_with_lme4_under_laplace() -> None:
    data = table(LME4 / "cbpp.csv", "incidence", "size")
    assert (data["incidence"].sum(), data["size"].sum()) == (99, 842)
    data["share"] = data["incidence"] / data["size"]
    data |= {f"period{number}": (data["period"] == number).astype(float) for number in "234"}
    formula = "share ~ period2 + period3 + period4 + (1|herd)"
    fit = fit_mixed(formula, data, family="binomial", trials=data["size"])
    agrees(fit, LME4 / "cbpp_nAGQ1.json")
    blups_agree(fit, {"herd": LME4 / "cbpp_nAGQ1_ranef_herd.csv"})


def test_a_school_of_24_000_rows_agrees_with_lme4(shared: Path) -> None:
    folder = shared / "reference" / "glmm"
    data = table(folder / "growth_2000x12.csv.gz", "week", "score")
    fit = fit_mixed("score ~ week + (week|student) + (1|topic)", data, reml=False)
    agrees(fit, folder / "growth_ML.json")
    blups_agree(fit, {name: folder / f"growth_ML_ranef_{name}.csv" for name in ("student", "topic")})


def test_right_and_wrong_of_24_000_rows_agree_with_lme4_under_laplace(shared: Path) -> None:
    folder = shared / "reference" / "glmm"
    data = table(folder / "growth_2000x12_binary.csv.gz", "week", "pass")
    data["score"] = data.pop("pass")
    fit = fit_mixed("score ~ week + (1|student) + (1|topic)", data, family="binomial")
    agrees(fit, folder / "growth_binary_Laplace.json", of_errors=1e-3)
    blups_agree(fit, {name: folder / f"growth_binary_Laplace_ranef_{name}.csv" for name in ("student", "topic")})
