import numpy as np
import pytest

from thetaline.jobs.anchors.references import AnchorItem, AnchorSet
from thetaline.jobs.anchors.verification import PublishedDifficulties, verify_anchors


def verified(se: float, *, moved_by: float = 0.8):
    b = np.linspace(-2, 2, 12)
    ids = [str(i) for i in range(12)]
    anchors = AnchorSet(tuple(AnchorItem(item_id=i, a=1.0, b=float(x)) for i, x in zip(ids, b, strict=True)), {})
    published = PublishedDifficulties(ids, b + np.where(np.arange(12) == 5, moved_by, 0.0), np.full(12, se))
    return verify_anchors(anchors, published, max_move=0.5, at_least=None)


@pytest.mark.parametrize("se", [0.05, np.nan])
def test_an_anchor_beyond_the_limit_has_moved(se):
    assert [one.item_id for one in verified(se).moved] == ["5"]


def test_a_move_that_the_standard_errors_explain_is_none():
    assert not verified(0.3).moved
    assert [one.item_id for one in verified(0.3, moved_by=1.4).moved] == ["5"]


def test_an_exact_anchor_may_still_move_within_the_limit():
    assert not verified(0.01, moved_by=0.45).moved


def test_of_sound_anchors_one_in_370_is_beyond_three_errors_of_the_difference():
    """Reference and published b are estimated each with its error; a normal variate is beyond 3 at p = 0.0027."""
    rng, n, se = np.random.default_rng(4), 40_000, 0.2
    b = rng.normal(size=n)
    ids = [str(i) for i in range(n)]
    references = (b + rng.normal(0, se, n)).tolist()
    anchors = AnchorSet(tuple(AnchorItem(item_id=i, a=1.0, b=x) for i, x in zip(ids, references, strict=True)), {})
    published = PublishedDifficulties(ids, b + rng.normal(0, se, n), np.full(n, se))
    report = verify_anchors(anchors, published, max_move=0.0, at_least=None)
    assert len(report.moved) / n == pytest.approx(0.0027, abs=4 * np.sqrt(0.0027 / n))
