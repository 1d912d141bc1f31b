"""As whom PostgreSQL runs: it refuses to be root, and wants a user that the system knows."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from thetaline.errors import DatabaseError


@dataclass(frozen=True, slots=True)
class Identity:
    """A prefix for a command, or a user id to switch to; neither for a plain user."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None

    def command(self, *words: str | Path) -> list[str]:
        """The command line as this identity runs it."""
        return [*self.prefix, *map(str, words)]

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Run to the end with the output captured; the caller judges the return code."""
        switch: dict[str, Any] = {} if self.uid is None else {"user": self.uid, "group": self.uid, "extra_groups": []}
        command = self.command(*words)
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **switch)  # noqa: S603

    def own(self, folder: Path) -> None:
        """Hand a folder of ours, inside the data folder, to the server's user."""
        if self.uid is not None:
            os.chown(folder, self.uid, self.uid)


def find(postgres: Path) -> Identity:
    """The identity that can run this program here. Raises `DatabaseError` when none can.

    A known plain user runs it as himself. Root (and a user without a name, as containers have) runs it in a user
    namespace where he bears another number: files stay his, so a private folder needs no new permission. Where the
    kernel forbids namespaces, root switches to an unprivileged user.
    """
    if os.geteuid() != 0 and _has_name(os.geteuid()):
        return Identity()
    return _first_working(postgres, os.geteuid())


@cache
def _first_working(postgres: Path, euid: int) -> Identity:
    nobody = unprivileged()
    candidates = [Identity(prefix=("unshare", "--user", f"--map-user={nobody}"))] if shutil.which("unshare") else []
    if euid == 0:
        candidates.append(Identity(uid=nobody))
    for identity in candidates:
        try:
            if identity.run(postgres, "--version").returncode == 0:
                return identity
        except OSError:  # the program lies in a folder that the other user cannot enter
            continue
    raise DatabaseError(
        f"PostgreSQL does not run as user {euid}, user namespaces are not allowed here and user {nobody} cannot reach "
        f"{postgres}; run thetaline as a plain user, or set DATABASE_URL to a server of yours"
    )


def unprivileged() -> int:
    """The number of `nobody`, else of any named user but root."""
    by_name = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != 0}
    if not by_name:
        raise DatabaseError("no user but root exists here, and PostgreSQL refuses root; set DATABASE_URL")
    return by_name.get("nobody", max(by_name.values()))


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
