"""Where reports lie: an S3 bucket or a local folder, behind one value; every fault is a StorageError in words."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import (
    BaseError,
    InvalidPathError,
    NotFoundError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import LocalStore, S3Store
from pydantic import SecretStr

from thetaline.errors import SettingsError, StorageError
from thetaline.jobs.reports.keys import PREFIX
from thetaline.masking import mask_text
from thetaline.settings import Settings

S3, FOLDER = "s3://", "file://"
BACKOFF = {"init_backoff": timedelta(milliseconds=200), "max_backoff": timedelta(seconds=5), "base": 2}
RETRIES = {"max_retries": 5, "retry_timeout": timedelta(seconds=30), "backoff": BACKOFF}  # 503, time-outs, resets
CLIENT = {"timeout": "30s", "connect_timeout": "5s"}
FULL = ("No space left on device", "os error 28", "Disk quota exceeded", "os error 122")
DENIED = ("403 Forbidden", "401 Unauthorized", "AccessDenied")
REGION = "us-east-1"  # what servers of one region call themselves; a request is signed with some region


@dataclass(frozen=True, slots=True)
class ReportStore:
    """One bucket or folder; `location` is what `report_artifacts.store` has, `s3://bucket` or `file:///folder`."""

    location: str
    backend: Any  # obstore's S3Store or LocalStore

    @property
    def signs_links(self) -> bool:
        """Whether an object can be opened by a link for a while, without an account."""
        return self.location.startswith(S3)

    def check(self) -> None:
        """Ask for a page of the listing, so that a wrong bucket, key or address is known before any work is done."""
        with self._told(PREFIX):
            next(iter(self.backend.list(prefix=PREFIX, chunk_size=1)), None)

    def put(self, key: str, data: bytes, content_type: str) -> None:
        """Write the object whole; one that is there is replaced."""
        attributes = {"Content-Type": content_type, "Cache-Control": "private, no-store"}
        with self._told(key):
            obstore.put(
                self.backend, key, data, attributes=attributes if self.signs_links else None, use_multipart=False
            )

    def get(self, key: str) -> bytes:
        """Read the object; its absence is a StorageError with `absent`."""
        with self._told(key):
            return bytes(obstore.get(self.backend, key).bytes())

    def delete(self, key: str) -> None:
        """Delete the object; one that is not there is deleted already."""
        try:
            with self._told(key):
                obstore.delete(self.backend, key)
        except StorageError as error:
            if not error.absent:
                raise

    def keys(self, prefix: str = PREFIX) -> Iterator[str]:
        """The keys of all objects under the prefix."""
        with self._told(prefix):
            for page in self.backend.list(prefix=prefix):
                yield from (str(one["path"]) for one in page)

    def link(self, key: str, *, secs: int) -> str:
        """A URL that opens the object for so long. Raises StorageError where the store is a folder."""
        if not self.signs_links:
            raise StorageError(f"{self.location} is a folder, which has no links; open {self.path(key)}")
        with self._told(key):
            return str(obstore.sign(self.backend, "GET", key, expires_in=timedelta(seconds=secs)))

    def path(self, key: str) -> Path:
        """The file of the object, where the store is a folder."""
        return Path(self.location.removeprefix(FOLDER)) / key

    def url(self, key: str) -> str:
        """What `report_artifacts.url` has."""
        return f"{self.location}/{key}"

    @contextmanager
    def _told(self, key: str) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError) as error:
            raise self._explained(error, key) from error

    def _explained(self, error: Exception, key: str) -> StorageError:
        text = mask_text(" ".join(str(error).split()))
        said = _said(text)
        where = f"{self.location}/{key}"
        if "NoSuchBucket" in text:
            return StorageError(f"{self.location}: there is no such bucket; make it, or set S3_BUCKET to one that is")
        if isinstance(error, NotFoundError | FileNotFoundError):
            return StorageError(f"{where} is not there", absent=True)
        denied = isinstance(error, PermissionDeniedError | UnauthenticatedError | PermissionError)
        if denied or any(sign in text for sign in DENIED):
            return StorageError(f"{where}: access is denied; check {self._rights} ({said})")
        if isinstance(error, InvalidPathError):
            return StorageError(f"{where}: the store takes no such key ({said})")
        if any(sign in text for sign in FULL):
            return StorageError(
                f"{where}: the disk is full; free space, then run the job again: it goes on where it is"
            )
        return StorageError(f"{where}: the store cannot be reached or refuses ({said})")

    @property
    def _rights(self) -> str:
        return "the AWS_… settings and the bucket's policy" if self.signs_links else "who owns the folder"


def open_store(settings: Settings, location: str | None = None) -> ReportStore:
    """The store of the settings, or that of a row with the settings' keys. Raises StorageError, SettingsError."""
    if location is None:
        bucket = settings.s3_bucket
        location = S3 + bucket if bucket else FOLDER + str(settings.reports_folder.absolute())
    if location.startswith(S3):
        return ReportStore(location, _bucket(location.removeprefix(S3), settings))
    folder = Path(location.removeprefix(FOLDER))
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return ReportStore(location, LocalStore(folder))
    except (OSError, BaseError) as error:
        raise StorageError(f"{folder} cannot be used for reports: {error}; set REPORT_FOLDER or S3_BUCKET") from error


def _bucket(name: str, settings: Settings) -> S3Store:
    """Credentials that no setting has come from the machine: a role of the pod or of the instance."""
    if (settings.aws_access_key_id is None) != (settings.aws_secret_access_key is None):
        raise SettingsError("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together; set both or none")
    endpoint = settings.aws_endpoint_url
    config = {
        "access_key_id": settings.aws_access_key_id,
        "secret_access_key": _revealed(settings.aws_secret_access_key),
        "session_token": _revealed(settings.aws_session_token),
        "endpoint": endpoint,
        "region": settings.aws_region or (REGION if endpoint else None),
    }
    options = {**CLIENT, "allow_http": bool(endpoint and endpoint.startswith("http://"))}
    given: dict[str, Any] = {key: value for key, value in config.items() if value}
    return S3Store(name, client_options=options, retry_config=RETRIES, **given)  # type: ignore[arg-type]


def _said(text: str) -> str:
    """What an S3 server says of an error, or the head of what the client says."""
    written = re.search(r"<Message>(.*?)</Message>", text)
    return written[1] if written else text[:200]


def _revealed(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None
