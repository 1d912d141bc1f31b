"""Times that are plain numbers: what counts from 1970 on, and what is none."""

import pytest

from thetaline.jobs.importing.times import count_since
from thetaline.jobs.importing.units import TimeUnit


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("0", TimeUnit.S, (0, "")),  # the epoch itself is a time
        ("1.5", TimeUnit.MS, (1_500, "")),
        ("-1", TimeUnit.S, (None, "time is negative")),
        ("1_000", TimeUnit.S, (None, "time is no number")),  # Python's own way to write 1000, and nobody else's
        ("nan", TimeUnit.S, (None, "time is no number")),
        ("inf", TimeUnit.S, (None, "time is no number")),
        (str(2**62 - 2**10), TimeUnit.US, (2**62 - 2**10, "")),
        (str(2**62), TimeUnit.US, (None, "time lies in the future")),  # not far from where a column of 64 bits ends
    ],
)
def test_a_number_is_a_time_since_1970_or_has_a_reason(text: str, unit: TimeUnit, expected: object) -> None:
    assert count_since(unit)(text, None) == expected
