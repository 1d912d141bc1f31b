"""Whom the embedded server runs as, and who owns its database."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from embedded_servers import GRACE, HOLD_A_LEASE, answers, pid_of

from thetaline import db
from thetaline.db import embedded
from thetaline.db.embedded import identity
from thetaline.errors import DatabaseError
from waiting import wait_until

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def test_the_owner_of_the_database_is_no_superuser(root: Path) -> None:
    with embedded.lease(root, grace_secs=GRACE) as held, db.connect(held.url) as conn:
        assert conn.execute(
            "select current_user::text, usesuper from pg_user where usename = current_user"
        ).fetchone() == (
            "thetaline",
            False,
        )


@AS_ROOT
def test_root_keeps_a_private_folder_private() -> None:
    with tempfile.TemporaryDirectory(prefix="tl-") as folder:  # mkdtemp: nobody else may enter
        root = Path(folder) / "db"
        with embedded.lease(root, grace_secs=GRACE) as held:
            assert answers(held.url)
            assert Path(folder).stat().st_mode & 0o777 == 0o700
            assert root.stat().st_mode & 0o777 == 0o700
        embedded.stop(root)


@AS_ROOT
def test_root_without_user_namespaces_runs_the_server_as_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = identity.unprivileged()
    monkeypatch.setattr(identity, "find", lambda _: identity.Identity(uid=nobody))
    with tempfile.TemporaryDirectory(prefix="tl-") as folder:
        Path(folder).chmod(0o711)
        root = Path(folder) / "db"
        with embedded.lease(root, grace_secs=GRACE) as held:
            assert answers(held.url)
            assert Path(f"/proc/{pid_of(root)}").stat().st_uid == nobody
        embedded.stop(root)
        Path(folder).chmod(0o700)
        embedded.reset(root)
        with pytest.raises(DatabaseError, match=f"runs as user {nobody}, who must be able to enter"):
            embedded.lease(root)


@AS_ROOT
def test_a_plain_user_runs_the_server_as_himself(made: Path) -> None:
    uid = identity.unprivileged()
    python = next((path for path in (sys.executable, "/usr/bin/python3") if runs_as(uid, path)), None)
    if python is None:
        pytest.skip(f"user {uid} can run no Python {sys.version_info.major}.{sys.version_info.minor} here")
    with tempfile.TemporaryDirectory(prefix="tl-") as folder:
        os.chown(folder, uid, uid)
        script = HOLD_A_LEASE.replace("signal.pause()", "embedded.lease(Path(sys.argv[1])).close(); lease.close()")
        done = subprocess.run(
            [python, "-c", script, f"{folder}/db"], env={"PYTHONPATH": os.pathsep.join(sys.path)}, cwd="/",
            user=uid, group=uid, extra_groups=[], capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        wait_until(lambda: not embedded.status(Path(folder) / "db").is_running)


def runs_as(uid: int, python: str) -> bool:
    """Whether the user can start this Python and it is of our version; root's own may lie in a private folder."""
    same_version = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    try:
        return subprocess.run([python, "-c", same_version], user=uid, group=uid, cwd="/", check=False).returncode == 0
    except OSError:
        return False
