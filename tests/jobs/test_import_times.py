"""Times of answers and times taken, in the units, forms and zones in which files have them."""

from datetime import UTC, datetime

import pytest

from thetaline.jobs.importing.times import count_since
from thetaline.jobs.importing.units import TimeUnit

HEADER = "user_id,item_id,is_correct,answered_at"


@pytest.mark.parametrize(
    ("column", "value", "options", "ms"),
    [
        ("seconds", "64", ("--response-time", "seconds"), 64_000),
        ("sec", "6.4", ("--response-time", "sec"), 6_400),
        ("Duration (sec)", "64", (), 64_000),
        ("elapsedMs", "6400", ("--response-time", "elapsedMs"), 6_400),
        ("ms_first_response", "6400", ("--response-time", "ms_first_response"), 6_400),
        ("Minutes", "2", ("--response-time", "Minutes"), 120_000),
        ("took", "64", ("--response-time", "took", "--response-time-unit", "s"), 64_000),
        ("took", "PT1M4.5S", ("--response-time", "took", "--response-time-unit", "s"), 64_500),
        ("took", "1:04", ("--response-time", "took", "--response-time-unit", "s"), 64_000),
    ],
)
def test_the_unit_of_the_time_taken_is_its_names_or_an_options(load_answers, attempts, column, value, options, ms):
    code, summary, told = load_answers(f"{HEADER},{column}\nu1,1,1,2025-11-01,{value}\n", *options)
    assert code == 0, told
    assert attempts("response_time_ms") == [(ms,)]
    assert column in summary["columns"]["response-time"]


def test_a_time_taken_without_a_unit_is_asked_for(load_answers):
    code, _, told = load_answers(f"{HEADER},took\nu1,1,1,2025-11-01,64\n", "--response-time", "took")
    assert code == 2
    assert "--response-time took: the name tells no unit; say what its numbers count by --response-time-unit" in told


@pytest.mark.parametrize(("ms", "warns"), [(64, True), (64_000, False), (64_000_000, True)])
def test_an_implausible_median_of_the_time_taken_is_told(load_answers, ms, warns):
    told = load_answers(f"{HEADER},response_time_ms\nu1,1,1,2025-11-01,{ms}\n")[2]
    assert (f"the median time taken is {ms / 1000:g} s; is its unit right" in told) == warns


def test_a_missing_negative_or_endless_time_taken_costs_the_time_and_not_the_answer(load_answers, attempts):
    values = ["-5", "9999999999", "NA", "", ".", "700"]
    rows = "".join(f"u1,{k},1,2025-11-01,{value}\n" for k, value in enumerate(values, start=1))
    code, summary, told = load_answers(f"{HEADER},response_time_ms\n{rows}")
    assert (code, summary["answers"]) == (0, 6)
    assert [ms for (ms,) in attempts("response_time_ms")] == [None] * 5 + [700]
    assert "1 × response time is negative: taken as unknown, the answer counts" in told
    assert "1 × response time is beyond 24 days" in told


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("10/14/05 14:51", "2005-10-14T14:51:00"),
        ("14/10/2005 14:51:30", "2005-10-14T14:51:30"),
        ("2026-11-01 10:00:00 UTC", "2026-11-01T10:00:00"),
        ("1 Nov 2026 10:00", "2026-11-01T10:00:00"),
        ("1 November 2026  10:00 PM", "2026-11-01T22:00:00"),
        ("Nov 1, 2026 12:05 AM", "2026-11-01T00:05:00"),
        ("Sun, 01 Nov 2026 10:00:00 +0900", "2026-11-01T01:00:00"),
        ("01.11.2026 10:00", "2026-11-01T10:00:00"),
        ("2026/11/01 10:00:00.250 EST", "2026-11-01T15:00:00.250000"),
        ("2026. 11. 1. 10:00", "2026-11-01T10:00:00"),
        ("1793527200", "2026-11-01T10:00:00"),
        ("1793527200000", "2026-11-01T10:00:00"),
    ],
)
def test_times_are_read_as_they_are_written(load_answers, attempts, text, at):
    code, _, told = load_answers(f'{HEADER}\nu1,1,1,"{text}"\n')
    assert code == 0, told
    assert attempts("started_at") == [(datetime.fromisoformat(f"{at}+00:00"),)]


