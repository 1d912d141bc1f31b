"""An S3 server for tests: SeaweedFS, with an administrator and somebody who may only read."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import obstore
from obstore.store import S3Store

ADMIN, READER, SECRET = "administrator", "reader", "a-secret-of-tests"
BUCKET = "reports-of-tests"
STARTS_WITHIN = 60.0


@dataclass(slots=True)
class S3Server:
    """A server under way; `settings` are those of thetaline for it."""

    url: str
    process: subprocess.Popen[bytes]

    def settings(self, key: str = ADMIN, secret: str = SECRET, bucket: str = BUCKET) -> dict[str, object]:
        names = {"aws_endpoint_url": self.url, "aws_access_key_id": key, "aws_secret_access_key": secret}
        return {"s3_bucket": bucket, **names}

    def environment(self) -> dict[str, str]:
        return {name.upper(): str(value) for name, value in self.settings().items()}

    def make_bucket(self, name: str = BUCKET) -> None:
        options = {"endpoint": self.url, "access_key_id": ADMIN, "secret_access_key": SECRET, "region": "us-east-1"}
        store = S3Store(name, client_options={"allow_http": True}, **options)
        url = obstore.sign(store, "PUT", "", expires_in=timedelta(minutes=1))
        with suppress(urllib.error.HTTPError):  # made already
            urllib.request.urlopen(urllib.request.Request(url, method="PUT"), timeout=10)  # noqa: S310


@contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """Started in a folder of its own, with an empty bucket; killed at the end."""
    everything = ["Admin", "Read", "Write", "List"]
    accounts = [_account(ADMIN, everything), _account(READER, ["Read", "List"])]
    (folder / "s3.json").write_text(json.dumps({"identities": accounts}))
    ports = dict(zip(("s3", "master", "volume", "filer"), _free_ports(4), strict=True))
    command = [str(Path(sys.executable).parent / "weed"), "server", "-s3", f"-s3.config={folder / 's3.json'}"]
    command += [f"-{name}.port={port}" for name, port in ports.items()]
    command += [
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-volume.max=4",
        "-master.volumeSizeLimitMB=30",
    ]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log, cwd=folder) as process:
        server = S3Server(f"http://127.0.0.1:{ports['s3']}", process)
        try:
            _wait_for(server)
            server.make_bucket()
            yield server
        finally:
            process.kill()


def _account(key: str, actions: list[str]) -> dict[str, object]:
    return {"name": key, "credentials": [{"accessKey": key, "secretKey": SECRET}], "actions": actions}


def _free_ports(n: int) -> list[int]:
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [one.getsockname()[1] for one in taken]
    for one in taken:
        one.close()
    return ports


def _wait_for(server: S3Server) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            urllib.request.urlopen(server.url, timeout=2)  # noqa: S310
        except urllib.error.HTTPError:
            return  # it answers, if only that nobody may look
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the S3 server did not start: {(Path(server.process.args[3][11:]).parent / 'log').read_text()}")
