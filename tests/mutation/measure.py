"""Runs all tests once, with coverage.py on in every process, to learn which of them reach which line."""

import subprocess
import sys
from pathlib import Path

from coverage import Coverage

from .contexts import REPORT
from .saving import LABEL
from .trees import Tree

_SETTINGS = """\
[run]
source = {source}
data_file = {data}
parallel = true
context = ${{{label}-}}
plugins = tests.mutation.saving
patch = _exit
"""


def measure(tree: Tree, chosen: list[str], lines: Path, tests: Path, *, workers: int) -> None:
    """Run the `chosen`; write `lines` (coverage by test) and `tests` (seconds, outcome and fixtures of each)."""
    lines.parent.mkdir(parents=True, exist_ok=True)
    settings = lines.parent / "coverage.ini"
    settings.write_text(_SETTINGS.format(source=tree.sources, data=lines, label=LABEL))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.mutation.contexts", "-p", "no:cacheprovider"]
    environment = tree.environment(COVERAGE_PROCESS_START=str(settings), **{REPORT: str(tests)})
    with lines.with_name("measuring.log").open("w") as log:  # a test that fails is left out, and named in the report
        subprocess.run(
            [*command, "-n", str(workers), "--dist", "loadfile", "--no-loadscope-reorder", *chosen],
            cwd=tree.root, env=environment, stdout=log, stderr=log, check=False,
        )  # fmt: skip
    _combine(lines, settings)


def _combine(lines: Path, settings: Path) -> None:
    together = Coverage(data_file=str(lines), config_file=str(settings))
    together.combine(strict=True)
    together.save()
