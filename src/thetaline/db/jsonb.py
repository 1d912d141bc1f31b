"""JSON text as PostgreSQL takes it: it has no NaN and no infinity."""

import json
import math
from collections.abc import Mapping


def to_json(value: object) -> str:
    """`value` as JSON: NumPy scalars as numbers, a number that is not finite as null, other types as their text."""
    return json.dumps(_plain(value), ensure_ascii=False, default=str)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if callable(getattr(value, "item", None)):  # of NumPy's scalars
        return _plain(value.item())  # type: ignore[attr-defined]
    return None if isinstance(value, float) and not math.isfinite(value) else value
