"""The embedded server: shared, private, gone when unused."""

import contextlib
import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from embedded_servers import GRACE, HOLD_A_LEASE, answers

from thetaline import db
from thetaline.db import embedded
from thetaline.db.embedded import binaries, supervisor
from thetaline.errors import DatabaseError, LockedError
from waiting import wait_until


def test_the_first_lease_makes_the_data_and_the_server_ends_after_the_last() -> None:
    with tempfile.TemporaryDirectory(prefix="tl-") as folder:
        root = Path(folder) / "deep" / "db"
        with embedded.lease(root, grace_secs=GRACE) as first, embedded.lease(root) as second:
            assert first.url == second.url
            assert answers(first.url)
        wait_until(lambda: not embedded.status(root).is_running)
        wait_until(lambda: not supervisor.is_locked(root / supervisor.LOCK_FILE))


def test_a_forked_child_that_closes_its_copy_leaves_the_parents_lease(
    root: Path, a_grace_passes: Callable[[], None]
) -> None:
    with embedded.lease(root, grace_secs=GRACE) as held:
        child = os.fork()
        if child == 0:
            held.close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        a_grace_passes()
        assert answers(held.url)


def test_processes_that_start_at_once_get_the_same_server(root: Path) -> None:
    with contextlib.ExitStack() as stack:
        command = [sys.executable, "-c", HOLD_A_LEASE, str(root)]
        children = [stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)) for _ in range(4)]
        urls = {child.stdout.readline().strip() for child in children if child.stdout}
        assert len(urls) == 1
        assert answers(urls.pop())
        assert len(embedded.status(root).users) == 4
        for child in children:
            child.kill()


def test_a_server_in_use_is_not_stopped_or_reset_unless_forced(root: Path) -> None:
    with embedded.lease(root, grace_secs=GRACE):
        user = f"in use by process {os.getpid()} "
        with pytest.raises(LockedError, match=user):
            embedded.stop(root)
        with pytest.raises(LockedError, match=user):
            embedded.reset(root)
        assert embedded.stop(root, force=True)
        assert not embedded.stop(root)


def test_a_start_by_hand_outlives_the_command_until_it_is_stopped(
    root: Path, a_grace_passes: Callable[[], None]
) -> None:
    url = embedded.start(root, hours=1, grace_secs=GRACE)
    a_grace_passes()
    assert answers(url)
    assert embedded.stop(root)
    assert not embedded.status(root).is_running


def test_a_start_by_hand_ends_when_its_hours_are_over(root: Path) -> None:
    embedded.start(root, hours=1.0 / 3600, grace_secs=GRACE)
    wait_until(lambda: not embedded.status(root).is_running)


def test_a_reset_makes_an_empty_database(own_root: Path) -> None:
    with embedded.lease(own_root, grace_secs=GRACE) as held, db.connect(held.url) as conn:
        conn.execute("create table gone ()")
    embedded.reset(own_root)
    assert not (own_root / "data").exists()
    with embedded.lease(own_root, grace_secs=GRACE) as held, db.connect(held.url) as conn:
        assert conn.execute("select to_regclass('gone')").fetchone() == (None,)


def test_the_url_of_this_process_survives_a_stop_by_somebody_else(own_root: Path) -> None:
    first = embedded.url(own_root)
    embedded.stop(own_root, force=True)
    assert embedded.url(own_root) == first
    assert answers(first)


def test_a_server_that_cannot_start_says_why(root: Path) -> None:
    with pytest.raises(DatabaseError, match="no_such_setting"):
        embedded.lease(root, grace_secs=GRACE, settings={"no_such_setting": "1"})
    assert embedded.status(root).users == ()


def test_psql_answers_with_its_own_exit_code(database: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.sql"
    broken.write_text("select nope;")
    assert embedded.psql(database, ["-Atc", "select 1"]) == 0
    assert embedded.psql(database, ["-c", "select nope"]) == 1
    assert embedded.psql(database, ["-v", "ON_ERROR_STOP=1", "-f", str(broken)]) == 3
    assert embedded.psql("postgresql://nobody@/none?host=/nowhere", ["-c", "select 1"]) == 2


def test_without_the_wheel_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "find_spec", lambda _: None)
    binaries.installed.cache_clear()
    with pytest.raises(DatabaseError, match=r"pip install 'thetaline\[embedded\]'"):
        binaries.newest()
    monkeypatch.undo()
    binaries.installed.cache_clear()


def test_who_looks_at_a_lock_is_not_taken_for_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    with path.open("rb") as looker, path.open("rb") as taker:
        fcntl.flock(looker, fcntl.LOCK_SH)
        assert not supervisor.is_locked(path)
        assert not supervisor.lock_file(taker, waits=())
        assert supervisor.lock_file(taker, waits=(looker.close() or 0.0 for _ in range(1)))
        assert supervisor.is_locked(path)
