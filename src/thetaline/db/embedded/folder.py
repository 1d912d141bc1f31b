"""The data folder: what lies where, how it comes to be, and where the socket goes."""

import contextlib
import hashlib
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from thetaline.db.embedded import binaries
from thetaline.db.embedded.identity import Identity
from thetaline.errors import DatabaseError

LONGEST_SOCKET_PATH = 106  # bytes: sun_path has 108 on Linux, 104 on macOS less the end; `.s.PGSQL.5432` is part of it
SOCKET = ".s.PGSQL.5432"
SUPERUSER = "postgres"


@dataclass(frozen=True, slots=True)
class Folder:
    """`data/` is PostgreSQL's, `leases/` says who needs it, `lock` guards start and stop, `keeper` the supervisor."""

    root: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's own folder."""
        return self.root / "data"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.root / "server.log"

    @property
    def sockets(self) -> Path:
        """Private folder of the socket: `run/` inside, or one in /tmp when that path is too long for a socket."""
        inside = self.root / "run"
        if len(os.fsencode(inside / SOCKET)) <= LONGEST_SOCKET_PATH:
            return inside
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]
        return Path("/tmp") / f"thetaline-{os.geteuid()}-{digest}"  # noqa: S108 - made private and checked below

    def prepare(self, identity: Identity) -> None:
        """Make the folders that are missing, private to us. Raises `DatabaseError` when that is impossible."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.root / "leases").mkdir(mode=0o700, exist_ok=True)
            if identity.uid is not None:
                self.root.chmod(0o711)
        except OSError as error:
            raise DatabaseError(
                f"cannot use {self.root}: {error.strerror}; set THETALINE_DATA_DIR to a folder of yours"
            ) from error

    def prepare_sockets(self, identity: Identity) -> None:
        """Make the socket's folder; refuse one that somebody else could have laid out for us."""
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        identity.own(self.sockets)
        found = self.sockets.lstat()
        wanted = os.geteuid() if identity.uid is None else identity.uid
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != wanted or found.st_mode & 0o077:
            raise DatabaseError(f"{self.sockets} is not a private folder of user {wanted}; remove it and try again")

    def initialise(self, identity: Identity) -> None:
        """Run initdb beside the final place and rename: a killed initdb leaves no half-made data."""
        if (self.data / "PG_VERSION").exists():
            return
        fresh = self.root / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        identity.own(fresh)
        done = identity.run(
            binaries.newest() / "initdb", "--pgdata", fresh, "--username", SUPERUSER, "--no-instructions",
            "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--locale=C",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
        )  # fmt: skip
        if done.returncode:
            raise DatabaseError(f"initdb failed in {self.root}: {done.stderr.strip()[-500:]}{self._reach(identity)}")
        fresh.rename(self.data)

    def _reach(self, identity: Identity) -> str:
        if identity.uid is None:
            return ""
        return (
            f"; user namespaces are not allowed here, so the server runs as user {identity.uid}, who must be able to "
            f"enter {self.root.parent}: set THETALINE_DATA_DIR to such a folder (/var/lib/thetaline)"
        )

    def n_bytes(self) -> int:
        """The size of PostgreSQL's files; those that vanish while we look count nothing."""
        total = 0
        for path in self.data.rglob("*"):
            with contextlib.suppress(FileNotFoundError):
                total += path.stat().st_size
        return total

    def log_tail(self, lines: int = 8) -> str:
        """The last lines of the server's log, for a message."""
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
