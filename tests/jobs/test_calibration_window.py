from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import psycopg
import pytest
from school import sheet, write

from thetaline import db
from thetaline.errors import DatabaseError
from thetaline.jobs.calibration.window import WindowAnswers, load_answers
from thetaline.learning.school_calendar import UTC_DAYS, SchoolCalendar
from thetaline.learning.windows import last_days

WINDOW = last_days(date(2025, 11, 1), 30)
SEOUL = SchoolCalendar(ZoneInfo("Asia/Seoul"))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def loaded(url: str, *, most: int = 0, calendar: SchoolCalendar = UTC_DAYS) -> WindowAnswers:
    with db.connect(url) as conn:
        return load_answers(conn, url, WINDOW, calendar=calendar, most=most)


def told(answers: WindowAnswers) -> set[tuple[str, str, int]]:
    observed = answers.observations
    return set(
        zip(observed.user_ids[observed.user], observed.item_ids[observed.item], observed.correct.tolist(), strict=True)
    )


def test_the_window_holds_its_first_day_and_the_day_of_the_run(database: str) -> None:
    write(
        database,
        [
            ("ann", at("2025-10-02T23:59:59.999999"), sheet([("1", True)])),
            ("bob", at("2025-10-03T00:00:00"), sheet([("1", False)])),
            ("cid", at("2025-11-01T23:59:59.999999"), sheet([("1", True)])),
            ("dan", at("2025-11-02T00:00:00"), sheet([("1", True)])),
        ],
    )
    assert told(loaded(database)) == {("bob", "1", 0), ("cid", "1", 1)}


def test_the_window_has_the_days_of_the_school(database: str) -> None:
    write(
        database,
        [
            ("ann", at("2025-10-02T14:59:59.999999"), sheet([("1", True)])),
            ("bob", at("2025-10-02T15:00:00"), sheet([("1", False)])),
            ("cid", at("2025-11-01T14:59:59.999999"), sheet([("1", True)])),
            ("dan", at("2025-11-01T15:00:00"), sheet([("1", True)])),
        ],
    )
    assert told(loaded(database, calendar=SEOUL)) == {("bob", "1", 0), ("cid", "1", 1)}


def test_unanswered_is_missing_and_the_first_answer_counts(database: str) -> None:
    write(
        database,
        [
            ("ann", at("2025-10-10"), sheet([("1", None), ("2", True), ("3", False), ("3", True)])),
            ("ann", at("2025-10-12"), sheet([("1", False), ("2", False)])),
            ("ann", at("2025-10-13"), sheet([("1", True)])),
        ],
    )
    answers = loaded(database)
    assert told(answers) == {("ann", "1", 0), ("ann", "2", 1), ("ann", "3", 0)}
    assert (answers.n_repeats, answers.n_contradictory) == (3, 1)


def test_a_first_answer_before_the_window_does_not_hide_the_first_in_it(database: str) -> None:
    write(database, [("ann", at("2025-09-01"), sheet([("1", False)])), ("ann", at("2025-10-12"), sheet([("1", True)]))])
    assert told(loaded(database)) == {("ann", "1", 1)}


@pytest.mark.parametrize("verdict", ["true", 1, 0.5, -1, "NaN", [], {}, float("1e300")])
def test_a_verdict_that_is_no_boolean_costs_that_answer_only(database: str, verdict: object) -> None:
    write(database, [("ann", at("2025-10-10"), sheet([("1", verdict), ("2", True)]))])
    assert told(loaded(database)) == {("ann", "2", 1)}


def test_a_limit_keeps_the_newest_and_counts_the_rest(database: str) -> None:
    write(database, [(f"u{day}", at(f"2025-10-{day}"), sheet([("1", True), ("2", False)])) for day in range(10, 20)])
    answers = loaded(database, most=3)
    assert told(answers) == {("u19", "1", 1), ("u19", "2", 0), ("u18", "2", 0)}
    assert answers.n_over_limit == 17
    assert answers.observations.user_ids.tolist() == ["u18", "u19"]


def test_surrogate_keys_stand_beside_their_ids(database: str) -> None:
    write(
        database,
        [(f"u{n}", at("2025-10-10"), sheet([(str(item), True) for item in range(30, 1, -7)])) for n in (3, 1, 2)],
    )
    answers = loaded(database)
    with psycopg.connect(database) as conn:
        items, learners = (
            dict(conn.execute(f"select {key}_no, {name} from {key}").fetchall())
            for key, name in (("item", "item_id"), ("learner", "user_id"))
        )
    assert [items[number] for number in answers.item_no.tolist()] == answers.observations.item_ids.tolist()
    assert [learners[number] for number in answers.learner_no.tolist()] == answers.observations.user_ids.tolist()


def test_an_empty_window_is_empty(database: str) -> None:
    assert loaded(database).observations.n_answers == 0


def test_a_missing_table_is_a_fault_of_the_database(database: str) -> None:
    with psycopg.connect(database) as conn:
        conn.execute("drop table answer cascade")
    with pytest.raises(DatabaseError, match='relation "answer" does not exist'):
        loaded(database)
