from dataclasses import replace

import numpy as np
import pytest
from school import School, school

from thetaline.jobs.anchors.references import AnchorItem
from thetaline.jobs.calibration.engine import CalibrationReply, CalibrationRequest
from thetaline.jobs.calibration.in_process_engine import InProcessEngine
from thetaline.jobs.calibration.observations import Observations

SCHOOL = school(n_items=30, n_users=300, mean=0.5, sd=1.3)


def observed(of: School, seed: int = 2) -> Observations:
    """Everybody on every item."""
    p = 1 / (1 + np.exp(-of.a * (of.theta[:, None] - of.b)))
    user, item = np.indices(p.shape)
    return Observations(
        user_ids=np.array(of.user_ids, dtype=object),
        item_ids=np.array(of.item_ids, dtype=object),
        user=user.ravel().astype(np.int32),
        item=item.ravel().astype(np.int32),
        correct=(np.random.default_rng(seed).random(p.shape) < p).ravel().astype(np.uint8),
        responded_at=np.full(p.size, np.datetime64("2025-11-01", "us")),
    )


ANSWERS = observed(SCHOOL)
TRUTH = tuple(
    AnchorItem(name, float(a), float(b))
    for name, a, b in zip(SCHOOL.item_ids[::2], SCHOOL.a[::2], SCHOOL.b[::2], strict=True)
)


def answered(*anchors: AnchorItem, model: str = "2PL") -> CalibrationReply:
    return InProcessEngine().calibrate(CalibrationRequest(ANSWERS, model, anchors))


def test_sound_anchors_are_held_and_learners_lie_on_their_scale() -> None:
    free, linked = answered(), answered(*TRUTH)
    assert free.linking is None
    assert linked.linking is not None
    assert linked.population == (linked.linking.B, linked.linking.A)
    np.testing.assert_allclose(np.array(linked.population), [0.5, 1.3], atol=0.15)
    position = {name: i for i, name in enumerate(linked.items.item_ids)}
    held = [one for one in TRUTH if one.item_id not in linked.linking.dropped]
    assert len(held) == linked.linking.n_anchors_used
    for name in "ab":
        published = linked.items.parameters[name][[position[one.item_id] for one in held]]
        np.testing.assert_allclose(published, [getattr(one, name) for one in held], rtol=1e-12)
    assert np.isnan(linked.items.se["b"][[position[one.item_id] for one in held]]).all()


def test_fixed_anchors_are_held_and_the_population_says_where_it_is() -> None:
    fixed = [AnchorItem(one.item_id, one.a, one.b, fixed=True) for one in TRUTH]
    reply = answered(*fixed, AnchorItem(SCHOOL.item_ids[1], 9.0, 9.0))
    assert reply.linking is not None
    assert (reply.linking.method, reply.linking.n_anchors_used) == ("fixed-anchors", 15)
    assert (pytest.approx(1.3, abs=0.15), pytest.approx(0.5, abs=0.15)) == (reply.linking.A, reply.linking.B)
    position = {name: i for i, name in enumerate(reply.items.item_ids)}
    held = [position[one.item_id] for one in fixed]
    np.testing.assert_allclose(reply.items.parameters["b"][held], [one.b for one in fixed], rtol=1e-12)
    np.testing.assert_allclose(reply.items.parameters["a"][held], [one.a for one in fixed], rtol=1e-12)


def test_ids_come_back_with_their_own_estimates() -> None:
    reply = answered()
    b = dict(zip(reply.items.item_ids, reply.items.parameters["b"], strict=True))
    assert np.corrcoef([b[name] for name in SCHOOL.item_ids], SCHOOL.b)[0, 1] > 0.97
    theta = dict(zip(reply.abilities.user_ids, reply.abilities.theta, strict=True))
    assert np.corrcoef([theta[name] for name in SCHOOL.user_ids], SCHOOL.theta)[0, 1] > 0.9


@pytest.mark.parametrize("n", [1, 2])
def test_too_few_anchors_leave_the_scale_alone_and_say_why(n: int) -> None:
    reply = answered(*TRUTH[:n])
    assert reply.linking is None
    assert f"{n} usable anchors of {n} common items, 3 are needed" in reply.not_linked


def test_three_parameters_meet_anchors_with_guessing() -> None:
    anchors = [AnchorItem(one.item_id, one.a, one.b, c=0.01) for one in TRUTH]
    reply = answered(*anchors, model="3PL")
    assert reply.linking is not None
    assert set(reply.items.parameters) == {"a", "b", "c"}
    assert set(reply.items.se) == {"a", "b", "c"}


def test_a_bank_of_fixed_items_places_its_learners() -> None:
    fixed = [
        AnchorItem(n, float(a), float(b), fixed=True)
        for n, a, b in zip(SCHOOL.item_ids, SCHOOL.a, SCHOOL.b, strict=True)
    ]
    reply = answered(*fixed)
    assert reply.population == (pytest.approx(0.5, abs=0.15), pytest.approx(1.3, abs=0.15))
    assert reply.linking is not None
    assert reply.population == (reply.linking.B, reply.linking.A)


def test_a_handful_of_learners_is_scored_under_n01_and_the_status_says_so() -> None:
    few = replace(
        ANSWERS, **{name: getattr(ANSWERS, name)[:90] for name in ("user", "item", "correct", "responded_at")}
    )
    fixed = [
        AnchorItem(n, float(a), float(b), fixed=True)
        for n, a, b in zip(SCHOOL.item_ids, SCHOOL.a, SCHOOL.b, strict=True)
    ]
    reply = InProcessEngine().calibrate(
        CalibrationRequest(replace(few, user_ids=few.user_ids[:3]), "2PL", tuple(fixed))
    )
    assert "learners are taken to be N(0, 1)" in reply.fit.status
    assert reply.population == (0.0, 1.0)
