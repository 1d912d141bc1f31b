"""Which lines must run for a line of the sources to matter: its statement, or all that uses what it defines."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Users:
    """Lines by file, and the names, defined at import, that they or a test may use."""

    lines: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    names: set[str] = field(default_factory=set)


class Sources:
    """The Python files below a folder, as text and as trees."""

    def __init__(self, root: Path) -> None:
        """Reads them all."""
        self._texts = {str(path.relative_to(root)): path.read_text() for path in sorted(root.rglob("*.py"))}

    def users_of(self, path: str, line: int) -> Users:
        """Of a line of Python."""
        users = Users()
        self._add_line(users, path, line)
        return users

    def users_of_statement(self, name: str) -> Users:
        """Of an SQL statement, which the code asks for by its name in quotes."""
        users = Users()
        self._add_mentions(users, {f'"{name}"'})
        return users

    def _add_line(self, users: Users, path: str, line: int) -> None:
        function = _innermost(self._tree(path), line, ast.FunctionDef | ast.AsyncFunctionDef)
        if isinstance(function, Function):
            in_body = line >= function.body[0].lineno
            users.lines[path] |= _own_lines(function, line) if in_body else _lines(function.body)
        else:
            self._add_definition(users, path, line)

    def _add_definition(self, users: Users, path: str, line: int) -> None:
        """What runs at import matters to those who use the names that it binds, or else to all users of the file."""
        top = next((each for each in self._tree(path).body if line in _lines([each])), None)
        bound = set(_bound(top)) if top else set()
        if isinstance(top, ast.ClassDef):
            users.lines[path] |= _lines(top.body)
        elif not bound and not isinstance(top, ast.Import | ast.ImportFrom):
            users.lines[path] |= _lines(self._tree(path).body)
        new = bound - users.names
        users.names.update(new)
        self._add_mentions(users, new)

    def _add_mentions(self, users: Users, names: set[str]) -> None:
        for path, number in self._mentions(frozenset(names)):
            if number not in users.lines[path]:
                users.lines[path].add(number)
                self._add_line(users, path, number)

    @cache  # noqa: B019  as long-lived as the run
    def _mentions(self, names: frozenset[str]) -> list[tuple[str, int]]:
        if not names:
            return []
        word = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in sorted(names)))
        return [
            (path, number)
            for path, text in self._texts.items()
            for number, line in enumerate(text.splitlines(), 1)
            if word.search(line)
        ]

    @cache  # noqa: B019  as long-lived as the run
    def _tree(self, path: str) -> ast.Module:
        return ast.parse(self._texts[path])


def enclosing(source: str, line: int) -> str:
    """The dotted name of the function or class that holds the line; empty at the top."""
    holders = [node for node in ast.walk(ast.parse(source)) if isinstance(node, Function | ast.ClassDef)]
    return ".".join(node.name for node in holders if line in _lines([node]))


def _innermost(tree: ast.AST, line: int, kind: type | object) -> ast.AST | None:
    """The holders of a line enclose each other, and a walk meets the outer ones first."""
    *_, found = [None, *(node for node in ast.walk(tree) if isinstance(node, kind) and line in _lines([node]))]  # type: ignore[arg-type, list-item]
    return found


def _own_lines(function: Function, line: int) -> set[int]:
    """The statement that holds the line, without the statements within it."""
    statement = _innermost(function, line, ast.stmt)
    body = getattr(statement, "body", None)
    if not isinstance(statement, ast.stmt) or not body:
        return _lines([statement]) if isinstance(statement, ast.stmt) else {line}
    head = set(range(statement.lineno, body[0].lineno))
    return head if line in head else {line}


def _lines(nodes: Iterable[ast.AST]) -> set[int]:
    return {number for node in nodes for number in range(_first_line(node), (node.end_lineno or 0) + 1)}  # type: ignore[attr-defined]


def _first_line(node: ast.AST) -> int:
    return min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])  # type: ignore[attr-defined, no-any-return]


def _bound(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        yield statement.name
    elif isinstance(statement, ast.ImportFrom):
        yield from (alias.asname for alias in statement.names if alias.asname)
    else:
        yield from (each.id for each in ast.walk(statement) if isinstance(each, ast.Name) and _is_stored(each))


def _is_stored(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)
