"""The folders of the embedded server: private, made anew where half made, refused where they cannot be used."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from embedded_servers import GRACE, answers, copy

from thetaline import db
from thetaline.db import embedded
from thetaline.db.embedded.folder import LONGEST_SOCKET_PATH, SOCKET, Folder
from thetaline.errors import DatabaseError
from waiting import wait_until


def test_there_is_no_tcp_port_and_the_socket_is_private(root: Path) -> None:
    with embedded.lease(root, grace_secs=GRACE) as held, db.connect(held.url) as conn:
        assert conn.execute("show listen_addresses").fetchone() == ("",)
        for folder in (root, root / "data", root / "run"):
            assert folder.stat().st_mode & 0o077 == 0
        assert (root / "run" / SOCKET).stat().st_mode & 0o077 == 0


def test_a_half_made_data_folder_is_made_anew(own_root: Path) -> None:
    shutil.rmtree(own_root / "data")
    (own_root / "data.new" / "base").mkdir(parents=True)  # what a killed initdb leaves
    with embedded.lease(own_root, grace_secs=GRACE) as held:
        assert answers(held.url)


def test_a_long_path_gets_a_short_private_socket_folder_that_goes_with_the_server(made: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="tl-") as folder:
        root = Path(folder) / ("long" * 30)
        copy(made, root)
        with embedded.lease(root, grace_secs=GRACE) as held:
            sockets = Folder(root).sockets
            assert len(os.fsencode(sockets / SOCKET)) <= LONGEST_SOCKET_PATH
            assert sockets.stat().st_mode & 0o077 == 0
            assert answers(held.url)
        wait_until(lambda: not sockets.exists())


def test_a_socket_folder_that_others_may_enter_is_refused(own_root: Path) -> None:
    (own_root / "run").mkdir(mode=0o755)
    (own_root / "run").chmod(0o755)
    with pytest.raises(DatabaseError, match="not a private folder"):
        embedded.lease(own_root)


def test_data_of_another_major_version_is_named(own_root: Path) -> None:
    (own_root / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(DatabaseError, match="made by PostgreSQL 9, installed are"):
        embedded.lease(own_root)


def test_damaged_data_are_told_with_what_to_do(own_root: Path) -> None:
    (own_root / "data" / "PG_VERSION").write_text("junk\n")
    with pytest.raises(DatabaseError, match=r"PG_VERSION holds no version of PostgreSQL.*thetaline db reset"):
        embedded.lease(own_root)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseError, match="THETALINE_DATA_DIR"):
        embedded.lease(tmp_path / "file" / "db")
