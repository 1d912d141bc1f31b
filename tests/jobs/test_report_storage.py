"""Stores of reports: what goes in comes out, every fault is told in words, keys lead nowhere else."""

import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from tests.s3_server import READER, SECRET, S3Server, s3_server

from thetaline.errors import SettingsError, StorageError
from thetaline.jobs.reports.keys import About, object_key
from thetaline.jobs.reports.storage import ReportStore, open_store
from thetaline.settings import Settings

KEY = "reports/a%2Fb/2025-10-27/report.html"
WEEK = date(2025, 10, 27)
HTML = "text/html; charset=utf-8"


def store_of(**settings: Any) -> ReportStore:
    return open_store(Settings(_env_file=None, **settings))


def in_folder(path: Path) -> ReportStore:
    return store_of(report_folder=str(path))


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


def opened(url: str) -> tuple[bytes, str]:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310
        return answer.read(), answer.headers["content-type"]


def test_an_object_in_a_bucket_is_private_and_opens_by_its_link_alone(s3: S3Server) -> None:
    store = store_of(**s3.settings())
    store.put(KEY, b"a page", HTML)
    link = store.link(KEY, secs=60)
    assert opened(link) == (b"a page", HTML)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        opened(link.partition("?")[0])
    assert store.get(KEY) == b"a page"
    assert KEY in list(store.keys())
    store.delete(KEY)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        opened(link)


def test_an_object_in_a_folder_is_a_file_that_others_cannot_read_and_has_no_link(tmp_path: Path) -> None:
    store = in_folder(tmp_path / "new" / "reports")
    store.put(KEY, b"one", HTML)
    store.put(KEY, b"two", HTML)
    assert store.get(KEY) == b"two"
    assert store.path(KEY).read_bytes() == b"two"
    assert list(store.keys()) == [KEY]
    assert (tmp_path / "new" / "reports").stat().st_mode & 0o077 == 0
    with pytest.raises(StorageError, match="is a folder, which has no links; open "):
        store.link(KEY, secs=60)


@pytest.mark.parametrize("kind", ["bucket", "folder"])
def test_what_is_not_there_is_absent_and_deleted_already(kind: str, s3: S3Server, tmp_path: Path) -> None:
    store = store_of(**s3.settings()) if kind == "bucket" else in_folder(tmp_path)
    store.delete("reports/nobody/report.html")
    with pytest.raises(StorageError, match=r"reports/nobody/report\.html is not there") as caught:
        store.get("reports/nobody/report.html")
    assert caught.value.absent


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"secret": "wrong"}, "access is denied; check the AWS_… settings"),
        ({"key": "nobody"}, "access is denied; check the AWS_… settings"),
        ({"bucket": "no-such-bucket"}, "there is no such bucket; make it, or set S3_BUCKET to one that is"),
    ],
)
def test_a_bucket_that_refuses_says_why_before_anything_is_made(
    s3: S3Server, changed: dict[str, str], message: str
) -> None:
    with pytest.raises(StorageError, match=message) as caught:
        store_of(**s3.settings(**changed)).check()
    assert SECRET not in str(caught.value)
    assert not caught.value.absent


def test_who_may_only_read_is_denied_a_write(s3: S3Server) -> None:
    store = store_of(**s3.settings(key=READER))
    store.check()
    with pytest.raises(StorageError, match="access is denied"):
        store.put(KEY, b"a page", HTML)


def test_a_server_that_is_away_is_told_with_its_bucket() -> None:
    away = {"aws_endpoint_url": "http://127.0.0.1:9", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    with pytest.raises(StorageError, match="s3://reports-away/reports/: the store cannot be reached or refuses"):
        store_of(s3_bucket="reports-away", **away).check()


def test_half_a_credential_is_refused() -> None:
    with pytest.raises(SettingsError, match="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together"):
        store_of(s3_bucket="some-bucket", aws_access_key_id="a")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"cannot be used for reports: .*; set REPORT_FOLDER or S3_BUCKET"):
        in_folder(tmp_path / "file" / "reports")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 kB."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small file system can be mounted by root only, outside containers that forbid it")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_full_disk_is_told_and_leaves_no_half_page(small_disk: Path) -> None:
    store = in_folder(small_disk)
    store.put(KEY, b"one", HTML)
    with pytest.raises(StorageError, match="the disk is full; free space"):
        store.put(KEY, os.urandom(200_000), HTML)
    assert store.get(KEY) == b"one"
    assert list(store.keys()) == [KEY]


OWNERS = st.text(min_size=1, max_size=200)
NASTY = ("..", ".", "../../etc/passwd", "a/b", "a\\b", "class", "가" * 200, "%2E", "a\x00b", "CON", " ", "\u202e")


@given(owner=st.one_of(OWNERS, st.sampled_from(NASTY)))
def test_a_key_has_one_folder_a_learner_and_leads_nowhere_else(owner: str) -> None:
    try:
        owner.encode()
    except UnicodeEncodeError:
        return  # no text of a database
    head, name, week, file = object_key(About.LEARNER, owner, WEEK, "html").split("/")
    assert (head, week, file) == ("reports", "2025-10-27", "report.html")
    assert len(name) <= 201
    assert name not in ("", ".", "..", "class")
    assert name.isascii()
    assert name.isprintable()


@given(one=OWNERS, other=OWNERS)
def test_two_learners_have_two_keys(one: str, other: str) -> None:
    try:
        keys = {object_key(About.LEARNER, owner, WEEK, "html") for owner in (one, other, *NASTY)}
    except UnicodeEncodeError:
        return
    assert len(keys) == len({one, other, *NASTY})
