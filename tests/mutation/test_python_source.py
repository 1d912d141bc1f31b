import pytest

pytest.importorskip("cosmic_ray", reason="the tool of `make mutants` is not installed")

from .python_source import changed, places

SOURCE = """\
def f(x, *, y=1, **rest):
    z = {**rest, "a": x * y}
    if x > y and not z:
        raise ValueError(f"{x * 2} is too much")
    z["b"] += x**2
    return g(*z, x * 3)
"""


def test_every_change_is_of_its_own_line_and_leaves_the_others() -> None:
    found = [(place.line, change) for place in places("x.py", SOURCE) for change in place.changes]
    assert {line for line, _ in found} == {1, 2, 3, 4, 5, 6}
    for line, change in found:
        before, after = SOURCE.splitlines(), changed(SOURCE, change).splitlines()
        assert [n for n in range(1, 7) if before[n - 1] != after[n - 1]] == [line]


def test_neighbours_of_operators_are_tried_and_stars_of_calls_and_texts_are_not() -> None:
    lines = [changed(SOURCE, change).splitlines() for place in places("x.py", SOURCE) for change in place.changes]
    assert {'    z = {**rest, "a": x / y}', "    return g(*z, x / 3)"} <= {line for each in lines for line in each}
    assert all(each[0].startswith("def f(x, *, y=") and "**rest" in each[0] for each in lines)
    assert all("{x * 2}" in each[3] or each[3].strip() == "pass" for each in lines)


def test_each_exception_that_is_caught_is_tried_with_its_module_or_without() -> None:
    source = "try:\n    f()\nexcept (a.b.C, D) as e:\n    g()\nexcept E.F:\n    g()\nexcept G:\n    g()\n"
    heads = [changed(source, change).splitlines() for place in places("x.py", source) for change in place.changes]
    found = {(each[2], each[4], each[6]) for each in heads if "StopAsyncIteration" in "".join(each)}
    assert found == {
        ("except (StopAsyncIteration, D) as e:", "except E.F:", "except G:"),
        ("except (a.b.C, StopAsyncIteration) as e:", "except E.F:", "except G:"),
        ("except (a.b.C, D) as e:", "except StopAsyncIteration:", "except G:"),
        ("except (a.b.C, D) as e:", "except E.F:", "except StopAsyncIteration:"),
    }
