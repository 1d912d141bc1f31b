"""No silent wrong number: names are kept, and values that have labels go by them, not by their place."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from thetaline import irt
from thetaline.errors import InputError, ItemsError, ResponsesError

B = np.linspace(-2, 2, 20)


def form(rng: np.random.Generator, low: int, high: int, mean: float) -> pd.DataFrame:
    p = 1 / (1 + np.exp(-(rng.normal(mean, 1, 1500)[:, None] - B[low - 1 : high])))
    return pd.DataFrame((rng.random(p.shape) < p).astype(int), columns=[f"q{k}" for k in range(low, high + 1)])


@pytest.fixture(scope="module")
def forms() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two forms with q9 … q12 in common; the second population is 1.0 above the first."""
    rng = np.random.default_rng(1)
    return form(rng, 1, 12, 0.0), form(rng, 9, 20, 1.0)


@pytest.fixture(scope="module")
def unnamed_banks(forms: tuple[pd.DataFrame, pd.DataFrame]) -> tuple[irt.Items, irt.Items]:
    a, b = (irt.calibrate(irt.Responses.from_matrix(x.to_numpy())).items for x in forms)
    return a, b


def test_the_columns_of_a_frame_are_the_ids_by_which_two_forms_are_linked(
    forms: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    first, second = (irt.Responses.from_matrix(x) for x in forms)
    assert first.item_ids.tolist() == [f"q{k}" for k in range(1, 13)]
    link = irt.link(new=irt.calibrate(second).items, reference=irt.calibrate(first).items)
    assert (link.linked, link.n_common) == (True, 4)
    assert pytest.approx(1.09, abs=0.01) == link.B


def test_banks_without_names_are_not_linked_unless_told_that_positions_mean_items(
    unnamed_banks: tuple[irt.Items, irt.Items],
) -> None:
    a, b = unnamed_banks
    with pytest.raises(ItemsError, match="new and reference have no names, only their positions"):
        irt.link(new=b, reference=a)
    with pytest.raises(ItemsError, match="only their positions"):
        irt.link(new=b.take([1, 2, 3]), reference=a.rescaled(1.1, 0.2))
    with pytest.raises(ItemsError, match="only their positions"):
        irt.link_chain({"a": a, "b": b}, ["a", "b"])
    with pytest.raises(ItemsError, match="only their positions"):
        irt.drift(new=b, reference=a, new_covariance=b)
    assert irt.link(new=a.rescaled(1.2, 0.3), reference=a, by_position=True).linked


def test_positions_are_remembered_through_cuts_and_simulation_and_forgotten_once_there_are_names(
    unnamed_banks: tuple[irt.Items, irt.Items], forms: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    a = unnamed_banks[0]
    unnamed = irt.Responses.from_matrix(forms[0].to_numpy())
    for cut in (unnamed.persons([3, 5]), unnamed.items([4, 2]), unnamed.where(np.arange(1500) < 9)):
        assert cut.items_by_position
    simulated = irt.simulate(a, np.zeros(400), 1)
    tests = irt.simulate_adaptive(a, np.zeros(3), 1, stop=irt.StopRule(max_items=5))
    assert simulated.items_by_position
    assert tests.responses().items_by_position
    named = irt.Responses.from_matrix(forms[0].to_numpy(), items=forms[0].columns)
    assert not named.items_by_position
    assert not irt.calibrate(named).items.by_position


def test_anchors_without_names_fix_nothing_in_responses_without_names(
    unnamed_banks: tuple[irt.Items, irt.Items], forms: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    other = forms[1].to_numpy()
    with pytest.raises(ItemsError, match="responses and anchors have no names"):
        irt.calibrate(irt.Responses.from_matrix(other), anchors=unnamed_banks[0])
    named = irt.Responses.from_matrix(other, items=range(12))
    assert irt.calibrate(named, anchors=unnamed_banks[0].take([0, 1, 2])).converged


def test_a_matrix_without_names_is_not_scored_on_a_bank_of_another_matrix(
    unnamed_banks: tuple[irt.Items, irt.Items],
) -> None:
    five = irt.Responses.from_matrix(np.ones((2, 5)))
    with pytest.raises(ItemsError, match="5 columns and the bank comes from 12"):
        irt.score(five, unnamed_banks[0])
    with pytest.raises(ResponsesError, match="matrices of 5 and 12 columns"):
        five.joined(irt.Responses.from_matrix(np.ones((2, 12)), persons=["u", "v"]))


X = [[1, 0, np.nan], [0, np.nan, 1]]
CODES = pd.DataFrame({"x": [1, 0], "y": [0, None], "z": [None, 1]}, index=["u", "v"])
FRAMES: dict[str, Any] = {
    "float": pd.DataFrame(X, index=["u", "v"], columns=["x", "y", "z"]),
    "Int64": CODES.astype("Int64"),
    "boolean": CODES.astype("boolean"),
    "mixed": CODES.assign(x=CODES.x.astype("boolean"), z=CODES.z.astype("Int64")),
    "polars": pl.DataFrame({"x": [1, 0], "y": [0, None], "z": [None, 1]}),
    "polars booleans": pl.DataFrame({"x": [True, False], "y": [False, None], "z": [None, True]}),
    "pyarrow": pa.table({"x": [1, 0], "y": [0, None], "z": [None, 1]}),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_a_frame_of_any_kind_gives_its_names_and_its_gaps(kind: str) -> None:
    responses = irt.Responses.from_matrix(FRAMES[kind])
    assert responses.item_ids.tolist() == ["x", "y", "z"]
    assert responses.person_ids.tolist() == (["u", "v"] if isinstance(FRAMES[kind], pd.DataFrame) else [0, 1])
    assert not responses.items_by_position
    assert (responses.item.tolist(), responses.answer.tolist()) == ([0, 1, 0, 2], [1, 0, 0, 1])


@pytest.mark.parametrize("frame", [pd.DataFrame(X), pl.DataFrame(np.ones((2, 3)))])
def test_names_that_a_library_makes_of_positions_are_no_names(frame: object) -> None:
    assert irt.Responses.from_matrix(frame).items_by_position


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": FRAMES["float"].assign(name=["Ann", "Bo"])}, "row 'u', column 'name' has 'Ann'; leave out columns"),
        ({"x": FRAMES["float"].replace(1.0, 2.5)}, "row 'u', column 'x' has 2.5"),
        ({"x": pd.concat([FRAMES["float"]] * 2)}, r"ids of persons must be unique; repeated: \['u', 'v'\]"),
        ({"x": FRAMES["float"], "items": ["y", "x", "z"]}, "own labels in another order"),
        ({"x": FRAMES["float"], "persons": ["v", "u"]}, "own labels in another order"),
        ({"x": FRAMES["polars"].lazy()}, "lazy"),
    ],
)
def test_frames_that_say_two_things_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ResponsesError, match=message):
        irt.Responses.from_matrix(**arguments)


def test_rows_and_columns_of_a_frame_can_be_renamed() -> None:
    renamed = irt.Responses.from_matrix(FRAMES["float"], items=["i", "j", "k"], persons=[7, 8])
    assert (renamed.item_ids.tolist(), renamed.person_ids.tolist()) == (["i", "j", "k"], [7, 8])


def test_counts_go_by_person_or_by_the_rows_of_their_table() -> None:
    table = pd.DataFrame(
        {"x": [1, 0, 1], "y": [0, 1, 1], "n": [5.0, 6.0, 7.0], "who": ["u", "v", "w"]}, index=[9, 4, 2]
    )
    cells = table[["x", "y"]]
    for counts in (table.n, table.n.iloc[::-1], table.n.to_numpy()):
        assert irt.Responses.from_matrix(cells, persons=table.who, counts=counts).counts.tolist() == [5, 6, 7]
    by_id = {"w": 7, "u": 5, "v": 6}
    assert irt.Responses.from_matrix(cells.to_numpy(), persons=table.who, counts=by_id).counts.tolist() == [5, 6, 7]
    with pytest.raises(InputError, match=r"counts has no value for 1 of 3 persons, first \['w'\]"):
        irt.Responses.from_matrix(cells, persons=list("uvw"), counts={"u": 5, "v": 6})


def test_columns_of_a_long_table_that_were_sorted_apart_are_refused() -> None:
    table = pd.DataFrame({"u": list("abab"), "i": list("xxyy"), "c": [1, 0, 0, 1]})
    with pytest.raises(InputError, match="user_ids and correct are labelled differently"):
        irt.Responses.from_long(table.u, table.i, table.c.sort_values())


@pytest.fixture(scope="module")
def boys_and_girls() -> tuple[irt.Responses, "pd.Series[str]"]:
    """600 pupils s0 … s599, whose ids sort otherwise than they stand; i00 is 1.5 harder for girls."""
    rng = np.random.default_rng(2)
    sex = pd.Series(["boy", "girl"] * 300, index=[f"s{n}" for n in range(600)])
    b = np.tile(np.linspace(-1.5, 1.5, 12), (600, 1))
    b[sex == "girl", 0] += 1.5
    x = rng.random((600, 12)) < 1 / (1 + np.exp(-(rng.normal((sex == "girl") * 0.8, 1)[:, None] - b)))
    frame = pd.DataFrame(x, index=sex.index, columns=[f"i{k:02}" for k in range(12)]).rename_axis("user").reset_index()
    long = frame.melt("user", var_name="item", value_name="right")
    return irt.Responses.from_frame(long, user="user", item="item", correct="right"), sex


def test_labels_of_groups_go_by_person(boys_and_girls: tuple[irt.Responses, "pd.Series[str]"]) -> None:
    responses, sex = boys_and_girls
    by_place = sex[responses.person_ids.tolist()].to_numpy()
    for groups in (sex, sex.sample(frac=1.0, random_state=3), sex.to_dict(), by_place, sex.astype("category")):
        found = irt.dif(responses, groups)
        assert (found.effect[0], found.classes[0]) == (pytest.approx(-3.07, abs=0.01), "C")


def per_person_calls(responses: irt.Responses) -> dict[str, Callable[[Any], Any]]:
    """Calls that take a number or a label a person; what they return depends on whose it is."""
    items = irt.Items(ids=responses.item_ids, model="Rasch", b=np.linspace(-1.5, 1.5, 12))
    grouped = irt.calibrate(responses, "Rasch", groups=(np.arange(600) % 2).astype(str))
    complete = irt.simulate(items, np.zeros(600), 1, persons=responses.person_ids)

    def sign(values: Any) -> Any:
        return {name: value > 0 for name, value in values.items()} if isinstance(values, dict) else values > 0

    def label(values: Any) -> Any:
        above = sign(values)
        return (
            {name: str(int(x)) for name, x in above.items()}
            if isinstance(above, dict)
            else above.astype(int).astype(str)
        )

    return {
        "calibrate groups": lambda v: irt.calibrate(responses, "Rasch", groups=label(v)).population.mean,
        "dif mantel-haenszel": lambda v: irt.dif(responses, label(v)).effect,
        "dif logistic": lambda v: irt.dif(responses, label(v), method="logistic").effect,
        "item_fit": lambda v: irt.item_fit(grouped, responses, groups=label(v)).infit,
        "person_fit": lambda v: irt.person_fit(grouped, responses, groups=label(v)).lz,
        "local_dependence": lambda v: irt.local_dependence(grouped, responses, groups=label(v)).q3,
        "model_fit": lambda v: irt.model_fit(grouped, complete, groups=label(v)).m2,
        "score EAP": lambda v: irt.score(responses, items, prior=(v, 1.0)).theta,
        "score MAP": lambda v: irt.score(responses, items, prior=(v, 1.0), method="MAP").theta,
        "plausible_values": lambda v: irt.plausible_values(responses, items, 1, prior=(v, 1.0)),
        "where": lambda v: np.isin(responses.person_ids, responses.where(sign(v)).person_ids),
    }


def same(first: Any, second: Any) -> bool:
    return np.shape(first) == np.shape(second) and bool(np.allclose(first, second, equal_nan=True, atol=1e-9))


PER_PERSON = [
    "calibrate groups",
    "dif mantel-haenszel",
    "dif logistic",
    "item_fit",
    "person_fit",
    "local_dependence",
    "model_fit",
    "score EAP",
    "score MAP",
    "plausible_values",
    "where",
]


@pytest.mark.parametrize("name", PER_PERSON)
def test_every_value_a_person_goes_by_id_where_it_has_ids_and_else_by_position(
    boys_and_girls: tuple[irt.Responses, "pd.Series[str]"], name: str
) -> None:
    responses, _ = boys_and_girls
    call = per_person_calls(responses)[name]
    values = np.random.default_rng(4).normal(size=600)
    labelled = pd.Series(values, index=responses.person_ids)
    expected = call(values)
    shuffled = labelled.sample(frac=1.0, random_state=5)
    assert same(call(shuffled), expected)
    assert same(call(shuffled.to_dict()), expected)
    assert not same(call(shuffled.to_numpy()), expected)
    with pytest.raises(InputError, match=r"no value for 1 of 600 persons, first \['s17'\]"):
        call(labelled.drop("s17"))
    with pytest.raises(InputError, match="no value for 600 of 600 persons"):
        call(labelled.reset_index(drop=True))  # whose order is not that of the ids, which are sorted
    with pytest.raises(InputError, match=r"several values for \['s17'\]"):
        call(pd.concat([labelled, labelled[["s17"]]]))


def test_a_prior_as_a_table_or_a_mapping_of_pairs_is_not_read_as_a_pair() -> None:
    items = irt.Items(ids=["x", "y"], model="Rasch", b=[0, 1])
    responses = irt.Responses.from_matrix([[1, 0], [1, 1]], items=["x", "y"], persons=[1, 2])
    for prior in ({1: (0, 1), 2: (0, 1)}, pd.DataFrame({0: [0, 0], 1: [1, 1]}, index=[1, 2])):
        with pytest.raises(InputError, match="pair of its columns"):
            irt.score(responses, items, prior=prior)
    spread = irt.score(responses, items, prior=({2: 1.0, 1: -1.0}, pd.Series([0.5, 2.0], index=[2, 1])))
    assert spread.prior is not None
    assert (spread.prior[0].tolist(), spread.prior[1].tolist()) == ([-1.0, 1.0], [2.0, 0.5])


def test_simulated_persons_have_the_labels_of_their_abilities() -> None:
    items = irt.Items(ids=["x", "y", "z"], model="Rasch", b=[-9.0, 0.0, 9.0])
    theta = pd.Series([40.0, -40.0], index=["able", "weak"])
    assert irt.simulate(items, theta, 1).person_ids.tolist() == ["able", "weak"]
    drawn = irt.simulate(items, theta, 1, persons=["weak", "able"], n_answers={"able": 3, "weak": 1})
    assert (drawn.person_ids.tolist(), drawn.answer.tolist()) == (["weak", "able"], [0, 1, 1, 1])
    mask = pd.DataFrame([[1, 0, 0], [1, 1, 0]], index=["weak", "able"], columns=["z", "y", "x"], dtype=bool)
    masked = irt.simulate(items, theta, 1, mask=mask)
    assert [masked.item_ids[k] for k in masked.item] == ["y", "z", "z"]
    tests = irt.simulate_adaptive(items, theta, 1, stop=irt.StopRule(max_items=2))
    assert tests.responses().persons(["weak"]).answer.tolist() == [0, 0]


def test_parameters_of_items_go_by_id_or_by_the_rows_of_their_table() -> None:
    table = pd.DataFrame({"item": ["x", "y", "z"], "a": [1.0, 2.0, 3.0], "b": [-1.0, 0.0, 1.0]})
    by_id = table.set_index("item").iloc[::-1]
    moved = table.set_axis([7, 5, 3])
    for ids, a, b in (
        (table.item, table.a, table.b),
        (moved.item, moved.a.iloc[::-1], moved.b),
        (["x", "y", "z"], table.a, table.b),
        (["x", "y", "z"], by_id.a, by_id.b),
        (["x", "y", "z"], by_id.a.to_dict(), table.b.to_numpy()),
    ):
        items = irt.Items(ids=ids, a=a, b=b)
        assert (items.a.tolist(), items.b.tolist()) == ([1, 2, 3], [-1, 0, 1])
    steps = pd.DataFrame({"b1": [1, -1], "b2": [2, 0]}, index=["y", "x"])
    assert irt.Items(ids=["x", "y"], model="GRM", a=1.0, b=steps).b.tolist() == [[-1, 0], [1, 2]]
    numbers = pd.DataFrame({"item": [2, 0, 1], "b": [0.0, 1.0, 2.0]})
    assert irt.Items(ids=[2, 0, 1], a=1.0, b=numbers.b).b.tolist() == [2, 0, 1]
    assert irt.Items(ids=numbers.item, a=1.0, b=numbers.b).b.tolist() == [0, 1, 2]
    with pytest.raises(InputError, match=r"a has no value for 3 of 3 items, first \['x', 'y', 'z'\]"):
        irt.Items(ids=["x", "y", "z"], a=moved.a, b=[0, 0, 0])


def test_models_and_areas_of_items_go_by_id() -> None:
    model = pd.Series(["2PL", "Rasch"], index=["y", "x"])
    assert irt.Items(ids=["x", "y"], model=model, a=1.0, b=0.0).model.tolist() == ["Rasch", "2PL"]
    bank = irt.Items(ids=["x", "y", "z"], b=[-1, 0, 1], a=1.0)
    responses = irt.simulate(bank, np.random.default_rng(1).normal(size=300), 2)
    mixed = pd.Series(["2PL", "1PL", "1PL"], index=["z", "x", "y"])
    assert irt.calibrate(responses, mixed).items.model.tolist() == ["1PL", "1PL", "2PL"]
    with pytest.raises(ItemsError, match=r"no model is given for 1 items, first \['y'\]"):
        irt.calibrate(responses, mixed.drop("y"))
    limits = irt.ContentLimits(pd.Series({"z": "p", "x": "q", "y": "q"}), at_most=pd.Series({"q": 0}))
    chosen = irt.next_item(bank, 0.0, content=limits)
    assert chosen is not None
    assert chosen.id == "z"
    rule = irt.SympsonHetter(pd.Series({"y": 0.0}))
    assert irt.next_item(bank, 0.0, exposure=rule, rng=1).id != "y"


def test_scores_are_drawn_beside_the_answers_of_their_own_persons() -> None:
    bank = irt.Items(ids=["x", "y", "z"], b=[-1, 0, 1], a=1.0)
    responses = irt.simulate(bank, np.random.default_rng(1).normal(size=60), 2)
    scores = irt.score(responses, bank)
    turned = irt.score(responses.persons(responses.person_ids[::-1]), bank)
    drawn = [irt.plot.residuals(bank, responses, s).axes[0].lines[1].get_ydata() for s in (scores, turned)]
    np.testing.assert_allclose(drawn[0], drawn[1])
    with pytest.raises(InputError, match="scores has no value for 58 of 60 persons"):
        irt.plot.residuals(bank, responses, irt.score(responses.persons([0, 1]), bank))
