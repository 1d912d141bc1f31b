"""Copies of the checkout, to be mutated."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def checkout_files() -> list[Path]:
    """All that git knows, or would add, relative to the checkout."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    told = subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout
    return sorted(Path(name) for name in told.split("\0") if name and (CHECKOUT / name).is_file())


def fingerprint(files: list[Path], chosen: list[str]) -> str:
    """Of the sources, of the tests, and of which of them are chosen."""
    told = hashlib.sha256("\0".join(chosen).encode())
    for path in files:
        if path.parts[0] in {"src", "tests"} and not (CHECKOUT / path).is_relative_to(Path(__file__).parent):
            told.update(f"{path}\0".encode() + (CHECKOUT / path).read_bytes() + b"\0")
    return told.hexdigest()[:12]


class Tree:
    """A copy of the checkout, in which the sources may be changed."""

    def __init__(self, root: Path, files: list[Path], origin: Path = CHECKOUT) -> None:
        """Made anew from the `files` below `origin`."""
        self.root = root
        self._written = 0
        shutil.rmtree(root, ignore_errors=True)
        for path in files:
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(origin / path, target)

    @property
    def sources(self) -> Path:
        """The folder that is imported from."""
        return self.root / "src"

    @contextmanager
    def mutated(self, path: str, text: str) -> Iterator[None]:
        """Have this text in a file of `src` until the block ends."""
        file = self.sources / path
        original, times = file.read_bytes(), file.stat()
        self._written += 1
        try:
            file.write_text(text)
            # Python takes compiled code for fresh by the second of the file's time: each text gets a second of its own.
            os.utime(file, (times.st_atime, times.st_mtime + self._written))
            yield
        finally:
            file.write_bytes(original)
            os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))

    def environment(self, **more: str) -> dict[str, str]:
        """For a Python process that works in this tree, and for all that it starts."""
        shared = os.environ.get("THETALINE_SHARED", str(CHECKOUT.parent / "shared"))
        found = {"PYTHONPATH": f"{self.sources}{os.pathsep}{self.root}", "THETALINE_SHARED": shared}
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return {**inherited, **found, **more}
