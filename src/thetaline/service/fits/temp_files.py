"""Bodies and results on disk while they are worked on: memory stays at one chunk whatever a client sends."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

CHUNK_BYTES = 1 << 20


class TempFiles:
    """A private folder that goes with the service."""

    def __init__(self) -> None:
        """Readable by this user only."""
        self._folder = Path(tempfile.mkdtemp(prefix="thetaline-"))

    @contextmanager
    def file(self) -> Iterator[Path]:
        """The path of a file that is gone afterwards."""
        path = self._folder / uuid4().hex
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self._folder, ignore_errors=True)


async def store(path: Path, body: AsyncIterator[bytes]) -> int:
    """Write a body as it arrives; how many bytes it had."""
    with path.open("wb") as file:
        async for chunk in body:
            file.write(chunk)
        return file.tell()


def restore(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a body that was stored elsewhere."""
    with path.open("wb") as file:
        file.writelines(chunks)


def chunks(path: Path) -> Iterator[bytes]:
    """The file in pieces."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
