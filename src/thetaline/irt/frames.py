"""Results as data frames, for those who have pandas."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from thetaline.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def frame(columns: Mapping[str, Any]) -> "pd.DataFrame":
    """Columns of equal length as a data frame; raises InputError where pandas is not installed."""
    try:
        import pandas as pd  # noqa: PLC0415  (optional, and slow to import)
    except ImportError as error:
        raise InputError("to_frame needs pandas: pip install 'thetaline[frames]'") from error
    return pd.DataFrame(dict(columns))
