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
    """All that git knows, or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    told = subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout
    return sorted(path for name in told.split("\0") if name and (path := CHECKOUT / name).is_file())


def fingerprint(files: list[Path]) -> str:
    """Of the sources and of the tests; equal trees have equal ones."""
    told = hashlib.sha256()
    for path in files:
        name = path.relative_to(CHECKOUT)
        if name.parts[0] in {"src", "tests"} and not path.is_relative_to(Path(__file__).parent):
            told.update(f"{name}\0".encode() + path.read_bytes() + b"\0")
    return told.hexdigest()[:12]


class Tree:
    """A copy of the checkout."""

    def __init__(self, root: Path, files: list[Path]) -> None:
        """Made anew."""
        self.root = root
        self._written = 0
        shutil.rmtree(root, ignore_errors=True)
        for path in files:
            target = root / path.relative_to(CHECKOUT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)

    @contextmanager
    def mutated(self, path: str, text: str) -> Iterator[None]:
        """Have this text in a file of `src` until the block ends."""
        file = self.root / "src" / path
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
        found = {"PYTHONPATH": f"{self.root / 'src'}{os.pathsep}{self.root}", "THETALINE_SHARED": shared}
        return {**os.environ, **found, **more}
