"""Ids of learners, items, sessions and topics: made of one or several columns, and checked."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from thetaline.jobs.importing.columns import Role
from thetaline.jobs.importing.faults import Faults

LONGEST_ID = 200  # characters, the limit of exam_results.user_id and of json_code()
KEY_PARTS = "|"  # between the parts of a code that several columns make


def joined_code(columns: Sequence[pa.Array]) -> pa.Array:
    """A code of its parts, each with its own bars escaped; null where a part is empty."""
    if len(columns) == 1:
        return columns[0]
    parts = [pc.replace_substring(pc.replace_substring(one, "\\", "\\\\"), KEY_PARTS, "\\|") for one in columns]
    return pc.binary_join_element_wise(*parts, pa.scalar(KEY_PARTS, pa.large_string()))


def prefixed(codes: pa.Array, prefix: str | None) -> pa.Array:
    """Codes of two parts, the prefix and the code; the codes alone where the prefix is empty."""
    return joined_code([pa.array([prefix] * len(codes), pa.large_string()), codes]) if prefix else codes


def checked(
    values: pa.Array, role: Role, faults: Faults, *, needed: bool = False, separator: str | None = None
) -> pa.Array:
    """The values, with what is wrong with them noted; `separator` stands between the texts of one value."""
    if needed:
        faults.note(pc.is_null(values), f"no {role}")
    faults.note(_longer(values, separator), f"{role} is longer than {LONGEST_ID} characters")
    faults.note(pc.match_substring(values, "\0"), f"{role} holds a NUL byte")
    faults.note(pc.not_equal(values, pc.utf8_trim_whitespace(values)), f"{role} begins or ends with a blank")
    return values


def _longer(values: pa.Array, separator: str | None) -> pa.Array:
    """Whether a text, or a part of it, is too long."""
    if separator is None:
        return pc.greater(pc.utf8_length(values), LONGEST_ID)
    parts = pc.split_pattern(values.fill_null(""), separator)
    too_long = pc.greater(pc.utf8_length(pc.list_flatten(parts)), LONGEST_ID)
    return pc.is_in(pa.array(np.arange(len(values))), value_set=pc.list_parent_indices(parts).filter(too_long))
