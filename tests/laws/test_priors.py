"""Prior densities: their slopes, their modes, what is no density."""

import numpy as np
import pytest

from thetaline import irt
from thetaline.errors import InputError

DENSITIES = [irt.Normal(0.3, 2.0), irt.LogNormal(0.1, 0.5), irt.Beta(5, 17), irt.LogitNormal(-1.39, 0.5)]
INSIDE = np.array([0.05, 0.2, 0.5, 0.9])


@pytest.mark.parametrize("prior", DENSITIES)
def test_the_slope_is_the_derivative_of_the_log_density(prior):
    expected = (prior.log_density(INSIDE + 1e-7) - prior.log_density(INSIDE - 1e-7)) / 2e-7
    np.testing.assert_allclose(prior.slope(INSIDE), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("prior", DENSITIES)
def test_the_mode_has_no_slope_and_curvature_is_positive(prior):
    assert prior.slope(np.array([prior.mode]))[0] == pytest.approx(0.0, abs=1e-9)
    assert (prior.curvature(INSIDE) > 0).all()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: irt.Normal(0, 0),
        lambda: irt.LogNormal(0, -1),
        lambda: irt.Beta(1, 3),
        lambda: irt.LogitNormal(0, np.nan),
    ],
)
def test_what_is_no_density_is_refused(wrong):
    with pytest.raises(InputError, match="needs"):
        wrong()
