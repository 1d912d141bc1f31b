"""Anchors that cannot carry the scale hold the night or are left out by name."""

from school import Calibrate, rows, school, set_anchors, true_anchors

SCHOOL = school()
FIRST = "2025-11-02"


def test_anchors_that_run_the_other_way_hold_the_night(taught: str, calibrate: Calibrate) -> None:
    references = {item: {"a": 1.0, "b": -b} for item, b in zip(SCHOOL.item_ids[:20], SCHOOL.b.tolist(), strict=False)}
    set_anchors(taught, references)
    ended = calibrate("--date", FIRST)
    assert (ended.code, ended.summary["status"]) == (1, "held")
    assert "run the other way" in ended.summary["error"]
    spec = rows(taught, "select model_spec from calibration")[0][0]
    assert (spec["linked"], spec["linking_constants"]) == (False, None)


def test_anchors_with_negative_discrimination_are_malformed_and_hold_the_night(
    taught: str, calibrate: Calibrate
) -> None:
    set_anchors(taught, {item: {"a": -1.0, "b": 0.1} for item in SCHOOL.item_ids[:20]})
    ended = calibrate("--date", FIRST)
    assert ended.code == 1
    assert "only 0 of 20 tagged anchors could be used, 3 needed" in ended.summary["error"]
    warning = next(line for line in ended.log if line["event"] == "malformed anchors left out")
    assert warning["anchors"]["101"] == "meta.irt.a is -1.0, not above 0"


def test_anchors_that_match_nothing_hold_the_night(taught: str, calibrate: Calibrate) -> None:
    set_anchors(taught, {str(item): {"a": 1.0, "b": 0.1} for item in range(9000, 9010)})
    ended = calibrate("--date", FIRST)
    assert ended.code == 1
    assert (
        "only 0 of 10 tagged anchors could be used, 3 needed (no anchor is among the calibrated items)"
        in ended.summary["error"]
    )
    assert rows(taught, "select jsonb_array_length(metrics->'anchors'->'not_calibrated') from calibration") == [(10,)]


def test_references_of_another_model_cannot_carry_the_scale(taught: str, calibrate: Calibrate) -> None:
    set_anchors(taught, true_anchors(SCHOOL, range(0, 40, 2)))
    ended = calibrate("--date", FIRST, MIRT_MODEL="Rasch")
    assert ended.code == 1
    malformed = rows(taught, "select metrics->'anchors'->'malformed' from calibration")[0][0]
    assert malformed["101"] == "frozen under 2PL, this run fits Rasch"


def test_malformed_anchors_are_named_and_the_others_carry_the_scale(taught: str, calibrate: Calibrate) -> None:
    broken = {"101": None, "103": {"a": "1.2", "b": 0}, "105": {"a": 1.2}}
    set_anchors(taught, {**true_anchors(SCHOOL, range(0, 40, 2)), **broken})
    ended = calibrate("--date", FIRST)
    assert (ended.code, ended.summary["n_anchors"]) == (0, 17)
    malformed = rows(taught, "select metrics->'anchors'->'malformed' from calibration")[0][0]
    assert sorted(malformed) == ["101", "103", "105"]


def test_a_drifted_anchor_is_dropped_and_named(taught: str, calibrate: Calibrate) -> None:
    references = true_anchors(SCHOOL, range(40))
    references["120"] = {"a": float(SCHOOL.a[19]), "b": float(SCHOOL.b[19]) + 2.5}
    set_anchors(taught, references)
    assert calibrate("--date", FIRST).code == 0
    dropped = rows(taught, "select metrics->'anchors'->'dropped' from calibration")[0][0]
    assert "drifted: robust z of b" in dropped["120"]
    assert rows(taught, "select (metrics->>'rmsd')::float8 from calibration")[0][0] < 0.35  # 0.44 with the drifted one
