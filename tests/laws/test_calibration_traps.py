"""Data that lead a calibration astray are named, and what can be estimated from them is estimated."""

import numpy as np
import pytest

from thetaline import irt

PRIORS = irt.Priors(a=irt.LogNormal(0.0, 0.5), b=irt.Normal(0.0, 2.0))


@pytest.mark.parametrize("model", ["GRM", "GPCM"])
def test_a_polytomous_item_that_runs_backwards_under_priors_converges_and_is_named(model):
    rng = np.random.default_rng(0)
    truth = irt.Items(ids=range(6), model="GPCM", a=[1, 1, 1, -1, 1, 1.0], b=np.tile([-1.0, 0, 1], (6, 1)))
    fit = irt.calibrate(irt.simulate(truth, rng.normal(size=2000), rng), model=model, priors=PRIORS)
    assert fit.converged
    assert fit.cycles < 30
    assert fit.items.a[3] > 0
    assert np.isfinite(fit.items.b).all()
    assert fit.ids_with(irt.Finding.REVERSED) == [3]
