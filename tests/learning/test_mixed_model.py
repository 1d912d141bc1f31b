"""Mixed models: the grammar of formulas, the known error of a score, simpler models, what topics in order hide."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import block_diag

from thetaline.errors import InputError, NotFittedError
from thetaline.learning.mixed_model import CONTRACT_FORMULA, calendar_weeks, fit_mixed, parse_formula
from thetaline.learning.mixed_model.conditional import Design, conditional_sds

LINES = "score ~ week + (week|student)"


def school(
    n: int = 150, weeks: int = 8, *, slope_sd: float = 0.3, topic_sd: float = 1.0, in_order: bool = False, seed: int = 3
) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    student, week = np.repeat(np.arange(n), weeks), np.tile(np.arange(weeks, dtype=float), n)
    topic = week.astype(int) if in_order else rng.integers(0, 6, n * weeks)
    level, slope = rng.normal(0, 1, n), rng.normal(0.5, slope_sd, n)
    score = level[student] + slope[student] * week + rng.normal(0, 1, n * weeks)
    effect = rng.normal(0, topic_sd, 8) if topic_sd else np.zeros(8)
    line = {"level": level[student], "slope": slope[student]}
    return {"student": student, "topic": topic, "week": week, "score": score + effect[topic], **line}


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (CONTRACT_FORMULA, "score ~ week + (week|student) + (1|topic)"),
        ("y~1+x+(1+x|g)", "y ~ x + (x|g)"),
        ("y ~ (1 | g)", "y ~ 1 + (1|g)"),
    ],
)
def test_a_formula_is_read_into_its_parts(text: str, canonical: str) -> None:
    assert str(parse_formula(text)) == canonical


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("score", "does not begin with one response"),
        ("__import__('os').system('true') ~ week", "'_' at position 0 is unknown"),
        ("score ~ week + I(week^2)", r"'\^' at position"),
        ("score ~ log(week)", "'log\\(week\\)' is no term"),
        ("score ~ week * topic", r"'\*' at position 12"),
        ("score ~ week + (week||student)", "is no term"),
        ("score ~ week + ", "'' is no term"),
        ("score ~ week + (week|student) + (1|student)", "'student' in two places"),
        ("score ~ (week|student)", "the slope of 'week' varies, but has no mean"),
        ("score ~ a + (1|b) + (1|c) + (1|d)", "more than two random"),
        ("score ~ " + "a" * 500, "at most 500 characters"),
        ("score ~ week ~ week", "is no term"),
        ("score ~ week", r"has no random term; add one, as \(1\|student\)"),
    ],
)
def test_what_the_grammar_does_not_know_is_refused_with_its_place(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        parse_formula(text)


def test_weeks_are_calendar_weeks_and_a_gap_stays_one() -> None:
    mondays = np.array(["2025-10-06", "2025-10-20", "2025-10-27"], "datetime64[D]")
    assert calendar_weeks(mondays, mondays[-1]).tolist() == [-3.0, -1.0, 0.0]


def test_the_known_error_is_no_part_of_what_learners_and_weeks_vary_by() -> None:
    rng = np.random.default_rng(1)
    data = school(1000, 12, topic_sd=0)
    known = rng.uniform(0.5, 2.0, data["score"].size)
    data["score"] = data["score"] + rng.normal(0, 1, known.size) * known
    fit = fit_mixed(LINES, data, error_variance=known**2)
    assert fit.residual_sd == pytest.approx(1.0, abs=0.06)
    blind = fit_mixed(LINES, data)
    assert blind.residual_sd == pytest.approx(np.sqrt(1 + np.mean(known**2)), abs=0.06)
    assert fit.coefficients[1].se < blind.coefficients[1].se


def test_an_error_that_explains_everything_leaves_no_residual() -> None:
    data = school(300, topic_sd=0)
    assert fit_mixed(LINES, data, error_variance=np.full(data["score"].size, 1.3)).residual_sd == 0.0


def test_an_error_larger_than_the_scores_show_is_told() -> None:
    data = school(300, topic_sd=0)
    right, large = (fit_mixed(LINES, data, error_variance=np.full(data["score"].size, one)) for one in (0.9, 2.0))
    assert not any("known errors" in note for note in right.notes)
    assert large.residual_sd == 0.0
    assert any("times as wide, in variance, as their known errors say" in note for note in large.notes)


def test_slopes_of_lines_without_any_noise_are_not_told() -> None:
    data = school(60, topic_sd=0)
    exact = {**data, "score": data["level"] + data["slope"] * data["week"]}
    found = fit_mixed(LINES, exact)
    assert found.fell_back_from[0].reason.endswith("the scores lie on their lines without any noise")
    assert found.residual_sd is not None
    assert found.residual_sd > 0.1


def test_intervals_of_slopes_cover_them() -> None:
    data = school(600, 10, topic_sd=0)
    fit = fit_mixed(LINES, data)
    effects = fit.effects("student")
    assert effects is not None
    for column, name in enumerate(("level", "slope")):
        found = fit.coefficients[column].estimate + effects.values[:, column]
        missed = np.abs(found - data[name][data["week"] == 0])
        assert 0.92 < np.mean(missed < 1.96 * effects.se[:, column]) < 0.98


def test_slopes_that_do_not_differ_fall_back_to_levels_by_name() -> None:
    fit = fit_mixed(CONTRACT_FORMULA, school(60, 6, slope_sd=0.0, seed=5))
    assert str(fit.formula) == "score ~ week + (1|student) + (1|topic)"
    ((tried, reason),) = fit.fell_back_from
    assert tried == CONTRACT_FORMULA
    assert reason in (
        "singular: week does not vary between students",
        "singular: intercept and slope of student are one (correlation 1.000)",
        "singular: intercept and slope of student are one (correlation -1.000)",
    )
    effects = fit.effects("student")
    assert effects is not None
    assert effects.names == ("(Intercept)",)


def test_topics_that_do_not_differ_are_left_out_and_slopes_kept() -> None:
    fit = fit_mixed(CONTRACT_FORMULA, school(topic_sd=0.0, seed=4))
    assert str(fit.formula) == LINES
    assert "does not vary between topics" in fit.fell_back_from[0].reason


def test_topics_taught_in_order_are_said_to_hide_growth() -> None:
    fit = fit_mixed(CONTRACT_FORMULA, school(in_order=True))
    (note,) = fit.notes
    assert note.startswith("100% of the variance of week lies between the levels of topic")
    assert fit_mixed(CONTRACT_FORMULA, school()).notes == ()
    slope, shuffled = fit.coefficients[1], fit_mixed(CONTRACT_FORMULA, school()).coefficients[1]
    assert slope.se > 2 * shuffled.se


def test_a_share_right_is_told_from_its_number_of_answers() -> None:
    rng = np.random.default_rng(2)
    data = school(400, 6, slope_sd=0.15)
    trials = rng.integers(1, 12, data["score"].size)
    eta = data["score"] - data["score"].mean()
    data["score"] = rng.binomial(trials, 1 / (1 + np.exp(-eta))) / trials
    fit = fit_mixed(LINES, data, family="binomial", trials=trials)
    assert fit.coefficients[1].estimate == pytest.approx(0.5, abs=0.1)
    assert fit.residual_sd is None


@pytest.mark.parametrize(
    ("change", "options", "told"),
    [
        ({"score": np.ones(1200)}, {}, "every score is 1; there is nothing to explain"),
        ({"week": np.zeros(1200)}, {}, "every week is 0; a slope needs two different values"),
        ({"student": np.zeros(1200)}, {}, "there is one student only"),
        ({"student": np.arange(1200)}, {}, "each student has one row only"),
        ({"score": np.full(1200, np.nan)}, {}, "column 'score' is nan in row 0"),
        ({"week": np.zeros(3)}, {}, "column 'week' has 3 values, the response 1200"),
        ({"student": np.zeros(3)}, {}, "column 'student' has 3 values, the response 1200"),
        ({"score": np.ones((1200, 2))}, {}, r"column 'score' has the shape \(1200, 2\)"),
        ({"week": np.zeros(1200, "datetime64[D]")}, {}, "column 'week' has days; calendar_weeks makes numbers"),
        ({"student": np.r_[np.zeros(1199), np.nan]}, {}, "column 'student' is missing in row 1199"),
        ({"student": np.array(["s", None] * 600, object)}, {}, "column 'student' is missing in row 1;"),
        ({"student": np.array(["s", pd.NA] * 600, object)}, {}, "column 'student' is missing in row 1;"),
        ({"student": np.array(["s", 1] * 600, object)}, {}, "column 'student' has labels of different types"),
        ({}, {"family": "binomial"}, "a binomial score is 0 or 1"),
        ({}, {"trials": np.ones(1200)}, "trials belong to a binomial score"),
        ({}, {"error_variance": -np.ones(1200)}, "error_variance has negative values"),
    ],
)
def test_data_that_carry_no_model_say_why(change: dict[str, Any], options: dict[str, Any], told: str) -> None:
    with pytest.raises(NotFittedError, match=told):
        fit_mixed(CONTRACT_FORMULA, school() | change, **options)


@pytest.mark.parametrize("family", ["gaussian", "binomial"])
def test_where_weeks_are_counted_from_changes_levels_by_the_line_and_nothing_else(family: str) -> None:
    data = school(120, 6)
    if family == "binomial":
        data["score"] = (data["score"] > data["score"].mean()).astype(float)
    near, far = (fit_mixed(CONTRACT_FORMULA, data | {"week": data["week"] + add}, family=family) for add in (0, 2900))
    assert str(far.formula) == str(near.formula) == CONTRACT_FORMULA
    assert far.metrics == pytest.approx(near.metrics)
    assert far.coefficients[1][1:] == pytest.approx(near.coefficients[1][1:])
    assert far.coefficients[0].se > 100 * near.coefficients[0].se
    (student, topic), (far_student, far_topic) = near.groups, far.groups
    assert far_topic.values == pytest.approx(topic.values)
    assert far_topic.se == pytest.approx(topic.se, rel=1e-5)
    assert far_student.values @ [1, 2900] == pytest.approx(student.values[:, 0])
    assert far_student.values[:, 1] == pytest.approx(student.values[:, 1])
    assert far_student.se[:, 1] == pytest.approx(student.se[:, 1], rel=1e-5)
    assert [1, 2900] @ far_student.covariance @ [1, 2900] == pytest.approx(student.covariance[0, 0], rel=1e-5)
    assert [1, 2900] @ far.covariance @ [1, 2900] == pytest.approx(near.covariance[0, 0], rel=1e-5)


def test_a_family_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InputError, match="no family 'poisson'; there are gaussian, binomial"):
        fit_mixed(LINES, school(), family="poisson")


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(NotFittedError, match="the formula needs column 'topic'"):
        fit_mixed(CONTRACT_FORMULA, {name: column for name, column in school().items() if name != "topic"})


def test_errors_of_blups_are_those_of_the_whole_matrix() -> None:
    rng = np.random.default_rng(4)
    weight, week = rng.uniform(0.5, 2.0, 60), rng.normal(0, 1, 60)
    codes = rng.integers(0, 8, 60), rng.integers(0, 5, 60)
    columns = np.stack([np.ones(60), week], axis=1), np.ones((60, 1))
    covariance = np.array([[1.0, 0.2], [0.2, 0.3]]), np.array([[0.5]])
    designs = [Design(*one) for one in zip(codes, columns, covariance, (8, 5), strict=True)]
    z = np.hstack([one.matrix().toarray() for one in designs])
    prior = block_diag(*[np.linalg.inv(covariance[0])] * 8, np.eye(5) / 0.5)
    expected = np.sqrt(np.diag(np.linalg.inv(z.T @ (weight[:, None] * z) + prior)))
    for given in (designs, designs[::-1]):
        found = sorted(conditional_sds(given, weight), key=lambda one: one.shape[1])
        assert found[1].ravel() == pytest.approx(expected[:16])
        assert found[0].ravel() == pytest.approx(expected[16:])


def test_new_rows_are_predicted_with_the_effects_of_their_levels() -> None:
    fit = fit_mixed(CONTRACT_FORMULA, school())
    student, topic = fit.effects("student"), fit.effects("topic")
    assert student is not None
    assert topic is not None
    found = fit.predict({"week": np.array([10.0, 10.0])}, {"student": np.array([3, 999]), "topic": np.array([2, 99])})
    mean = fit.coefficients[0].estimate + 10 * fit.coefficients[1].estimate
    own = student.values[3] @ [1, 10] + topic.values[2, 0]
    assert found == pytest.approx([mean + own, mean])
