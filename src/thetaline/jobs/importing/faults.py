"""What is wrong with the rows of a batch: every fault of a row, and values that are left out without it."""

from collections import Counter, defaultdict
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from thetaline.jobs.arrays import Mask
from thetaline.jobs.importing.files import Reason
from thetaline.jobs.importing.parsers import COSTS_THE_VALUE, PAIR, Parsed


class Faults:
    """Of the wanted ones of n rows; `left_out` counts the values that a row loses while it counts."""

    def __init__(self, wanted: Mask) -> None:
        """No faults yet."""
        self.n = len(wanted)
        self.of_row: dict[int, list[Reason]] = defaultdict(list)
        self.left_out: Counter[str] = Counter()
        self._wanted = wanted

    def note(self, rows: pa.Array, reason: str) -> None:
        """Add a reason to the rows (n,) where it is true."""
        places = np.flatnonzero(np.asarray(rows.fill_null(False)) & self._wanted)
        if reason in COSTS_THE_VALUE:
            self.left_out[reason] += len(places)
            return
        kind = Reason(reason.split(": ", maxsplit=1)[0], reason)
        for place in places.tolist():
            if kind not in self.of_row[place]:
                self.of_row[place].append(kind)

    @property
    def sound(self) -> Mask:
        """Which rows have none, (n,); of unwanted ones nothing is known."""
        mask = self._wanted.copy()
        mask[list(self.of_row)] = False
        return mask

    def parse(self, values: pa.Array, parser: Callable[[str], Parsed], kind: pa.DataType) -> pa.Array:
        """Parse each distinct text once; what cannot be parsed is null, and its rows get the reason."""
        coded = values.dictionary_encode()
        parsed = [parser(text) for text in coded.dictionary.to_pylist()]
        by_reason: dict[str, list[int]] = defaultdict(list)
        for code, (_, reason) in enumerate(parsed):
            if reason:
                by_reason[reason].append(code)
        for reason, codes in by_reason.items():
            self.note(pc.is_in(coded.indices, value_set=pa.array(codes, pa.int32())), reason)
        return pa.array([value for value, _ in parsed], kind).take(coded.indices)

    def parse_pair(
        self, first: pa.Array, second: pa.Array, parser: Callable[[str], Parsed], kind: pa.DataType
    ) -> pa.Array:
        """Parse each distinct pair once; where the first is empty the value is null."""
        both = pc.binary_join_element_wise(first, second.fill_null(""), pa.scalar(PAIR, pa.large_string()))
        return self.parse(both, parser, kind)
