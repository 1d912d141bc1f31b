"""Texts of a batch in one form of Unicode; several of one row as PostgreSQL writes an array: `{"algebra","graphs"}`."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from thetaline.jobs.importing.files import RowBatch


def composed(batch: RowBatch) -> RowBatch:
    """The batch with composed texts (NFC): an é of one letter and one of letter and accent are one id, one word."""
    return replace(batch, columns={name: _composed(texts) for name, texts in batch.columns.items()})


def _composed(texts: pa.Array) -> pa.Array:
    if pc.all(pc.string_is_ascii(texts)).as_py() is not False:  # None: all are null
        return texts
    return pc.utf8_normalize(texts, "NFC")


def text_array_literals(columns: Sequence[pa.Array], n: int, separator: str | None, missing: Sequence[str]) -> pa.Array:
    """The texts of n rows that are not empty nor one of `missing`; a text is cut at the separator."""
    quoted = [_quoted(one, separator, missing).fill_null("") for one in columns]
    if not quoted:
        return pa.array(["{}"] * n, pa.large_string())
    joined = quoted[0] if len(quoted) == 1 else pc.binary_join_element_wise(*quoted, _text(""))
    return pc.binary_join_element_wise(_text("{"), pc.utf8_slice_codeunits(joined, 1), _text("}"), _text(""))


def _quoted(texts: pa.Array, separator: str | None, missing: Sequence[str]) -> pa.Array:
    # A comma before each, which the first of a row loses: pyarrow 26 drops rows when it skips the nulls of all columns.
    none = pc.is_in(pc.utf8_lower(pc.utf8_trim_whitespace(texts)), value_set=pa.array(missing, pa.large_string()))
    texts = pc.if_else(none, None, texts)
    escaped = pc.replace_substring(pc.replace_substring(texts, "\\", "\\\\"), '"', '\\"')
    if separator is not None:
        escaped = pc.replace_substring_regex(escaped, rf"\s*{re.escape(separator)}\s*", '","')
    return pc.binary_join_element_wise(_text(',"'), escaped, _text('"'), _text(""))


def _text(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())
