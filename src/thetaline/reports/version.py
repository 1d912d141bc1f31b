"""Which renderer makes the pages: a page is made again where the values or the renderer have changed."""

from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

SOURCES = (Path(__file__).parent, Path(__file__).parents[1] / "charts")
LIBRARIES = ("jinja2", "babel", "typst")
BINARY = {".otf", ".ttf", ".pyc"}


@cache
def renderer_version() -> str:
    """A digest of the code, templates and catalogues of the pages and of the libraries that they are made with."""
    digest = sha256()
    for library in LIBRARIES:
        digest.update(f"{library} {_version(library)}\n".encode())
    for root in SOURCES:
        for path in sorted(path for path in root.rglob("*") if path.is_file() and path.suffix not in BINARY):
            digest.update(f"{path.relative_to(root)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "absent"
