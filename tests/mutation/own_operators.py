"""Mutation operators that Cosmic Ray lacks, and one that it has for exceptions without a module alone."""

from collections.abc import Iterator
from typing import Any

import parso
from cosmic_ray.operators.operator import Example, Operator

from .mutants import both_ways
from .noise import LOGGERS, Span

_AUGMENTED = {**both_ways("+=|-=", "*=|/="), "|=": "&=", "&=": "|=", "//=": "*=", "**=": "*="}


class AugmentedOperatorReplacement(Operator):
    """`+=` becomes `-=`, and so on."""

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        if node.type == "operator" and node.value in _AUGMENTED:
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        del index  # there is one way
        node.value = _AUGMENTED[node.value]
        return node

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return (Example("x += 1", "x -= 1"),)


class ExceptionReplacement(Operator):
    """An exception that is caught becomes one that nothing raises."""

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        yield from ((caught.start_pos, caught.end_pos) for caught in _caught(node))

    def mutate(self, node: Any, index: int) -> Any:
        caught = _caught(node)[index]
        siblings = caught.parent.children
        place = next(number for number, one in enumerate(siblings) if one is caught)
        prefix = caught.get_first_leaf().prefix
        siblings[place] = parso.python.tree.Name("StopAsyncIteration", caught.start_pos, prefix)
        return node

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        before, after = ("try: f()\nexcept (a.B, C): pass\n", "try: f()\nexcept (StopAsyncIteration, C): pass\n")
        return (Example(before, after),)


class StatementRemoval(Operator):
    """A call made for its effect, a raise and an augmented assignment become `pass`: the guard that is not there."""

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        if node.type == "simple_stmt" and _acts(node.children[0]):
            yield node.children[0].start_pos, node.children[0].end_pos

    def mutate(self, node: Any, index: int) -> Any:
        del index  # there is one way
        removed = node.children[0]
        node.children[0] = parso.python.tree.Keyword("pass", removed.start_pos, removed.get_first_leaf().prefix)
        return node

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return (Example("f(x)\n", "pass\n"), Example("raise Error\n", "pass\n"), Example("x += 1\n", "pass\n"))


def _caught(node: Any) -> list[Any]:
    if node.type != "except_clause":
        return []
    what = node.children[1]
    inside = what.children[1] if what.type == "atom" else what
    return list(inside.children[::2]) if inside.type == "testlist_comp" else [inside]


def _acts(statement: Any) -> bool:
    if statement.type == "expr_stmt":
        return statement.children[1].type == "operator" and statement.children[1].value in _AUGMENTED
    if statement.type == "atom_expr":
        return statement.get_first_leaf().value not in LOGGERS and statement.children[-1].type == "trailer"
    return statement.type == "raise_stmt"
