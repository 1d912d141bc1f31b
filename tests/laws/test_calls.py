"""The library as people type it: names in any case, seeds, populations as priors, clear refusals, short answers."""

import inspect
import pydoc

import numpy as np
import pandas as pd
import polars as pl
import pytest
from banks import bank

from thetaline import irt
from thetaline.errors import InputError, ItemsError, ResponsesError

SCREEN = 45  # lines of a terminal


@pytest.fixture(scope="module")
def responses() -> irt.Responses:
    return irt.simulate(bank("2PL", n=12), np.random.default_rng(3).normal(0.3, 1.2, 600), rng=4)


@pytest.fixture(scope="module")
def fit(responses: irt.Responses) -> irt.Fit:
    return irt.calibrate(responses, model="2pl")


def test_a_model_is_known_in_any_case_and_kept_as_it_is_registered(responses: irt.Responses, fit: irt.Fit) -> None:
    assert set(fit.items.model.tolist()) == {"2PL"}
    assert irt.Items(ids=["q"], model="rasch", b=[0.0]).model.tolist() == ["Rasch"]
    mixed = irt.calibrate(
        responses, {**dict.fromkeys(responses.item_ids.tolist(), "1pl"), responses.item_ids[0]: "2pl"}
    )
    assert set(mixed.items.model.tolist()) == {"1PL", "2PL"}
    with pytest.raises(ItemsError, match="unknown model '2 PL'; choose one of Rasch, 1PL, 2PL"):
        irt.calibrate(responses, "2 PL")


def test_a_seed_is_the_generator_that_it_seeds(fit: irt.Fit, responses: irt.Responses) -> None:
    drawn = [irt.plausible_values(responses, fit.items, rng=rng) for rng in (7, np.random.default_rng(7))]
    np.testing.assert_array_equal(*drawn)
    simulated = [irt.simulate(fit.items, [0.0, 1.0], rng=rng).answer for rng in (np.int64(7), np.random.default_rng(7))]
    np.testing.assert_array_equal(*simulated)


@pytest.mark.parametrize("rng", [None, -1, 1.5, True, "1"])
def test_what_is_no_generator_and_no_seed_is_refused(fit: irt.Fit, rng: object) -> None:
    with pytest.raises(InputError, match="rng must be a numpy Generator or a seed"):
        irt.simulate(fit.items, [0.0], rng=rng)


def test_a_population_is_a_prior(fit: irt.Fit, responses: irt.Responses) -> None:
    pair = (float(fit.population.mean[0]), float(fit.population.sd[0]))
    for prior in (fit.population, pair):
        np.testing.assert_array_equal(
            irt.score(responses, fit.items, prior=prior).theta, irt.score(responses, fit.items, prior=pair).theta
        )
    assert irt.sum_score_eap(fit.items, prior=fit.population).theta.shape == (13,)


def test_a_population_of_several_groups_is_no_one_prior(responses: irt.Responses) -> None:
    labels = np.where(np.arange(responses.n_persons) % 2, "b", "a")
    two = irt.calibrate(responses, groups=labels)
    with pytest.raises(InputError, match=r"has 2 groups \['a', 'b'\]; take one by population.of"):
        irt.score(responses, two.items, prior=two.population)


WRONG = {
    "calibrate": ((np.zeros((3, 2)),), {}, "responses must be Responses, not ndarray"),
    "score": ((np.zeros((3, 2)), None), {}, "responses must be Responses"),
    "plausible_values": (("x", None), {"rng": 1}, "responses must be Responses, not str 'x'"),
    "sum_score_eap": (([1.0],), {}, "items must be Items, not list"),
    "simulate": (([1.0], [0.0], 1), {}, "items must be Items"),
    "simulate_adaptive": (([1.0], [0.0], 1), {}, "items must be Items"),
    "calibrate_exposure": (([1.0], [0.0], 1), {}, "items must be Items"),
    "next_item": (([1.0], 0.0), {}, "items must be Items"),
    "information": (({"a": 1},), {"theta": 0.0}, "items must be Items, not dict"),
    "marginal_reliability": (([1.0],), {}, "items must be Items"),
    "dif": ((pd.DataFrame(), [0, 1]), {}, "responses must be Responses, not DataFrame"),
    "drift": ((), {"new": 1, "reference": 2}, "new must be Items, not int 1"),
    "link": ((), {"new": {"a": 1}, "reference": None}, "new must be Items"),
    "link_chain": (({"x": 1, "y": 2}, ["x", "y"]), {}, "form 'x' must be Items, not int 1"),
    "average_links": (([1],), {}, "link 1 must be ChainLink, not int 1"),
    "item_fit": ((1, 2), {}, "fit must be a Fit, not int 1; irt.calibrate makes one"),
    "model_fit": ((1, 2), {}, "fit must be a Fit"),
    "person_fit": ((1, 2), {}, "fit must be a Fit"),
    "local_dependence": ((1, 2), {}, "fit must be a Fit"),
    "compare": ((1, 2), {}, "fit 1 must be Fit, not int 1"),
    "item_analysis": (([[1, 0]],), {}, "responses must be Responses, not list"),
    "false_discovery": (([2.0],), {}, "p must be a list of probabilities"),
    "score_key": ((1, [1]), {}, "options have the shape"),
}
FUNCTIONS = [name for name in irt.__all__ if inspect.isfunction(getattr(irt, name))]
PLOTS = ["icc", "item_fit", "linking", "residuals", "tif", "wright_map"]


