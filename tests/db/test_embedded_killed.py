"""The embedded server after every kind of kill: of its users, of its supervisor, of itself."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from embedded_servers import GRACE, another_user_of, answers, pid_of, supervisor_of

from thetaline import db
from thetaline.db import embedded
from thetaline.db.embedded import binaries, identity, supervisor
from thetaline.errors import DatabaseError
from waiting import wait_until


def test_two_processes_share_one_server_and_the_last_to_be_killed_ends_it(
    root: Path, a_grace_passes: Callable[[], None]
) -> None:
    with another_user_of(root) as (first, url), another_user_of(root) as (second, same):
        assert url == same
        server = pid_of(root)
        assert len(embedded.status(root).users) == 2
        first.kill()
        first.wait()
        a_grace_passes()
        assert pid_of(root) == server
        assert answers(url)
        second.kill()
        second.wait()
        wait_until(lambda: not embedded.status(root).is_running)


def test_a_killed_server_is_started_again_while_it_is_needed_and_keeps_what_was_committed(root: Path) -> None:
    with embedded.lease(root, grace_secs=GRACE) as held:
        with db.connect(held.url) as conn:
            conn.execute("drop table if exists kept; create table kept as select 7 as n")
        killed = pid_of(root)
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: supervisor.postmaster(root / "data") not in {None, killed})
        wait_until(lambda: _connects(held.url))
        with db.connect(held.url) as conn:
            assert conn.execute("select n from kept").fetchone() == (7,)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_killed_supervisor_takes_its_server_along(root: Path) -> None:
    with embedded.lease(root, grace_secs=GRACE):
        os.kill(supervisor_of(root), signal.SIGKILL)
        wait_until(lambda: not embedded.status(root).is_running)


def test_the_lease_after_a_killed_supervisor_starts_both_again(root: Path) -> None:
    with embedded.lease(root, grace_secs=GRACE):
        server = pid_of(root)
        os.kill(supervisor_of(root), signal.SIGKILL)
        wait_until(lambda: not supervisor.is_locked(root / supervisor.LOCK_FILE))
        with embedded.lease(root, grace_secs=GRACE) as held:
            assert pid_of(root) != server
            assert answers(held.url)
    wait_until(lambda: not embedded.status(root).is_running)


@pytest.mark.parametrize("takes_over", [lambda root: embedded.lease(root, grace_secs=GRACE).close(), embedded.stop])
def test_a_server_without_a_supervisor_is_shut_down(root: Path, takes_over: Callable[[Path], object]) -> None:
    who = identity.find(binaries.newest() / "postgres")
    (root / "run").mkdir(mode=0o700, exist_ok=True)
    quiet = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={root / 'run'}"]
    command = who.command(binaries.newest() / "postgres", "-D", root / "data", *quiet)
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as orphan:
        wait_until(lambda: supervisor.is_ready(root / "data"))
        assert pid_of(root) == orphan.pid
        takes_over(root)
        assert orphan.wait(10) == 0


def test_everything_killed_at_once_is_survived(root: Path) -> None:
    with another_user_of(root) as (user, url):
        with db.connect(url) as conn:
            conn.execute("drop table if exists kept; create table kept as select 7 as n")
        for pid in (user.pid, supervisor_of(root), pid_of(root)):
            os.kill(pid, signal.SIGKILL)
        user.wait()
    wait_until(lambda: not supervisor.is_locked(root / supervisor.LOCK_FILE))
    with embedded.lease(root, grace_secs=GRACE) as held, db.connect(held.url) as conn:
        assert conn.execute("select n from kept").fetchone() == (7,)


def test_a_stale_pid_that_belongs_to_somebody_else_by_now_is_no_server(root: Path) -> None:
    (root / "data" / "postmaster.pid").write_text(
        f"{os.getpid()}\n{root / 'data'}\n1\n5432\n{root / 'run'}\n\n\nready\n"
    )
    assert not embedded.status(root).is_running
    with embedded.lease(root, grace_secs=GRACE) as held:
        assert answers(held.url)
        assert pid_of(root) != os.getpid()


def test_a_zombie_is_no_server(root: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "", "-D", str(root / "data")]) as child:
        wait_until(lambda: Path(f"/proc/{child.pid}/stat").read_text().split(") ")[1].startswith("Z"))
        (root / "data" / "postmaster.pid").write_text(f"{child.pid}\n")
        assert supervisor.postmaster(root / "data") is None
        child.wait()


def _connects(url: str) -> bool:
    try:
        return answers(url)
    except DatabaseError:
        return False
