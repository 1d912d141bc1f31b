"""The role of each column of a file."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from thetaline.errors import InputError
from thetaline.jobs.importing.files import AnswerFile


class Role(StrEnum):
    """What a column can mean."""

    USER = "user"
    ITEM = "item"
    CORRECT = "correct"
    SCORE = "score"
    MAX_SCORE = "max-score"
    RESPONSE = "response"
    TIME = "time"
    ZONE = "zone"
    ORDER = "order"
    ATTEMPT = "attempt"
    TOPIC = "topic"
    SESSION = "session"
    RESPONSE_TIME = "response-time"
    HINT = "hint"
    DATED_BY = "dated-by"


Columns = Mapping[Role, tuple[str, ...]]

SEVERAL = (Role.USER, Role.ITEM, Role.TOPIC)  # the other roles have one column

# As they are written in lower case with `_` for whatever is no letter or digit.
USUAL_NAMES: Mapping[Role, tuple[str, ...]] = {
    Role.USER: ("user_id", "user", "learner_id", "learner", "student_id", "student", "person_id", "userid"),
    Role.ITEM: ("item_id", "question_id", "item", "question", "problem_id", "itemid", "questionid", "problemid"),
    Role.CORRECT: ("is_correct", "correct"),
    Role.SCORE: ("score",),
    Role.RESPONSE: ("response", "user_answer"),
    Role.TIME: ("answered_at", "responded_at", "completed_at", "timestamp", "time", "started_at"),
    Role.TOPIC: ("topic_id", "topic"),
    Role.SESSION: ("session_id", "session"),
    Role.RESPONSE_TIME: (
        "response_time_ms", "response_time_sec", "time_spent_sec", "time_spent_ms", "time_taken_sec", "time_taken_ms",
        "duration_sec", "duration_ms",
    ),
    Role.HINT: ("hint_used", "used_hints"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked for: the columns of roles, and whether answers are responses that a key scores."""

    columns: Columns
    keyed: bool = False


def assign(source: AnswerFile, choice: Choice) -> dict[Role, tuple[str, ...]]:
    """The columns of each role: the chosen ones, else the first of the role's usual names that the file has.

    Raises InputError when a chosen column is absent or stands in the header twice, or when a needed role has none.
    """
    columns = usual_columns(source.names, chosen_columns(source, choice.columns), keyed=choice.keyed)
    _check_needed(source.names, columns, choice)
    _check_repeated(source, columns)
    return columns


def chosen_columns(source: AnswerFile, chosen: Columns) -> dict[Role, tuple[str, ...]]:
    """The file's names for those that were asked for, in any case; a topic's repeated columns all count.

    Raises InputError when a column is absent.
    """
    columns = {}
    for role, asked in chosen.items():
        found = tuple(_found(role, name, source.names) for name in asked)
        if role is Role.TOPIC:
            found = tuple(name for name in source.names if base_name(name) in found)
        columns[role] = found
    return columns


def usual_columns(
    names: Sequence[str], columns: Columns, *, keyed: bool = False, only: Sequence[Role] = tuple(Role)
) -> dict[Role, tuple[str, ...]]:
    """`columns`, and for roles that have none the first of their usual names among `names`."""
    found = dict(columns)
    taken = {name for role, its in columns.items() if role is not Role.DATED_BY for name in its}
    usual = {plain_name(name): name for name in reversed(names) if name not in taken}
    for role, wanted in USUAL_NAMES.items():
        name = next((usual[one] for one in wanted if one in usual), None)
        if role in only and role not in found and name is not None and not _is_excluded(role, found, keyed=keyed):
            found[role] = (name,)
    return found


def plain_name(name: str) -> str:
    """`User ID`, `userId` and `user_id` are one name."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"\W+", "_", words.lower()).strip("_")


def base_name(name: str) -> str:
    """A name as the header has it, without the number of its repetition."""
    return re.sub(r" #\d+$", "", name)


def _found(role: Role, name: str, names: Sequence[str]) -> str:
    if name.strip() in names:
        return name.strip()
    same = [one for one in names if plain_name(one) == plain_name(name)]
    if not same:
        raise InputError(f"the file has no column for --{role} {name}; its columns are: {listed(names)}")
    if len(same) > 1:
        raise InputError(f"--{role} {name} may be any of {', '.join(same)}; write it as the file does")
    return same[0]


def _is_excluded(role: Role, columns: Columns, *, keyed: bool) -> bool:
    """An answer comes from one column: a key's response, a score or a right or wrong excludes the others."""
    if role in (Role.CORRECT, Role.SCORE):
        return keyed or Role.CORRECT in columns or Role.SCORE in columns
    return False


def _check_needed(names: Sequence[str], columns: Columns, choice: Choice) -> None:
    missing = [f"--{role}" for role in (Role.USER, Role.ITEM) if role not in columns]
    if choice.keyed and Role.RESPONSE not in columns:
        missing.append("--response (which --key scores)")
    if not choice.keyed and Role.CORRECT not in columns and Role.SCORE not in columns:
        missing.append("--correct (or --score)")
    if missing:
        raise InputError(
            f"the file has no column that is known as {', '.join(missing)}; name it by that option, or say --wide "
            f"where a row is a learner and a column an item; its columns are: {listed(names)}"
        )


def _check_repeated(source: AnswerFile, columns: Columns) -> None:
    """Topics may stand in several columns of one name: `KC (Default)` of DataShop."""
    twice = sorted({name for role, its in columns.items() if role is not Role.TOPIC for name in its} & source.repeated)
    if twice:
        raise InputError(
            f"{source.path}: the header names {', '.join(twice)} more than once; rename the one that is not meant"
        )


def listed(names: Sequence[str]) -> str:
    """The first forty names, none longer than sixty characters."""
    shown = ", ".join(name if len(name) <= 60 else name[:57] + "…" for name in names[:40])
    return (shown or "none") + (", …" if len(names) > 40 else "")
