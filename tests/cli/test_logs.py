import io
import json
import logging

import pytest

from thetaline import logs
from thetaline.masking import mask_text, mask_value


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _logging_as_it_was():
    root = logging.getLogger()
    before = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = before[0], before[1]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgresql://app:hunter2@db/x failed", "postgresql://app:***@db/x failed"),
        ("postgresql://app:p:a@ss@db/x", "postgresql://app:***@db/x"),
        ("at postgresql://app:hun/ter2@db/x failed", "at postgresql://app:***@db/x failed"),
        ("connect password=hunter2 host=db", "connect password=*** host=db"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer ***"),
        ('{"api_token": "abc"}', '{"api_token": "***"}'),
        ("postgresql://app@db/x at 12:30", "postgresql://app@db/x at 12:30"),
        ("5 tokens were read", "5 tokens were read"),
    ],
)
def test_a_secret_in_a_text_is_masked_and_nothing_else(text, masked):
    assert mask_text(text) == masked


def test_a_value_under_a_secret_name_is_masked_all_the_way_down():
    value = {"db": {"password": "x"}, "list": ["postgresql://a:b@c/d"], "n_tokens": 3, "ok": 1.5}
    assert mask_value("", value) == {
        "db": {"password": "***"},
        "list": ["postgresql://a:***@c/d"],
        "n_tokens": 3,
        "ok": 1.5,
    }


def test_elsewhere_than_on_a_terminal_a_line_is_one_json_object():
    stream = io.StringIO()
    logs.configure(stream)
    logs.get_logger("thetaline.jobs.x").info("observations loaded", count=3, url="postgresql://a:hunter2@c/d")
    line = json.loads(stream.getvalue())
    assert (line["event"], line["count"], line["level"]) == ("observations loaded", 3, "info")
    assert line["url"] == "postgresql://a:***@c/d"
    assert line["timestamp"].endswith("Z")


def test_on_a_terminal_a_line_is_for_people():
    stream = Terminal()
    logs.configure(stream)
    logs.get_logger("thetaline.jobs.x").info("item count", count=150)
    assert "item count" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_a_traceback_and_another_librarys_log_are_masked_too(stream):
    logs.configure(stream)
    try:
        [][len("postgresql://a:hunter2@c/d is gone")]
    except IndexError:
        logs.get_logger("thetaline.x").exception("fault")
    logging.getLogger("somebody.else").warning("retrying postgresql://a:%s@c/d", "hunter2")
    assert "IndexError" in stream.getvalue()
    assert "retrying" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()
