"""Whatever is imported, the attempt view gives back: the same learners, questions, answers, instants and extras.

The file has its texts decomposed (NFD); what comes back is composed.
"""

import csv
import unicodedata
from datetime import UTC, datetime

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from thetaline.jobs.importing import main

# Of letters that Python does not know yet (Cn) PyArrow may know more.
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cn"], exclude_characters="\0"), min_size=1, max_size=12)
IDS = TEXTS.map(lambda text: unicodedata.normalize("NFC", text)).filter(
    lambda text: text == text.strip() and text.strip(" \t\n\r") == text
)
INSTANTS = st.datetimes(datetime(1970, 1, 2), datetime(2025, 6, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
USERS, ITEMS = IDS | st.sampled_from(["u1", "u2"]), IDS | st.sampled_from(["1", "2", "02", "q1"])
SPENT, HINTS = st.none() | st.integers(0, 2**31 - 1001), st.none() | st.booleans()
ANSWERS = st.tuples(USERS, ITEMS, st.none() | st.booleans(), INSTANTS, st.none() | IDS, SPENT, HINTS)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answers=st.lists(ANSWERS, min_size=1, max_size=25, unique_by=lambda answer: (answer[0], answer[1], answer[3])))
def test_import_then_attempt_view_gives_back_the_same_answers(database, tmp_path_factory, answers):
    answers = with_one_topic_an_item(answers)
    path = tmp_path_factory.mktemp("trip") / "answers.csv"
    write(path, answers)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", database)
        assert main([str(path)]) == 0
        assert read_and_clear(database) == sorted(answers, key=repr)


def with_one_topic_an_item(answers):
    """An answer without a topic is shown under its question's, so that each question has one here."""
    topics = {item: topic for _, item, _, _, topic, _, _ in answers}
    return [(user, item, *rest[:2], topics[item], *rest[3:]) for user, item, *rest in answers]


def write(path, answers):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["user_id", "item_id", "is_correct", "answered_at", "topic", "response_time_ms", "hint_used"])
        for user, item, correct, at, topic, spent, hint in answers:
            texts = (user, item, correct, at.isoformat(), topic, spent, hint)
            writer.writerow(unicodedata.normalize("NFD", one) if isinstance(one, str) else one for one in texts)


def read_and_clear(database):
    with psycopg.connect(database, options="-c timezone=UTC") as conn:
        rows = conn.execute(
            """
            select user_id, coalesce(meta ->> 'external_id', item_id), correct, started_at, attempt.topic_id,
                   response_time_ms, hint_used
            from attempt join question on question.id::text = item_id
            """
        ).fetchall()
        conn.execute("truncate exam_results, question")
    return sorted(rows, key=repr)
