import pytest

from thetaline.jobs.anchors.references import AnchorItem, AnchorSet, parse_anchor


@pytest.mark.parametrize(
    ("irt", "anchor"),
    [
        ({"a": 1.2, "b": 0.5}, AnchorItem("7", 1.2, 0.5)),
        ({"a": 1, "b": 0, "c": None, "model": "2PL"}, AnchorItem("7", 1.0, 0.0, model="2PL")),
        ({"a": 1.2, "b": -0.5, "c": 0, "model": "3PL", "version": 4}, AnchorItem("7", 1.2, -0.5, c=0.0, model="3PL")),
    ],
)
def test_a_frozen_reference_is_read(irt: object, anchor: AnchorItem) -> None:
    assert parse_anchor("7", irt) == anchor


@pytest.mark.parametrize(
    ("irt", "reason"),
    [
        (None, "no meta.irt"),
        ("2PL", "meta.irt is '2PL', not an object"),
        ([], "meta.irt is [], not an object"),
        ({}, "meta.irt.a is None, not a finite number"),
        ({"a": 1.2}, "meta.irt.b is None, not a finite number"),
        ({"a": "1.2", "b": 0.5}, "meta.irt.a is '1.2', not a finite number"),
        ({"a": True, "b": 0.5}, "meta.irt.a is True, not a finite number"),
        ({"a": 1.2, "b": float("inf")}, "meta.irt.b is inf, not a finite number"),
        ({"a": 0, "b": 0.5}, "meta.irt.a is 0, not above 0"),
        ({"a": -1.2, "b": 0.5}, "meta.irt.a is -1.2, not above 0"),
        ({"a": 1.2, "b": 0.5, "c": 1}, "meta.irt.c is 1, not a number from 0 to below 1"),
        ({"a": 1.2, "b": 0.5, "c": -0.1}, "meta.irt.c is -0.1, not a number from 0 to below 1"),
        ({"a": 1.2, "b": 0.5, "c": "x"}, "meta.irt.c is 'x', not a number from 0 to below 1"),
        ({"a": 1.2, "b": 0.5, "c": 0.3, "d": 0.2}, "meta.irt.d is 0.2, not a number above c, to 1"),
        ({"a": 1.2, "b": 0.5, "d": 1.1}, "meta.irt.d is 1.1, not a number above c, to 1"),
        ({"a": 10**400, "b": 0.5}, "meta.irt.a is 100000000000000000...0000000000000000000, not a finite number"),
    ],
)
def test_a_malformed_reference_is_named_with_its_fault(irt: object, reason: str) -> None:
    assert parse_anchor("7", irt) == reason


def test_references_of_another_model_are_left_out_with_the_reason() -> None:
    anchors = AnchorSet(
        (
            AnchorItem("1", 1.0, 0.0, model="2PL"),
            AnchorItem("2", 1.0, 0.0, c=0.2, model="3PL"),
            AnchorItem("3", 1.0, 0.0),
        ),
        {"4": "no meta.irt"},
    ).frozen_under("2PL")
    assert anchors.item_ids == ("1", "3")
    assert anchors.malformed == {"4": "no meta.irt", "2": "frozen under 3PL, this run fits 2PL"}
