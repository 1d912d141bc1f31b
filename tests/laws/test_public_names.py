"""What `from thetaline import irt` offers, when it is loaded, and that a name means the same however it is reached."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from thetaline import irt


def in_fresh_process(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_the_names_that_a_type_checker_sees_are_those_that_are_there() -> None:
    tree = ast.parse(Path(irt.__file__).read_text())
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        name.name: node.module for node in ast.walk(guarded) if isinstance(node, ast.ImportFrom) for name in node.names
    }
    assert set(seen) == set(irt.__all__)
    for name, module in seen.items():
        assert getattr(irt, name) is getattr(sys.modules[module], name, sys.modules.get(f"{module}.{name}"))


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'calibate'"):
        irt.calibate  # noqa: B018


@pytest.mark.parametrize("name", ["calibrate", "dif", "drift", "information", "simulate"])
def test_a_function_is_not_hidden_by_the_module_of_its_name(name: str) -> None:
    code = f"import thetaline.irt.{name}; from thetaline import irt; print(callable(irt.{name}))"
    assert in_fresh_process(code) == "True"
    assert not isinstance(getattr(irt, name), ModuleType)


def test_a_calibration_loads_neither_scipy_nor_plots_nor_frames_nor_tests() -> None:
    code = """
import sys
import numpy as np
from thetaline import irt
x = np.random.default_rng(1).integers(0, 2, (200, 10))
irt.calibrate(irt.Responses.from_matrix(x))
parts = ("scipy", "matplotlib", "pandas", "thetaline.irt.plot", "thetaline.irt.dif", "thetaline.irt.scoring")
print([part for part in parts if part in sys.modules])
"""
    assert in_fresh_process(code) == "[]"


def test_every_public_function_and_class_says_what_it_is() -> None:
    silent = [name for name in irt.__all__ if not inspect.getdoc(getattr(irt, name))]
    assert silent in ([], ["FAMILIES"])
