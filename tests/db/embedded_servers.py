"""Embedded servers of the tests: in folders of their own, used by other processes too."""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from thetaline import db
from thetaline.db.embedded import supervisor

GRACE = 0.3
HOLD_A_LEASE = f"""
import signal, sys
from pathlib import Path
from thetaline.db import embedded
lease = embedded.lease(Path(sys.argv[1]), grace_secs={GRACE})
print(lease.url, flush=True)
signal.pause()
"""


def copy(made: Path, root: Path) -> None:
    shutil.copytree(made, root, ignore=shutil.ignore_patterns("run", supervisor.LOCK_FILE, "leases", "lock", "pin"))


def answers(url: str) -> bool:
    with db.connect(url) as conn:
        return conn.execute("select 1").fetchone() == (1,)


def pid_of(root: Path) -> int:
    pid = supervisor.postmaster(root / "data")
    assert pid is not None
    return pid


def supervisor_of(root: Path) -> int:
    return int((root / supervisor.LOCK_FILE).read_text())


@contextlib.contextmanager
def another_user_of(root: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with subprocess.Popen([sys.executable, "-c", HOLD_A_LEASE, root], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            yield child, child.stdout.readline().strip()
        finally:
            child.kill()
