"""A PostgreSQL server that forgets its data when it crashes and keeps them in memory where there is room."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from thetaline import db

_CARELESS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
}
_MEMORY = Path("/dev/shm")  # noqa: S108 - folders in it have names of their own
_ROOM = 4 * 2**30  # bytes: six workers' data and logs fit in


@contextmanager
def careless_server() -> Iterator[str]:
    """The URL of a server that lives until the block ends."""
    with tempfile.TemporaryDirectory(prefix="tl-", dir=_fast_folder(), ignore_cleanup_errors=True) as folder:
        root = Path(folder) / "db"
        with db.embedded.lease(root, grace_secs=1.0, settings=_CARELESS) as held:
            yield held.url
        db.embedded.stop(root)


def _fast_folder() -> Path | None:
    """Copying a template in memory takes a tenth of the time that a disk takes; None is the usual temporary folder."""
    has_room = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ROOM
    return _MEMORY if has_room else None
