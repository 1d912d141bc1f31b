"""What is said where an optional part is not installed."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("missing", ["httpx", "pydantic"])
def test_a_client_without_its_extra_says_what_to_install(missing: str) -> None:
    script = f"import sys; sys.modules[{missing!r}] = None; import thetaline.irt; thetaline.Client"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last == f"ImportError: thetaline.Client needs {missing}; install it by: pip install 'thetaline[client]'"
