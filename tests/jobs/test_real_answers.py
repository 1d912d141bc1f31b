"""Two randomised programming exams, eight weeks apart, through import, calibration and tagging.

The data are those of the study with DOI 10.1145/3478432.3499123: 15 questions a student, drawn from pools.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from school import Ended, rows, runner

from thetaline import irt
from thetaline.jobs import importing as import_answers
from thetaline.jobs.anchors import tagging
from thetaline.jobs.calibration import nightly_fit

DAY = "2025-11-02"


@pytest.fixture(scope="module")
def patched() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def exams(shared: Path, module_database: str, patched: pytest.MonkeyPatch) -> str:
    """Both exams imported, a score from 0.8 counting as right, and calibrated on a window that covers both."""
    patched.setenv("DATABASE_URL", module_database)
    patched.setenv("MIRT_LOOKBACK_DAYS", "90")
    file = str(shared / "data" / "cs_exams.csv.gz")
    dates = ["--dated-by", "exam", "--date-of", "midterm=2025-09-01", "--date-of", "final=2025-10-27"]
    assert (
        import_answers.main([file, "--score-threshold", "0.8", "--time", "first_ms", "--time-unit", "ms", *dates]) == 0
    )
    assert nightly_fit.main(["--date", DAY]) == 0
    return module_database


def per_exam(url: str, items: irt.Items, before: bool) -> dict[str, tuple[float, float, float]]:
    """θ, se and share right of each learner on one exam alone, scored on the common parameters."""
    answers = rows(
        url,
        "select user_id, item_id, correct from attempt join mirt_item_params using (item_id)"
        " where (completed_at < '2025-10-01') = %s",
        before,
    )
    users, item_ids, correct = zip(*answers, strict=True)
    responses = irt.Responses.from_long(users, item_ids, correct)
    scores = irt.score(responses, items)
    share = np.bincount(responses.person, responses.answer) / np.diff(responses.indptr)
    return {str(user): row for user, *row in zip(scores.ids, scores.theta, scores.se, share, strict=True)}  # type: ignore[misc]


def bank(url: str) -> irt.Items:
    ids, params = zip(*rows(url, "select item_id, params from mirt_item_params"), strict=True)
    return irt.Items(ids=ids, model="2PL", a=[one["a"] for one in params], b=[one["b"] for one in params])


def reliability(theta: NDArray[np.float64], se: NDArray[np.float64]) -> float:
    """Empirical: variance of EAP over variance of EAP plus mean squared se."""
    return float(theta.var() / (theta.var() + np.mean(se**2)))


def test_every_answer_arrives_and_what_cannot_be_calibrated_is_named(exams: str) -> None:
    metrics, spec = rows(exams, "select metrics, model_spec from mirt_fit_meta")[0]
    assert rows(exams, "select count(*), count(distinct user_id), count(distinct item_id) from attempt") == [
        (24137, 1793, 282)
    ]
    reasons = [one["reason"] for one in metrics["excluded_items"]]
    assert {reason: reasons.count(reason) for reason in set(reasons)} == {
        "fewer than 30 answers": 54, "nobody answered it wrongly": 1,
    }  # fmt: skip
    assert (spec["n_items"], spec["n_users"], metrics["n_answers"]) == (227, 1793, 22964)
    assert (metrics["converged"], metrics["connected_parts"]) == (True, 1)


def test_forty_to_two_hundred_answers_an_item_give_sane_items_with_honest_errors(exams: str) -> None:
    items = [params for (params,) in rows(exams, "select params from mirt_item_params")]
    a, b = (np.array([one[name] for one in items]) for name in "ab")
    se_a, se_b = (np.array([one["se"][name] for one in items]) for name in "ab")
    assert 0.9 < np.median(a) < 1.25
    assert (a.min() > 0.3, a.max() < 2.5, np.abs(b).max() < 4.5) == (True, True, True)
    assert -0.9 < np.median(b) < -0.4  # 64 % of the scores are 0.8 or more
    assert 0.25 < np.median(se_a) < 0.4
    assert 0.28 < np.median(se_b) < 0.4
    middle = np.abs(b + 0.65) < 0.7
    assert np.median(se_b[~middle]) > 1.4 * np.median(se_b[middle])


def test_difficulties_follow_the_shares_right(exams: str) -> None:
    pairs = rows(
        exams,
        "select (params->>'b')::float8, avg(correct::int)::float8 from attempt join mirt_item_params using (item_id)"
        " group by item_id, params",
    )
    b, share = np.array(pairs).T
    assert np.corrcoef(b, share)[0, 1] < -0.9


def test_abilities_of_the_two_exams_agree_better_than_shares_right_and_measure_one_thing(exams: str) -> None:
    items = bank(exams)
    midterm, final = per_exam(exams, items, before=True), per_exam(exams, items, before=False)
    both = sorted(midterm.keys() & final.keys())
    assert (len(midterm), len(final), len(both)) == (1575, 1639, 1421)
    first, second = (np.array([exam[user] for user in both]) for exam in (midterm, final))
    theta, shares = (np.corrcoef(first[:, k], second[:, k])[0, 1] for k in (0, 2))
    assert 0.5 < theta < 0.6
    assert theta > shares + 0.05  # everybody drew other questions: θ takes their difficulty out
    reliable = [reliability(exam[:, 0], exam[:, 1]) for exam in (first, second)]
    assert all(0.5 < one < 0.68 for one in reliable)
    assert 0.85 < theta / np.sqrt(reliable[0] * reliable[1]) < 1.05


def test_fifteen_answers_give_a_general_ability_of_moderate_reliability(exams: str) -> None:
    theta, se = np.array(rows(exams, "select theta, se from mirt_ability")).T
    assert 0.68 < reliability(theta, se) < 0.76


def test_who_left_after_the_midterm_was_weaker_so_the_final_alone_is_not_the_same_population(exams: str) -> None:
    items = bank(exams)
    midterm, final = per_exam(exams, items, before=True), per_exam(exams, items, before=False)
    left = np.mean([row[0] for user, row in midterm.items() if user not in final])
    stayed = np.mean([row[0] for user, row in midterm.items() if user in final])
    assert left < stayed - 0.45


def test_a_night_on_the_final_alone_needs_anchors_and_then_lands_on_the_common_scale(
    exams: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MIRT_LOOKBACK_DAYS", "30")
    calibrate: Callable[..., Ended] = runner(nightly_fit.main, exams, monkeypatch, capsys)
    assert calibrate("--date", "2025-11-03").summary["status"] == "held"
    tagged = runner(tagging.main, exams, monkeypatch, capsys)("--count", "50")
    assert (tagged.code, tagged.summary["n_anchors"]) == (0, 50)
    ended = calibrate("--date", "2025-11-04")
    constants: dict[str, Any] = ended.summary["linking_constants"]
    assert ended.summary["status"] == "done"
    assert constants["n_anchors_used"] >= 15
    assert (constants["A"], constants["B"]) == (pytest.approx(1.0, abs=0.06), pytest.approx(0.06, abs=0.06))
    assert rows(
        exams, "select (metrics->>'rmsd')::float8 < 0.15 from mirt_fit_meta order by fitted_at desc limit 1"
    ) == [(True,)]
