"""The supervisor: a small process that runs one PostgreSQL server as its child and stops it when nobody needs it.

Run as a script (`python -I supervisor.py JSON`); imports the standard library only, so that it weighs little.

Who needs the server holds a *lease*: a file in `leases/` under an exclusive flock, which the kernel releases however
the process ends. Without a living lease for `grace_secs` the server is shut down. The server in turn gets a signal from
the kernel when the supervisor dies, so nothing is left running whichever of the three processes is killed.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any, TextIO

POLL_SECS = 0.1
LOCK_FILE = "keeper"  # its name on disk since the first version, so that two versions at once see one lock
STOP_SECS = 60.0
RESTART_SECS = 15.0  # the backends of a killed server need a moment to let go of its shared memory
PR_SET_PDEATHSIG = 1


def is_locked(path: Path) -> bool:
    """Whether a living process holds the flock of this file."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: who looks is not taken for the holder
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def is_needed(root: Path) -> bool:
    """Whether a living process holds a lease, or a start by hand has not run out."""
    return is_pinned(root) or any(is_locked(path) for path in (root / "leases").glob("*"))


def is_pinned(root: Path) -> bool:
    """Whether `start` by hand asked for the server beyond now; the pin's modification time is its end."""
    try:
        return (root / "pin").stat().st_mtime > time.time()
    except FileNotFoundError:
        return False


def postmaster(data: Path) -> int | None:
    """The process id of the server that truly runs on this data folder; None if `postmaster.pid` is stale."""
    try:
        pid = int((data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
    return pid if _serves(pid, data) else None


def is_ready(data: Path) -> bool:
    """Whether a server takes connections; PostgreSQL writes its state in the eighth line of `postmaster.pid`."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready" and postmaster(data) is not None


def _serves(pid: int, data: Path) -> bool:
    """Whether the process is a PostgreSQL on `data`: after a crash a mere number may belong to anybody."""
    command = _command_line(pid)
    return "-D" in command and str(data) in command


def _command_line(pid: int) -> list[str]:
    """The words of a living process; empty for a dead one or a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return []
    except ProcessLookupError:
        return []
    listing = ["ps", "-ww", "-o", "stat=,command=", "-p", str(pid)]
    state, *words = subprocess.run(listing, capture_output=True, text=True, check=False).stdout.split() or ["Z"]  # noqa: S603
    return [] if state.startswith("Z") else words


class Server:
    """One PostgreSQL child of this process."""

    def __init__(self, root: Path, sockets: Path, command: list[str], uid: int | None) -> None:
        """Know how to start it; `uid` is whom to run it as, None for ourselves."""
        self.root, self.data, self.sockets, self.command, self.uid = root, root / "data", sockets, command, uid
        self.child: subprocess.Popen[bytes] | None = None

    def start_and_wait(self) -> bool:
        """Start the child and wait for it; a server killed before may hold its shared memory for a moment."""
        deadline = time.monotonic() + RESTART_SECS
        while time.monotonic() < deadline and not _Stop.wanted:
            said = self._start()
            while self.is_alive():
                if is_ready(self.data):
                    return True
                time.sleep(0.02)
            if b"is still in use" not in (self.root / "server.log").read_bytes()[said:]:
                return False
            time.sleep(0.2)
        return False

    def _start(self) -> int:
        """Start the child; return how long the log was before."""
        # PostgreSQL believes the number in these files as long as any process bears it, be it a zombie or a stranger.
        # Both folders are ours alone, and shared memory still tells it whether a process of the killed server is left.
        for stale in (self.data / "postmaster.pid", *self.sockets.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)
        identity: dict[str, Any] = {} if self.uid is None else {"user": self.uid, "group": self.uid, "extra_groups": []}
        with (self.root / "server.log").open("ab") as log:
            said = log.tell()
            self.child = subprocess.Popen(  # noqa: S603
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - the supervisor has one thread
                **identity,
            )
        return said

    def is_alive(self) -> bool:
        """Whether the child runs; reaps it if it ended."""
        return self.child is not None and self.child.poll() is None

    def stop(self) -> None:
        """Shut down: disconnect everybody, write a checkpoint; kill only what does not obey."""
        if self.child is None:
            return
        for sign, secs in ((signal.SIGINT, STOP_SECS), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            if not self.is_alive():
                return
            self.child.send_signal(sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(secs)


def end(pid: int, data: Path) -> None:
    """Shut down a server that is not our child."""
    for sign, secs in ((signal.SIGINT, STOP_SECS), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
        deadline = time.monotonic() + secs
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sign)
        while time.monotonic() < deadline:
            if not _serves(pid, data):
                return
            time.sleep(0.05)


def supervise(server: Server, grace_secs: float) -> None:
    """Run the server until it is no longer needed, again if it was killed; returns with the server stopped."""
    if not server.start_and_wait():
        return
    needed_at = time.monotonic()
    while not _Stop.wanted:
        time.sleep(POLL_SECS)
        if not server.is_alive() and not (is_needed(server.root) and server.start_and_wait()):
            return
        if is_needed(server.root):
            needed_at = time.monotonic()
        elif time.monotonic() - needed_at > grace_secs:
            with start_lock(server.root) as mine:
                if mine and not is_needed(server.root):
                    server.stop()
                    return
    server.stop()


@contextlib.contextmanager
def start_lock(root: Path) -> Iterator[bool]:
    """Try the lock under which servers are started and stopped; yields whether it is ours."""
    with (root / "lock").open("ab") as file:
        yield lock_file(file, waits=())


def lock_file(file: IO[Any], *, waits: Iterable[float] = (0.05,) * 20) -> bool:
    """Take the flock; who only looks (`is_locked`) has it for an instant and is waited for."""
    for wait in chain((0.0,), waits):
        time.sleep(wait)
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    return False


class _Stop:
    wanted = False

    @classmethod
    def ask(cls, *_: object) -> None:
        cls.wanted = True


def _die_with_parent() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def _become_supervisor(root: Path) -> TextIO | None:
    """Take the supervisor's lock and leave the parent; None when another supervisor is there."""
    lock = (root / LOCK_FILE).open("a+", encoding="utf-8")
    if not lock_file(lock):
        return None
    if os.fork():
        os._exit(0)  # the lock lives on in the child
    os.setsid()
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def main(argument: str) -> int:
    """Run as the supervisor that `argument` (JSON: root, sockets, command, uid, grace_secs) describes."""
    told = json.loads(argument)
    root = Path(told["root"])
    lock = _become_supervisor(root)
    if lock is None:
        return 0
    signal.signal(signal.SIGTERM, _Stop.ask)
    for ignored in (signal.SIGHUP, signal.SIGINT):
        signal.signal(ignored, signal.SIG_IGN)
    with lock:
        sockets = Path(told["sockets"])
        supervise(Server(root, sockets, told["command"], told["uid"]), told["grace_secs"])
        if not sockets.is_relative_to(root):
            with contextlib.suppress(OSError):
                sockets.rmdir()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
