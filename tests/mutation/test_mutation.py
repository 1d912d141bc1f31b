import ast
from collections import Counter
from pathlib import Path

import pytest

from .mutants import Mutant, Place, sample
from .noise import noise
from .report import Result, Reviewed, caught_percent, difference
from .runs import Outcome
from .sources import Sources, enclosing
from .sql_source import changed, places


def some_places(**counts: int) -> list[Place]:
    """So many places in each of these files."""
    return [Place(f"{file}.py", line, 0, ("A#1", "A#2")) for file, count in counts.items() for line in range(count)]


def drawn(count: int, seed: int) -> list[Mutant]:
    packages = {"one": some_places(a=300, b=100), "other": some_places(c=50, d=50, e=1000)}
    return sample(packages, count=count, seed=seed, effective=lambda _: True)


def test_equal_seeds_give_equal_samples_and_others_do_not() -> None:
    assert drawn(40, seed=1) == drawn(40, seed=1)
    assert drawn(40, seed=1) != drawn(40, seed=2)


def test_packages_get_equal_shares_and_their_files_as_many_as_their_places_ask_for() -> None:
    mutants = drawn(41, seed=3)
    assert Counter(mutant.package for mutant in mutants) == {"one": 21, "other": 20}
    files = Counter(mutant.path for mutant in mutants)
    assert files["a.py"] == pytest.approx(21 * 300 / 400, abs=1)
    assert files["e.py"] == pytest.approx(20 * 1000 / 1100, abs=1)


def test_a_beginning_of_a_sample_is_spread_over_packages_and_files_as_well() -> None:
    beginning = drawn(400, seed=3)[:100]
    assert Counter(mutant.package for mutant in beginning) == {"one": 50, "other": 50}
    assert {mutant.path for mutant in beginning} == {"a.py", "b.py", "c.py", "d.py", "e.py"}


def test_a_place_is_never_drawn_twice_and_all_of_them_where_all_are_asked_for() -> None:
    mutants = drawn(100_000, seed=1)
    assert len({(mutant.path, mutant.line) for mutant in mutants}) == len(mutants) == 1500


def test_a_change_that_changes_nothing_is_replaced_by_another_of_its_place() -> None:
    found = sample({"one": some_places(a=9)}, count=9, seed=1, effective=lambda mutant: mutant.change == "A#2")
    assert [mutant.change for mutant in found] == ["A#2"] * 9


def test_sql_is_changed_in_its_operators_words_and_numbers_only() -> None:
    statement = "select count(*), x::int4 from t -- 1 and 2\nwhere a >= %(n)s and b = '3 or 4' limit 10 for update"
    tokens = [each.changes[0].split("#")[1] for each in places("x.sql", statement)]
    assert tokens == [">=", "and", "=", "10", "for update"]


@pytest.mark.parametrize(
    ("statement", "mutated"),
    [
        ("order by a desc nulls last", ["order by a asc nulls last", "order by a desc nulls first"]),
        ("a is not null", ["a is null"]),
        ("limit 10", ["limit 11", "limit 9"]),
        ("select b from a left join b", ["select b from a join b"]),
    ],
)
def test_each_change_of_a_statement_changes_one_thing(statement: str, mutated: list[str]) -> None:
    assert [changed(statement, each) for place in places("x.sql", statement) for each in place.changes] == mutated


def test_texts_hints_log_lines_assertions_and_looks_are_left_alone() -> None:
    source = "@dataclass(frozen=True)\nclass A:\n    x: int | None = 3\n\n"
    source += 'def f(x):\n    log.info("x", n=4)\n    assert x > 5\n    plot(x, alpha=8)\n'
    source += '    y = zip(x, x, strict=True)\n    return f"{x + 6}" if x > 7 else g(*y)\n'
    left_out = noise(ast.parse(source))
    numbers = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    spans = {str(node.value): ((node.lineno, node.col_offset), (node.lineno, node.col_offset + 1)) for node in numbers}
    kept = {value for value, span in spans.items() if not any(each.holds(span) for each in left_out)}
    assert kept & {"3", "4", "5", "6", "7", "8", "True", "None"} == {"3", "7"}


def written(tmp_path: Path, **files: str) -> Sources:
    for name, text in files.items():
        (tmp_path / f"{name}.py").write_text(text)
    return Sources(tmp_path)


def test_a_line_matters_to_its_statement_and_a_head_to_all_of_its_function(tmp_path: Path) -> None:
    sources = written(
        tmp_path,
        a="def f(x, y=1):\n    z = (\n        x +\n        y\n    )\n    if z:\n        z += 1\n    return z\n",
    )
    assert sources.users_of("a.py", 3).lines == {"a.py": {2, 3, 4, 5}}
    assert sources.users_of("a.py", 6).lines == {"a.py": {6}}
    assert sources.users_of("a.py", 1).lines == {"a.py": {2, 3, 4, 5, 6, 7, 8}}


def test_a_constant_matters_to_all_who_name_it_or_what_is_made_of_it(tmp_path: Path) -> None:
    sources = written(
        tmp_path, a="ONE = 1\nTWO = 2 * ONE\n", b="from a import TWO\n\ndef f():\n    x = 1\n    return TWO + x\n"
    )
    users = sources.users_of("a.py", 1)
    assert users.names == {"ONE", "TWO"}
    assert users.lines["b.py"] >= {5}
    assert 4 not in users.lines["b.py"]


def test_a_line_is_known_by_the_function_that_holds_it() -> None:
    assert enclosing("class A:\n    def f(self):\n        return 1\n", 3) == "A.f"


def result(outcome: str) -> Result:
    return Result("one", "a.py", 1, "f", "x", "y", 3, 0, Outcome(outcome, "", 1.0, 60.0))


def test_the_share_that_is_caught_leaves_out_what_changes_nothing() -> None:
    outcomes = ["killed"] * 6 + ["timed out"] * 2 + ["survived", "no test"] + ["equivalent"] * 5
    assert caught_percent([result(each) for each in outcomes]) == 80.0


def test_a_reviewed_mutant_is_known_by_its_text_wherever_it_stands(tmp_path: Path) -> None:
    listed = tmp_path / "equivalent.toml"
    listed.write_text('[[mutant]]\nin = "f"\nremoved = "y = x[0]"\nadded = "y = x[ 1]"\nreason = "all are equal"\n')
    removed, added = difference("a\n    y = x[0]\n", "a\n    y = x[ 1]\n")
    assert Reviewed(listed).knows("f", removed, added)
    assert not Reviewed(listed).knows("g", removed, added)
    assert not Reviewed(listed).knows("f", removed, "y = x[2]")