def test_day_and_month_that_cannot_be_told_apart_are_asked_for(load_answers, attempts):
    content = f"{HEADER}\nu1,1,1,10/11/05 14:51\nu1,2,1,09/11/05 14:51\n"
    code, _, told = load_answers(content)
    assert code == 2
    assert "'10/11/05 14:51' may have the day or the month first; say --time-format" in told
    assert load_answers(content, "--time-format", "%d/%m/%y %H:%M")[0] == 0
    assert attempts("started_at")[0] == (datetime(2005, 11, 9, 14, 51, tzinfo=UTC),)


def test_a_column_has_the_time_zone_of_each_row(load_answers, attempts):
    content = (
        f"{HEADER},tz\nu1,1,1,2026-11-02 09:00,Asia/Seoul\nu2,1,1,2026-11-02 09:00,US/Eastern\n"
        "u3,1,1,2026-11-02 09:00,\nu4,1,1,2026-11-02 09:00,-03:30\n"
    )
    assert load_answers(content, "--zone", "tz", "--time-zone", "Europe/Berlin")[0] == 0
    assert [at.hour * 60 + at.minute for (at,) in attempts("started_at")] == [0, 14 * 60, 8 * 60, 12 * 60 + 30]
    code, _, told = load_answers(f"{HEADER},tz\nu5,1,1,2026-11-02 09:00,Mars\n", "--zone", "tz")
    assert code == 2
    assert "line 2: time zone is not known: 'Mars'" in told


def test_without_times_the_order_of_the_rows_is_the_order_of_the_answers(load_answers, attempts):
    content = "user_id,item_id,is_correct\nu1,9,0\nu1,2,1\nu1,9,1\n"
    assert load_answers(content, "--on", "2025-03-03")[0] == 0
    assert attempts("code, correct, attempt_no") == [("9", False, 1), ("2", True, 1), ("9", True, 2)]
    assert load_answers(content, "--on", "2025-03-03")[1]["answers"] == 0


def test_a_column_may_order_the_rows_and_the_attempts(load_answers, attempts):
    content = "user_id,item_id,is_correct,nr\nu1,9,1,20\nu1,2,1,15\nu1,9,0,3\n"
    assert load_answers(content, "--on", "2025-03-03", "--order", "nr")[0] == 0
    assert attempts("code, correct, attempt_no") == [("9", False, 1), ("2", True, 1), ("9", True, 2)]
    content = f"{HEADER},try\nu2,5,1,2025-03-03,2\nu2,5,0,2025-03-03,1\n"
    assert load_answers(content, "--attempt", "try")[0] == 0
    assert attempts("code, correct, attempt_no")[-2:] == [("5", False, 1), ("5", True, 2)]


def test_a_zone_of_times_that_is_not_the_zone_of_days_is_told(load_answers):
    content = f"{HEADER}\nu1,1,1,2025-11-03 08:00\n"
    told = load_answers(content, "--time-zone", "Asia/Seoul")[2]
    assert "warning: times are read in Asia/Seoul, but days and weeks are those of UTC; set THETALINE_TIME_ZONE" in told
    assert "days and weeks" not in load_answers(content, "--time-zone", "UTC")[2]


def test_what_was_imported_leads_on_to_a_window_that_holds_it(load_answers):
    told = load_answers(f"{HEADER}\nu1,1,1,2005-09-01\nu1,2,1,2006-06-01\n")[2]
    assert told.endswith("next: MIRT_LOOKBACK_DAYS=274 thetaline calibrate --date 2006-06-01\n")


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
