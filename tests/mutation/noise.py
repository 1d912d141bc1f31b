"""The parts of a Python file whose change says nothing about its tests."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Span = tuple[tuple[int, int], tuple[int, int]]  # (line, column) of the start and of the end

LOGGERS = {"log", "logger"}
LOOKS = {  # keywords that say how a plot or a help page looks
    *("alpha", "color", "dpi", "figsize", "fontsize", "linewidth", "markeredgewidth", "markersize", "pad", "zorder"),
    *("add_completion", "no_args_is_help"),
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """From here to there."""

    start: tuple[int, int]
    end: tuple[int, int]

    def holds(self, span: Span) -> bool:
        """Whether all of it lies within."""
        return self.start <= span[0] and span[1] <= self.end


def noise(tree: ast.Module) -> list[Stretch]:
    """Texts, log lines, hints, assertions, settings of dataclasses, looks of plots, what only type checkers read."""
    return [stretch for node in ast.walk(tree) for part in _parts(node) if (stretch := _stretch(part))]


def _parts(node: ast.AST) -> Iterator[ast.AST | None]:
    for kind, parts in _KINDS.items():
        if isinstance(node, kind):
            yield from parts(node)


def _text(node: ast.JoinedStr) -> list[ast.AST | None]:
    return [node]


def _hint(node: ast.arg | ast.AnnAssign) -> list[ast.AST | None]:
    return [node.annotation]


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.AST | None]:
    return [node.returns]


def _settings_of_dataclass(node: ast.ClassDef) -> list[ast.AST | None]:
    return [each for each in node.decorator_list if _name(each) == "dataclass"]


def _call(node: ast.Call) -> list[ast.AST | None]:
    if isinstance(node.func, ast.Attribute) and _name(node.func.value) in LOGGERS:
        return [node]
    if _name(node.func) in {"isinstance", "issubclass", "cast"}:
        return [*node.args]
    asserts = {"strict"} if _name(node.func) == "zip" else set()
    return [word.value for word in node.keywords if word.arg in LOOKS | asserts]


def _for_checkers(node: ast.If) -> list[ast.AST | None]:
    names = {_name(each) for each in ast.walk(node.test)}
    return [node] if names & {"TYPE_CHECKING", "__name__"} else []


def _assertion(node: ast.Assert) -> list[ast.AST | None]:
    return [node]


def _alias(node: ast.Assign) -> list[ast.AST | None]:
    union = isinstance(node.value, ast.BinOp) and isinstance(node.value.op, ast.BitOr)
    return [node.value] if union and node.col_offset == 0 else []


_KINDS: dict[type | tuple[type, ...], Callable[..., list[ast.AST | None]]] = {
    ast.JoinedStr: _text,
    (ast.arg, ast.AnnAssign): _hint,
    (ast.FunctionDef, ast.AsyncFunctionDef): _signature,
    ast.ClassDef: _settings_of_dataclass,
    ast.Call: _call,
    ast.If: _for_checkers,
    ast.Assert: _assertion,
    ast.Assign: _alias,
}


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Call):
        return _name(node.func)
    return node.id if isinstance(node, ast.Name) else ""


def _stretch(node: ast.AST | None) -> Stretch | None:
    if not isinstance(node, ast.expr | ast.stmt) or node.end_lineno is None or node.end_col_offset is None:
        return None
    return Stretch((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset))
