"""To which day and week an answer belongs, in every stage, where the school is not in UTC."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from learners import NOW, TODAY, Answer, Connection, bank_params, context, publish_items, simulated, write_answers
from psycopg.types.json import Jsonb
from thetas import snapshot

from thetaline.jobs.features import backfill, topic_daily
from thetaline.jobs.kpis import compute
from thetaline.learning.school_calendar import SchoolCalendar

SUNDAY, MONDAY = TODAY, TODAY + timedelta(days=1)
SEOUL = "Asia/Seoul"
MONDAY_MORNING_HOUR = 23  # of Sunday in UTC: 08:00 of Monday in Seoul


def features(conn: Connection, database: str, **options: object) -> list[tuple[object, ...]]:
    backfill.work(context(conn, database, "backfill_features", **options))
    return conn.execute("select date, attempts from features_topic_daily order by date").fetchall()


def answers_at(conn: Connection, *instants: datetime) -> None:
    """One answer a topic `t1` at each instant."""
    questions = [
        {"question_id": number, "is_correct": True, "topic": "t1", "answered_at": at.isoformat()}
        for number, at in enumerate(instants, start=1)
    ]
    conn.execute(
        "insert into exam_results (user_id, result_json) values ('ada', %s)", (Jsonb({"questions": questions}),)
    )
    conn.commit()


@pytest.fixture
def monday_morning(conn: Connection) -> None:
    """Ada in Seoul: 20 answers on Sunday at 21:00, 20 on Monday at 08:00."""
    rng = np.random.default_rng(3)
    params = bank_params(40, rng)
    sunday = simulated({"ada": 0.3}, params, range(1, 21), rng)
    monday = [Answer("ada", item, bool(rng.random() < 0.6), hour=MONDAY_MORNING_HOUR) for item in range(21, 41)]
    write_answers(conn, [*sunday, *monday])
    publish_items(conn, params)


@pytest.mark.usefixtures("monday_morning")
def test_monday_morning_in_seoul_is_a_day_of_its_own(conn: Connection, database: str) -> None:
    assert features(conn, database, as_of=MONDAY, thetaline_time_zone=SEOUL) == [(SUNDAY, 20), (MONDAY, 20)]
    assert features(conn, database, as_of=MONDAY) == [(SUNDAY, 40)]


@pytest.mark.usefixtures("monday_morning")
def test_monday_morning_in_seoul_belongs_to_its_own_iso_week(conn: Connection, database: str) -> None:
    for day in (SUNDAY, MONDAY):
        compute.work(context(conn, database, "compute_daily_kpis", as_of=day, thetaline_time_zone=SEOUL))
    weeks = conn.execute(
        "select week_start, kpis ->> 'as_of', cast(kpis ->> 'n_recent' as int) from weekly_kpi order by 1"
    )
    assert weeks.fetchall() == [(date(2025, 10, 27), str(SUNDAY), 20), (MONDAY, str(MONDAY), 40)]


@pytest.mark.usefixtures("monday_morning")
def test_theta_of_sunday_in_seoul_does_not_know_mondays_answers(conn: Connection, database: str) -> None:
    assert snapshot(conn, database, as_of=SUNDAY, thetaline_time_zone=SEOUL)["n_answers"] == 20
    assert snapshot(conn, database, as_of=MONDAY, thetaline_time_zone=SEOUL)["n_answers"] == 40


@pytest.mark.parametrize(
    ("zone", "day", "first", "stop"),
    [
        ("Europe/Berlin", date(2025, 3, 30), datetime(2025, 3, 29, 23), datetime(2025, 3, 30, 22)),  # noqa: DTZ001
        ("Europe/Berlin", date(2025, 10, 26), datetime(2025, 10, 25, 22), datetime(2025, 10, 26, 23)),  # noqa: DTZ001
        ("America/Sao_Paulo", date(2018, 11, 4), datetime(2018, 11, 4, 3), datetime(2018, 11, 5, 2)),  # noqa: DTZ001
        ("Asia/Beirut", date(2025, 3, 30), datetime(2025, 3, 29, 22), datetime(2025, 3, 30, 21)),  # noqa: DTZ001
    ],
)
def test_days_on_which_clocks_change_are_half_open(
    conn: Connection, database: str, zone: str, day: date, first: datetime, stop: datetime
) -> None:
    begin, end, moment = first.replace(tzinfo=UTC), stop.replace(tzinfo=UTC), timedelta(microseconds=1)
    answers_at(conn, begin - moment, begin, end - moment, end)
    found = features(conn, database, as_of=day + timedelta(days=1), thetaline_time_zone=zone)
    assert found == [(day - timedelta(days=1), 1), (day, 2), (day + timedelta(days=1), 1)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    zone=st.sampled_from(sorted(available_timezones())),
    first=st.dates(date(1971, 1, 1), date(2037, 12, 1)),
    minutes=st.sets(st.integers(0, 20 * 24 * 60), min_size=1, max_size=10),
)
def test_the_days_of_features_are_those_that_the_calendar_tells(
    conn: Connection, zone: str, first: date, minutes: set[int]
) -> None:
    calendar = SchoolCalendar(ZoneInfo(zone))
    instants = [calendar.start_of(first) + timedelta(minutes=number) for number in minutes]
    answers_at(conn, *instants)
    topic_daily.backfill_features_topic_daily(
        conn, start=first, end=first + timedelta(days=25), now=NOW, calendar=calendar
    )
    found = conn.execute("select date, attempts from features_topic_daily").fetchall()
    assert dict(found) == Counter(calendar.day_of(at) for at in instants)
    conn.execute("truncate exam_results, features_topic_daily")
    conn.commit()


def test_the_days_of_a_zone_are_found_by_the_index_on_time(conn: Connection, database: str) -> None:
    answers_at(conn, datetime(2025, 11, 2, 9, tzinfo=UTC))
    starts = [datetime(2025, 11, 1, 15, tzinfo=UTC), datetime(2025, 11, 2, 15, tzinfo=UTC)]
    bounds = {"first_day": SUNDAY, "starts": starts, "start": starts[0], "stop": starts[1], "learners": None}
    conn.execute(topic_daily.SQL["make_days"])
    conn.execute("set local enable_seqscan = off")
    plan = conn.execute("explain " + topic_daily.SQL["aggregate_days"], bounds).fetchall()
    assert any("Index Cond" in line and "answered_at >=" in line and "answered_at <" in line for (line,) in plan)
