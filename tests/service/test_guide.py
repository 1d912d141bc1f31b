"""The guide to the service is run: every shell block by bash, every answer compared, the Python executed."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

from serving import INTERNAL, Running, publish

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "service.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
ANYTHING = "…"


def _fits(found: Any, shown: Any) -> bool:
    if shown == ANYTHING:
        return True
    if isinstance(shown, dict):
        return found.keys() == shown.keys() and all(_fits(found[name], value) for name, value in shown.items())
    if isinstance(shown, list):
        return len(found) == len(shown) and all(map(_fits, found, shown))
    return bool(abs(found - shown) < 1e-9 if isinstance(shown, float) else found == shown)


def test_the_guide_does_what_it_shows(service: Running) -> None:
    publish(service.database, {str(101 + i): {"a": 1.0, "b": i - 3.0} for i in range(7)})
    first, *blocks = BLOCK.findall(PAGE.read_text())
    assert first[0] == "console"  # it starts a service: the one block that is not run
    assert {kind for kind, _ in blocks} == {"sh", "json", "py"}
    printed = ""
    for kind, text in blocks:
        if kind == "sh":
            run = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", text],
                env={**os.environ, "URL": service.url, "TOKEN": INTERNAL},
                capture_output=True,
                text=True,
                check=True,
                timeout=60,
            )
            printed = run.stdout
        elif kind == "json":
            assert _fits(json.loads(printed), json.loads(text)), f"shown:\n{text}\nfound:\n{printed}"
        else:
            exec(compile(text, str(PAGE), "exec"), {"URL": service.url, "TOKEN": INTERNAL})  # noqa: S102  our own page
