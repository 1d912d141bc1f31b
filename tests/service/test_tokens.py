"""Who may do what with which token."""

import base64
import hashlib
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from serving import INTERNAL, ITEM, Running, publish, running, wait_until

from thetaline import db
from thetaline.cli.tokens import app as tokens_app
from thetaline.db.tokens import create_token
from thetaline.errors import InputError, SettingsError
from thetaline.jobs.command_line import run_app
from thetaline.service import app, server, tokens
from thetaline.service.tokens import Scope, TokenCache, new_token
from thetaline.settings import load

SCORE = {"item_params": [ITEM], "responses": [[1]]}
OPEN_PATHS = ("/healthz", "/readyz", "/metrics")
AWAY = "postgresql://nobody@127.0.0.1:9/none"
NARROWING = Path(db.__file__).parent / "migrations" / "sql" / "0007_tokens.sql"


@pytest.fixture(scope="module", autouse=True)
def soon() -> Iterator[None]:
    """Tokens are read again so often that a test need not wait for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "REFRESH_SECS", 0.2)
        yield


def test_every_route_but_three_asks_for_a_token(service: Running) -> None:
    with service.client(token=None) as client:
        for path, operations in service.app.openapi()["paths"].items():
            for method in operations:
                status = client.request(method, path.replace("{", "").replace("}", "")).status_code
                assert (status == 401) == (path not in OPEN_PATHS) or path in OPEN_PATHS, path


def test_the_internal_token_opens_everything_in_both_headers(service: Running) -> None:
    with service.client(token=None) as client:
        by_bearer = client.post("/irt/score", json=SCORE, headers={"authorization": f"Bearer {INTERNAL}"})
        by_older = client.post("/irt/score", json=SCORE, headers={"x-internal-token": INTERNAL})
    assert (by_bearer.status_code, by_older.status_code) == (200, 200)


def test_white_space_around_the_internal_token_is_left_out() -> None:
    assert TokenCache(f"{INTERNAL}\n").principal(INTERNAL) is not None


@pytest.mark.parametrize(
    "wrong", ["the-internal-tokem", "", "tl_", "tl_0123456789ab_x", "tl_x_y_z", "\xe9", "a" * 10_000]
)
def test_a_token_that_is_not_in_force_is_a_401(service: Running, wrong: str) -> None:
    with service.client(token=None) as client:
        answer = client.post("/irt/score", json=SCORE, headers={"x-internal-token": wrong.encode("latin-1")})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        (Scope.SCORE, {"/irt/score"}),
        (Scope.CALIBRATE, {"/irt/calibrate"}),
        (Scope.READ_ALL, {"/v1/items", "/v1/runs", "/v1/learners/u1/kpis"}),
    ],
)
def test_a_scope_opens_its_own_routes_only(service: Running, scope: Scope, allowed: set[str]) -> None:
    asked = {
        "/irt/score": SCORE,
        "/irt/calibrate": {},
        "/v1/items": None,
        "/v1/runs": None,
        "/v1/learners/u1/kpis": None,
    }
    with service.client(service.token(scope)) as client:
        statuses = {
            path: (client.get(path) if body is None else client.post(path, json=body)).status_code
            for path, body in asked.items()
        }
    assert {path for path, status in statuses.items() if status != 403} == allowed


def test_a_learners_token_reads_that_learner_only(service: Running) -> None:
    publish(service.database, {"101": {"a": 1.0, "b": 0.0}}, abilities={"anna": 0.5, "ben": -0.5})
    with service.client(service.token(Scope.READ_SELF, user_id="anna")) as client:
        assert client.get("/v1/learners/anna/theta").json()["general"]["theta"] == 0.5
        for path in ("theta", "theta/history", "kpis", "next-items"):
            assert client.get(f"/v1/learners/ben/{path}").status_code == 403
        assert client.get("/v1/items").status_code == 403
        assert client.post("/v1/learners/anna/theta", json={"session_id": "s"}).status_code == 403


@pytest.mark.parametrize(("path", "body"), [("theta", {"session_id": "none"}), ("kpis", {"week_start": "2025-11-03"})])
def test_a_learners_token_scores_that_learner_only(service: Running, path: str, body: dict[str, str]) -> None:
    own, every = service.token(Scope.READ_SELF, Scope.SCORE, user_id="anna"), service.token(Scope.SCORE)
    statuses = {}
    for token, learner in ((own, "carl"), (own, "anna"), (every, "carl")):
        with service.client(token) as client:
            statuses[token, learner] = client.post(f"/v1/learners/{learner}/{path}", json=body).status_code
    assert statuses.pop((own, "carl")) == 403
    assert 403 not in statuses.values()


def test_tokens_rotate_two_are_in_force_until_one_is_revoked(service: Running) -> None:
    old, new = service.token(Scope.SCORE), service.token(Scope.SCORE)
    with service.client(old) as first, service.client(new) as second:
        assert (
            first.post("/irt/score", json=SCORE).status_code,
            second.post("/irt/score", json=SCORE).status_code,
        ) == (200, 200)
        with psycopg.connect(service.database) as conn:
            conn.execute("update api_token set revoked_at = now() where token_id = %s", (old.split("_")[1],))
        wait_until(lambda: first.post("/irt/score", json=SCORE).status_code == 401)
        assert second.post("/irt/score", json=SCORE).status_code == 200


def test_the_secret_is_stored_as_its_hash_only(service: Running) -> None:
    secret = service.token(Scope.SCORE).split("_", 2)[2]
    with psycopg.connect(service.database) as conn:
        stored = conn.execute("select secret_sha256, api_token::text from api_token").fetchall()
    assert hashlib.sha256(secret.encode()).digest() in [row[0] for row in stored]
    assert all(secret not in row[1] for row in stored)


@pytest.mark.parametrize(
    ("scopes", "user_id", "said"),
    [
        (set(), None, "needs a scope"),
        ({Scope.READ_SELF}, None, "read:self goes with"),
        ({Scope.SCORE}, "u1", "read:self goes with"),
        ({Scope.READ_SELF, Scope.READ_ALL}, "u1", "read:self goes with score only"),
        ({Scope.READ_SELF, Scope.CALIBRATE}, "u1", "read:self goes with score only"),
    ],
)
def test_scopes_that_do_not_go_together_are_refused(scopes: set[Scope], user_id: str | None, said: str) -> None:
    with pytest.raises(InputError, match=said):
        new_token("x", scopes, user_id=user_id, expires_at=None)


def test_a_token_is_its_kind_an_id_of_48_bits_and_a_secret_of_256() -> None:
    made = [new_token("x", {Scope.SCORE}, user_id=None, expires_at=None) for _ in range(20)]
    for text, row in made:
        kind, token_id, secret = text.split("_", 2)
        assert (kind, token_id, len(bytes.fromhex(token_id))) == ("tl", row.token_id, 6)
        assert len(base64.urlsafe_b64decode(f"{secret}=")) == 32
        assert row.secret_sha256 == hashlib.sha256(secret.encode()).digest()
    assert len({row.token_id for _, row in made}) == len({row.secret_sha256 for _, row in made}) == 20


@pytest.mark.parametrize("wider", ["read:all", "calibrate"])
def test_the_table_refuses_a_learners_token_that_shows_others_and_its_migration_narrows_one(
    database: str, wider: str
) -> None:
    _, row = new_token("x", {Scope.READ_SELF, Scope.SCORE}, user_id="u1", expires_at=None)
    row.scopes.append(wider)
    with psycopg.connect(database, autocommit=True) as conn:
        with pytest.raises(psycopg.errors.CheckViolation, match="a_self_token_shows_nobody_else"):
            create_token(conn, row)
        conn.execute("alter table api_token drop constraint a_self_token_shows_nobody_else")
        create_token(conn, row)
        conn.execute(NARROWING.read_text())
        assert conn.execute("select scopes from api_token").fetchall() == [(["read:self", "score"],)]


def test_a_local_caller_without_a_token_is_served_until_one_exists(database: str) -> None:
    with running(database, anonymous=True, r_irt_internal_token=None) as service, service.client(token=None) as client:
        assert client.post("/irt/score", json=SCORE).status_code == 200
        assert client.post("/irt/score", json=SCORE, headers={"host": "evil.example"}).status_code == 401
        token = service.token(Scope.SCORE)
        assert client.post("/irt/score", json=SCORE, headers={"authorization": f"Bearer {token}"}).status_code == 200
        assert client.post("/irt/score", json=SCORE).status_code == 401


@pytest.mark.parametrize("over", ["revoked_at = now()", "expires_at = now() - interval '1 hour'"])
def test_a_token_that_is_over_keeps_the_door_shut(database: str, over: str) -> None:
    _, row = new_token("x", {Scope.SCORE}, user_id=None, expires_at=None)
    with psycopg.connect(database) as conn:
        create_token(conn, row)
        conn.execute(f"update api_token set {over}")
    with running(database, anonymous=True, r_irt_internal_token=None) as service, service.client(token=None) as client:
        assert client.post("/irt/score", json=SCORE).status_code == 401


def test_the_internal_token_keeps_the_door_shut(database: str) -> None:
    with running(database, anonymous=True) as service, service.client(token=None) as client:
        assert client.post("/irt/score", json=SCORE).status_code == 401


def test_a_look_that_fails_in_any_way_is_logged_and_not_the_last(database: str, log: io.StringIO) -> None:
    rename = "alter table api_token rename column {} to {}"
    with running(database) as service, service.client(service.token(Scope.SCORE)) as client:
        assert client.post("/irt/score", json=SCORE).status_code == 200
        with psycopg.connect(database, autocommit=True) as conn:
            conn.execute(rename.format("revoked_at", "gone"))
            wait_until(lambda: "UndefinedColumn" in log.getvalue())
            conn.execute(rename.format("gone", "revoked_at"))
            conn.execute("update api_token set revoked_at = now()")
        wait_until(lambda: client.post("/irt/score", json=SCORE).status_code == 401, secs=15)


def test_while_no_database_has_answered_a_local_caller_is_not_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "LOOK_SECS", 0.5)
    with (
        running(AWAY, anonymous=True, r_irt_internal_token=None) as service,
        service.client(token=None) as client,
    ):
        for headers in ({}, {"authorization": "Bearer tl_0123456789ab_x"}):
            refused = client.post("/irt/score", json=SCORE, headers=headers)
            assert (refused.status_code, refused.json()["error"][:24]) == (503, "tokens cannot be checked")


def test_a_token_opens_from_the_moment_that_it_exists_however_many_come_at_once(service: Running) -> None:
    def use_at_once(_number: int) -> int:
        token = service.token(Scope.SCORE)
        with service.client(token) as client:
            return client.post("/irt/score", json=SCORE).status_code

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(use_at_once, range(40))) == {200}


def test_no_public_address_without_tokens(database: str) -> None:
    settings: Any = load(database_url=database, service_host="0.0.0.0", r_irt_internal_token=None)  # noqa: S104
    with pytest.raises(SettingsError, match=r"SERVICE_HOST is '0\.0\.0\.0'.*no token exists"):
        server.serve(settings)


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("192.0.2.1", False)],  # noqa: S104
)
def test_which_addresses_are_local(host: str, local: bool) -> None:
    assert server.is_loopback(host) is local


def test_the_command_line_makes_lists_and_revokes(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    assert run_app(tokens_app, ["create", "--name", "exam app", "--scope", "score", "--days", "30"]) == 0
    text = capsys.readouterr().out.strip()
    assert run_app(tokens_app, ["list"]) == 0
    listed = capsys.readouterr().out
    assert "exam app" in listed
    assert "in force until" in listed
    assert text.split("_", 2)[2] not in listed
    assert run_app(tokens_app, ["revoke", text.split("_")[1]]) == 0
    assert run_app(tokens_app, ["revoke", text.split("_")[1]]) == 2
    assert run_app(tokens_app, ["create", "--name", "x", "--scope", "admin"]) == 2
    assert "unknown scope admin" in capsys.readouterr().err


def test_no_token_and_no_body_reaches_the_log(service: Running, log: io.StringIO) -> None:
    token = service.token(Scope.SCORE)
    with service.client(token) as client:
        client.post("/irt/score", json={"item_params": "zzz-body", "responses": []})
        client.get("/v1/learners/zzz-learner/theta")
    assert log.getvalue().count('"event": "request"') == 2
    for secret in (token, token.split("_", 2)[2], INTERNAL, "zzz-body", "zzz-learner"):
        assert secret not in log.getvalue()
