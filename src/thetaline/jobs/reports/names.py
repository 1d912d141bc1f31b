"""Files that say which learners, and what pages call them."""

import csv
from collections.abc import Iterator
from pathlib import Path

from thetaline.errors import InputError

ID, NAME = "user_id", "name"


def read_user_ids(path: Path) -> list[str]:
    """The learners of a file: an id a line, or a CSV with the column `user_id`. Raises InputError."""
    users = list(dict.fromkeys(_ids(path)))
    if not users:
        raise InputError(f"{path} names no learner; write one id a line, or a CSV with the column {ID}")
    return users


def read_names(path: Path) -> dict[str, str]:
    """What pages call each learner: a CSV with the columns `user_id` and `name`. Raises InputError."""
    rows = _lines(path)
    head = rows[0] if rows else []
    if ID not in head or NAME not in head:
        raise InputError(f"{path} has the columns {', '.join(head) or 'none'}; it needs {ID} and {NAME}")
    columns = head.index(ID), head.index(NAME)
    names: dict[str, str] = {}
    for number, row in enumerate(rows[1:], start=2):
        if len(row) <= max(columns):
            raise InputError(f"{path}, line {number}: {len(row)} columns where the head has {len(head)}")
        user, name = (row[column].strip() for column in columns)
        if names.setdefault(user, name) != name:
            raise InputError(f"{path}, line {number}: {user!r} has two names, {names[user]!r} and {name!r}")
    return {user: name for user, name in names.items() if user and name}


def _ids(path: Path) -> Iterator[str]:
    rows = _lines(path)
    column = rows[0].index(ID) if rows and ID in rows[0] else None
    for row in rows if column is None else rows[1:]:
        one = row[column or 0].strip() if len(row) > (column or 0) else ""
        if one:
            yield one


def _lines(path: Path) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [row for row in csv.reader(file) if row]
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not CSV in UTF-8: {error}") from error
