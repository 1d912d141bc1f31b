"""Start, share, stop and reset the embedded server of a data folder."""

import atexit
import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from thetaline.db.embedded import binaries, identity, supervisor
from thetaline.db.embedded.folder import SOCKET, SUPERUSER, Folder
from thetaline.db.embedded.tuning import options
from thetaline.errors import DatabaseError, LockedError

NAME = "thetaline"  # of the database and of its owner, who is no superuser
GRACE_SECS = 10.0
READY_SECS = 60.0
LOG_BYTES = 10_000_000
_numbers = count()
_mine: dict[Path, "Lease"] = {}


@dataclass(slots=True)
class Lease:
    """The right to a running server at `url`; given back by `close`, or by the kernel when the process ends."""

    url: str
    _file: IO[str] = field(repr=False)
    _owner: int = field(repr=False, default_factory=os.getpid)

    def close(self) -> None:
        """Give the lease back; the server ends some seconds after the last one."""
        if os.getpid() == self._owner:  # a forked child shares the lock, but must not end the parent's lease
            Path(self._file.name).unlink(missing_ok=True)
        self._file.close()

    def __enter__(self) -> "Lease":
        """Use it in a `with`."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        self.close()


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """What is known of a data folder's server; `users` are the processes that hold a lease."""

    root: Path
    pid: int | None
    url: str
    version: str | None
    users: tuple[str, ...]
    n_bytes: int

    @property
    def is_running(self) -> bool:
        """Whether the server is up."""
        return self.pid is not None


def url(root: Path) -> str:
    """The URL of the folder's server, started if need be and kept for as long as this process lives."""
    root = root.absolute()
    held = _mine.get(root)
    if held is None or supervisor.postmaster(Folder(root).data) is None:
        _mine[root] = lease(root)
        if held is not None:
            held.close()
    return _mine[root].url


@atexit.register
def _give_back() -> None:
    for held in _mine.values():
        held.close()


def lease(root: Path, *, grace_secs: float = GRACE_SECS, settings: Mapping[str, str] | None = None) -> Lease:
    """A lease on the folder's server; starts it (first use: makes the data, about a second).

    `grace_secs` and `settings` (PostgreSQL's, by name) count only for the process that starts the server. Raises
    `DatabaseError` with the end of the server's log when it does not come up.
    """
    folder = Folder(root.absolute())
    who = identity.find(binaries.newest() / "postgres")
    folder.prepare(who)
    with _start_lock(folder):
        taken = _take_lease(folder)
        try:
            _ensure_running(folder, who, grace_secs, settings or {})
        except BaseException:
            taken.close()
            raise
    return taken


def start(root: Path, *, hours: float, grace_secs: float = GRACE_SECS) -> str:
    """Start by hand: the server stays up for that time though nobody holds a lease. Returns its URL."""
    with lease(root, grace_secs=grace_secs) as held:
        pin = root.absolute() / "pin"
        pin.touch()
        os.utime(pin, (time.time(), time.time() + hours * 3600))
        return held.url


def stop(root: Path, *, force: bool = False) -> bool:
    """Stop the server; False when none ran. Raises `LockedError` naming the processes that use it, unless `force`."""
    folder = Folder(root.absolute())
    if not folder.root.is_dir():
        return False
    with _start_lock(folder):
        (folder.root / "pin").unlink(missing_ok=True)
        running = supervisor.postmaster(folder.data) is not None
        users = _users(folder)
        if running and users and not force:
            raise LockedError(f"the server of {root} is in use by {', '.join(users)}; end them, or add --force")
        _stop(folder)
    return running


def status(root: Path) -> ServerStatus:
    """Look without starting anything."""
    folder = Folder(root.absolute())
    made = folder.data / "PG_VERSION"
    return ServerStatus(
        root=folder.root,
        pid=supervisor.postmaster(folder.data),
        url=_url(folder, NAME, NAME),
        version=made.read_text(encoding="utf-8").strip() if made.exists() else None,
        users=tuple(_users(folder)),
        n_bytes=folder.n_bytes(),
    )


def reset(root: Path, *, force: bool = False) -> None:
    """Stop the server and delete its data; the next use makes new ones. Raises as `stop` does."""
    folder = Folder(root.absolute())
    stop(root, force=force)
    if folder.data.exists():
        with _start_lock(folder):
            gone = folder.root / "data.gone"
            shutil.rmtree(gone, ignore_errors=True)
            folder.data.rename(gone)
            shutil.rmtree(gone)


def psql(url: str, arguments: Sequence[str]) -> int:
    """Run psql on any database with our stdin and stdout; return its exit code.

    The connection goes by the environment, so that no password shows in the list of processes.
    """
    given = {f"PG{_PSQL_NAMES.get(key, key.upper())}": str(value) for key, value in conninfo_to_dict(url).items()}
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for psql, which sets its own handler
    try:
        code = subprocess.run([_psql(), *arguments], env={**os.environ, **given}, check=False).returncode  # noqa: S603
    finally:
        signal.signal(signal.SIGINT, before)
    return code if code >= 0 else 128 - code