def test_every_public_function_has_its_refusal_here() -> None:
    assert set(WRONG) == set(FUNCTIONS)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_type_is_refused_by_name_with_what_to_do(name: str) -> None:
    arguments, options, message = WRONG[name]
    with pytest.raises(InputError, match=message):
        getattr(irt, name)(*arguments, **options)


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_of_a_wrong_type_is_refused(name: str) -> None:
    function = getattr(irt.plot, name)
    needed = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    with pytest.raises(InputError, match="must be"):
        function(*[3] * len(needed))


@pytest.mark.parametrize("function", [*(getattr(irt, n) for n in FUNCTIONS), *(getattr(irt.plot, n) for n in PLOTS)])
def test_help_fits_a_screen(function: object) -> None:
    lines = pydoc.plaintext.document(function).splitlines()
    assert len(lines) <= SCREEN
    assert len(lines[0]) <= 7 * 80


def test_what_is_printed_is_short(fit: irt.Fit, responses: irt.Responses) -> None:
    scores = irt.score(responses, fit.items)
    link = irt.link(new=fit.items, reference=bank("2PL", n=12))
    values = [
        fit, fit.items, fit.population, fit.standard_errors(), fit.coefficients(), fit.covariance(), responses, scores,
        link, link.se, link.diagnostics, irt.item_fit(fit, responses), irt.person_fit(fit, responses),
        irt.local_dependence(fit, responses), irt.information(fit.items, np.linspace(-3, 3, 99)),
        irt.sum_score_eap(fit.items), irt.next_item(fit.items, 0.0),
        irt.simulate_adaptive(fit.items, [0.0], 1), irt.compare(fit, irt.calibrate(responses, "1PL")),
    ]  # fmt: skip
    for value in values:
        assert len(repr(value)) <= 400, repr(value)
        assert "\n" not in repr(value)
        assert repr(value).startswith(type(value).__name__)
    assert "A=" in repr(link)
    assert "infit[12]" in repr(irt.item_fit(fit, responses))


@pytest.mark.parametrize("model", ["2PL", "3PL", "GRM"])
def test_items_come_back_from_their_frame(model: str) -> None:
    items = bank(model, n=5)
    for frame in (items.to_frame(), pl.from_pandas(items.to_frame())):
        back = irt.Items.from_frame(frame)
        assert back.ids.tolist() == items.ids.tolist()
        assert back.model.tolist() == items.model.tolist()
        for letter in "abcd":
            np.testing.assert_array_equal(getattr(back, letter), getattr(items, letter))


def test_items_of_a_frame_without_difficulties_are_refused_by_column() -> None:
    with pytest.raises(ItemsError, match=r"needs the columns item_id and b .* it has \['item_id', 'a'\]"):
        irt.Items.from_frame(pd.DataFrame({"item_id": ["x"], "a": [1.0]}))
    with pytest.raises(ItemsError, match="column 'b' must hold numbers: could not convert string"):
        irt.Items.from_frame(pd.DataFrame({"item_id": ["x"], "b": ["hard"]}))


def test_a_bank_is_cut_by_ids() -> None:
    items = bank("2PL", n=5)
    ids = items.ids.tolist()
    assert items[ids[3]].ids.tolist() == [ids[3]]
    assert items[[ids[4], ids[0]]].b.tolist() == [items.b[4], items.b[0]]
    with pytest.raises(ItemsError, match="1 ids are not in the bank, first \\['nothing'\\]"):
        items["nothing"]


def test_responses_come_back_from_their_frame(responses: irt.Responses) -> None:
    frame = responses.to_frame()
    assert list(frame.columns) == ["person_id", "item_id", "answer"]
    back = irt.Responses.from_frame(frame, user="person_id", item="item_id", correct="answer")
    again = back.to_frame().set_index(["person_id", "item_id"]).sort_index()
    assert again.equals(frame.set_index(["person_id", "item_id"]).sort_index())
    patterns = irt.Responses.from_matrix([[0, 1], [1, np.nan]], items=["x", "y"], counts=[3, 5])
    assert patterns.to_frame()["count"].tolist() == [3.0, 3.0, 5.0]


def test_every_frame_names_items_and_persons_alike(fit: irt.Fit, responses: irt.Responses) -> None:
    persons = irt.score(responses, fit.items), irt.person_fit(fit, responses), responses
    groups = np.arange(responses.n_persons) % 2
    drift = irt.drift(new=fit.items, reference=bank("2PL", n=12), new_covariance=fit.covariance())
    items = fit.items, irt.item_fit(fit, responses), irt.dif(responses, groups), drift, fit.coefficients()
    assert {value.to_frame().columns[0] for value in persons} == {"person_id"}
    assert {value.to_frame().columns[0] for value in items} == {"item_id"}


def test_answers_in_long_form_come_in_any_order_and_one_a_pair() -> None:
    with pytest.raises(ResponsesError, match="1 answers"):
        irt.Responses.from_long(["u", "u", "v"], ["x", "x", "x"], [0, 1, 1])
    back = irt.Responses.from_long(["v", "u", "u"], ["x", "y", "x"], [2, 0, 254])
    assert back.person_ids.tolist() == ["u", "v"]
    assert back.item.tolist() == [0, 1, 0]
    assert back.answer.tolist() == [254, 0, 2]
