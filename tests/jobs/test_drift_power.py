"""The watch over weeks at the size of a school, by the benchmark at few nights: its nightly engine's references."""

import numpy as np
import pytest
from benchmarks.drift_power import Year, year

from thetaline.jobs.drift.monitor import LOG_LIMIT

N_NIGHTS = 110


@pytest.fixture(scope="module")
def found() -> Year:
    return year(1, N_NIGHTS)


def test_few_sound_items_are_called_changed(found: Year) -> None:
    sound = found.school.change == 0
    assert np.mean(found.log_odds[sound].max(axis=1) > LOG_LIMIT) <= 0.03  # 7 of 228; a year has 0.05


def test_most_sudden_changes_are_found_within_45_days_or_the_time_that_is_left(found: Year) -> None:
    sudden = (found.school.change != 0) & (found.school.takes == 1)
    assert np.mean(found.found(found.school.begins, 45, LOG_LIMIT)[sudden]) >= 0.7