_PSQL_NAMES = {"dbname": "DATABASE", "connect_timeout": "CONNECT_TIMEOUT", "application_name": "APPNAME"}


def _psql() -> str:
    try:
        return str(binaries.newest() / "psql")
    except DatabaseError:
        found = shutil.which("psql")
        if found is None:
            raise
        return found


@contextlib.contextmanager
def _start_lock(folder: Folder) -> Iterator[None]:
    with (folder.root / "lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _take_lease(folder: Folder) -> Lease:
    path = folder.root / "leases" / f"{os.getpid()}-{next(_numbers)}"
    file = path.open("w", encoding="utf-8")
    fcntl.flock(file, fcntl.LOCK_EX)
    file.write(f"process {os.getpid()} ({Path(sys.argv[0]).name or 'python'})")
    file.flush()
    return Lease(_url(folder, NAME, NAME), file)


def _users(folder: Folder) -> list[str]:
    held = [path for path in sorted((folder.root / "leases").glob("*")) if supervisor.is_locked(path)]
    return [path.read_text(encoding="utf-8") for path in held]


def _ensure_running(folder: Folder, who: identity.Identity, grace_secs: float, settings: Mapping[str, str]) -> None:
    """Under the start lock: a supervisor whose server is up, or comes up, or else a new one."""
    if _comes_up(folder):
        return
    _sweep(folder)
    folder.initialise(who)
    folder.prepare_sockets(who)
    _spawn_supervisor(folder, who, grace_secs, settings)
    if not _comes_up(folder):
        raise DatabaseError(f"the embedded server did not start; the end of {folder.log}:\n{folder.log_tail()}")
    _create_database(folder)


def _comes_up(folder: Folder) -> bool:
    """Wait for the supervisor's server; False when there is no supervisor (any more: it may have been about to end)."""
    deadline = time.monotonic() + READY_SECS
    while supervisor.is_locked(folder.root / supervisor.LOCK_FILE):
        if supervisor.is_ready(folder.data):
            return True
        if time.monotonic() > deadline:
            raise DatabaseError(f"the embedded server is not ready after {READY_SECS:.0f} s; see {folder.log}")
        time.sleep(0.02)
    return False


def _sweep(folder: Folder) -> None:
    """Without a supervisor: shut down a server that lost its own, remove the leases of the dead, cut a long log."""
    leftover = supervisor.postmaster(folder.data)
    if leftover is not None:
        supervisor.end(leftover, folder.data)
    for path in (folder.root / "leases").glob("*"):
        if not supervisor.is_locked(path):
            path.unlink(missing_ok=True)
    if folder.log.exists() and folder.log.stat().st_size > LOG_BYTES:
        folder.log.replace(folder.log.with_suffix(".log.old"))


def _spawn_supervisor(folder: Folder, who: identity.Identity, grace_secs: float, settings: Mapping[str, str]) -> None:
    chosen = {**options(folder.sockets), **settings}
    words = [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]
    command = who.command(binaries.for_data(folder.data) / "postgres", "-D", folder.data, *words)
    told = {
        "root": str(folder.root), "command": command, "uid": who.uid,
        "sockets": str(folder.sockets), "grace_secs": grace_secs,
    }  # fmt: skip
    with folder.log.open("ab") as log:
        subprocess.run(  # noqa: S603
            [sys.executable, "-I", supervisor.__file__, json.dumps(told)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", check=True,
        )  # fmt: skip


def _create_database(folder: Folder) -> None:
    """The owner and his database, if they are missing; PostgreSQL's own superuser is used for nothing else."""
    with psycopg.connect(_url(folder, SUPERUSER, "postgres"), autocommit=True) as conn:
        owner = sql.Identifier(NAME)
        if not conn.execute("select 1 from pg_roles where rolname = %s", [NAME]).fetchone():
            conn.execute(sql.SQL("create role {} login createdb").format(owner))
        if not conn.execute("select 1 from pg_database where datname = %s", [NAME]).fetchone():
            conn.execute(sql.SQL("create database {} owner {}").format(owner, owner))


def _stop(folder: Folder) -> None:
    """Under the start lock: end the supervisor, who ends the server; a server without a supervisor is ended here."""
    held = folder.root / supervisor.LOCK_FILE
    if supervisor.is_locked(held):
        os.kill(int(held.read_text(encoding="utf-8")), signal.SIGTERM)
        while supervisor.is_locked(held):
            time.sleep(0.02)
    leftover = supervisor.postmaster(folder.data)
    if leftover is not None:
        supervisor.end(leftover, folder.data)


def _url(folder: Folder, user: str, database: str) -> str:
    return f"postgresql://{user}@/{database}?host={quote(str(folder.sockets))}&port={SOCKET.rsplit('.', 1)[1]}"
