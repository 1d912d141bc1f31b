"""LSAT 6 described as by Rizopoulos (2006, ltm: an R package for latent variable modeling, J. Stat. Soft. 17(5))."""

import mirt_reference
import pytest

from thetaline import irt

# `descript(LSAT)`: share right, point biserial with the total score without the item, alpha without the item.
SHARE = [0.924, 0.709, 0.553, 0.763, 0.870]
ITEM_REST = [0.1128, 0.1532, 0.1728, 0.1444, 0.1216]
ALPHA_WITHOUT = [0.2754, 0.2376, 0.2168, 0.2459, 0.2663]
ALPHA = 0.2950


def test_lsat_6_has_the_published_descriptive_statistics():
    analysis = irt.item_analysis(mirt_reference.answers("LSAT6"))
    assert analysis.difficulty.tolist() == pytest.approx(SHARE, abs=5e-4)
    assert analysis.item_rest.tolist() == pytest.approx(ITEM_REST, abs=6e-5)
    assert analysis.alpha_without.tolist() == pytest.approx(ALPHA_WITHOUT, abs=6e-5)
    assert analysis.alpha.estimate == pytest.approx(ALPHA, abs=6e-5)
