"""Mantel–Haenszel on a table that everybody has: admissions at Berkeley (Bickel, Hammel & O'Connell 1975)."""

import numpy as np

from thetaline.irt.dif.mantel_haenszel import Strata, mantel_haenszel

# Per department A … F: men admitted, men rejected, women admitted, women rejected.
ADMISSIONS = np.array(
    [
        [512, 313, 89, 19],
        [353, 207, 17, 8],
        [120, 205, 202, 391],
        [138, 279, 131, 244],
        [53, 138, 94, 299],
        [22, 351, 24, 317],
    ],
    dtype=np.float64,
)


def test_the_table_has_every_applicant() -> None:
    assert ADMISSIONS.sum() == 4526


def test_statistic_and_common_odds_ratio_are_those_that_r_documents() -> None:
    """R 4.x, mantelhaen.test(UCBAdmissions): X² = 1.4269, p = 0.2323, odds ratio 0.9046968 (0.7719074, 1.0603298)."""
    found = mantel_haenszel(Strata(*ADMISSIONS.T))
    np.testing.assert_allclose([found.statistic, found.p], [1.4269, 0.2323], atol=5e-5)
    interval = np.exp(found.log_odds + 1.959964 * found.se_log_odds * np.array([0.0, -1.0, 1.0]))
    np.testing.assert_allclose(interval, [0.9046968, 0.7719074, 1.0603298], atol=1e-6)


def test_without_continuity_correction_the_statistic_is_larger() -> None:
    """R 4.x, mantelhaen.test(UCBAdmissions, correct = FALSE): X² = 1.5246, p = 0.2169."""
    found = mantel_haenszel(Strata(*ADMISSIONS.T), correct=False)
    np.testing.assert_allclose([found.statistic, found.p], [1.5246, 0.2169], atol=5e-5)
