"""Where a Python file can be changed, and the changed file.  Cosmic Ray makes the mutants; this chooses among them."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from cosmic_ray.ast import Visitor, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator

from .mutants import Place, both_ways
from .noise import Span, noise
from .own_operators import AugmentedOperatorReplacement, ExceptionReplacement, StatementRemoval

# One neighbour for each operator, the mistake that somebody could make: nobody writes `>>` for `+`, and every test
# of a line notices it, so that the other replacements that Cosmic Ray knows would only raise the share of killed ones.
_BINARY = {
    **both_ways("Add|Sub", "Mul|Div", "BitAnd|BitOr", "LShift|RShift"),
    "FloorDiv": "Mul",
    "Mod": "Mul",
    "Pow": "Mul",
    "BitXor": "BitAnd",
}
_COMPARISONS = both_ways("Eq|NotEq", "Is|IsNot", "Lt|LtE", "Gt|GtE")
_OTHERS = (
    *("AddNot", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd"),
    *("ReplaceUnaryOperator_Delete_USub", "ReplaceUnaryOperator_Delete_Not", "ReplaceUnaryOperator_Delete_Invert"),
    *("NumberReplacer", "ZeroIterationForLoop"),
    *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak"),
)


OWN = (AugmentedOperatorReplacement, ExceptionReplacement, StatementRemoval)


def _operators() -> dict[str, Operator]:
    names = [
        *(f"ReplaceBinaryOperator_{one}_{other}" for one, other in _BINARY.items()),
        *(f"ReplaceComparisonOperator_{one}_{other}" for one, other in _COMPARISONS.items()),
        *_OTHERS,
    ]
    theirs = {name: get_operator(f"core/{name}")() for name in names}
    return theirs | {own.__name__: own() for own in OWN}


OPERATORS = _operators()
# Where Cosmic Ray takes a `*` for a product, it also takes that of `def f(*, x)` and of `{**x}`.
_EXPRESSIONS = {"arith_expr", "term", "power", "shift_expr", "expr", "and_expr", "xor_expr", "expr_stmt"}


def places(path: str, source: str) -> Iterator[Place]:
    """All places of the file that have a change, in the order of its text."""
    finder = _Finder()
    finder.walk(get_ast(source))
    left_out = noise(ast.parse(source))
    for span, changes in sorted(finder.found.items()):
        if not any(one.holds(span) for one in left_out):
            yield Place(path, *span[0], tuple(changes))


def changed(source: str, change: str) -> str:
    """The file with one change of a place; the same text where that would be no program or the same one."""
    name, occurrence = change.split("#")
    mutated: str = mutate_code(source, OPERATORS[name], int(occurrence)) or source
    try:
        same = ast.dump(ast.parse(mutated)) == ast.dump(ast.parse(source))
    except SyntaxError:  # `while not batch := f():`
        return source
    return source if same else mutated


class _Finder(Visitor):
    """Walks a tree once for all operators; Cosmic Ray's own search walks it once for each."""

    def __init__(self) -> None:
        self.found: dict[Span, list[str]] = defaultdict(list)
        self._count = dict.fromkeys(OPERATORS, 0)

    def visit(self, node: Any) -> Any:
        for name, operator in OPERATORS.items():
            for span in operator.mutation_positions(node):
                if not _is_punctuation(node):  # counted all the same: Cosmic Ray numbers what it takes for an operator
                    self.found[span].append(f"{name}#{self._count[name]}")
                self._count[name] += 1
        return node


def _is_punctuation(node: Any) -> bool:
    return node.type == "operator" and node.parent.type not in _EXPRESSIONS
