"""`thetaline tokens`: bearer tokens of the HTTP service."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import psycopg
import typer

from thetaline import db
from thetaline.db.tokens import StoredToken, all_tokens, create_token, revoke_token
from thetaline.errors import InputError
from thetaline.jobs.command_line import print_message
from thetaline.jobs.runner import prepare_database
from thetaline.settings import load

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Create, list and revoke bearer tokens of the HTTP service.\n\n"
    "Several may be in force at once: create the new one, hand it out, revoke the old one.",
)


@app.command()
def create(
    name: Annotated[str, typer.Option(help="Who will use it; shown in logs and lists.")],
    scope: Annotated[
        list[str],
        typer.Option(
            help="calibrate, score, read:all or read:self; may be given again. read:self goes with score only."
        ),
    ],
    user: Annotated[str | None, typer.Option(help="The learner that a read:self token may read.")] = None,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="Days until it expires; default: never.")] = None,
) -> None:
    """Make a token and print it, this once: only its hash is kept."""
    from thetaline.service.tokens import Scope, new_token  # noqa: PLC0415  --help need not load a web server

    if unknown := sorted(set(scope) - set(Scope)):
        raise InputError(f"unknown scope {', '.join(unknown)}; known are {', '.join(Scope)}")
    expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
    text, row = new_token(name, {Scope(one) for one in scope}, user_id=user, expires_at=expires_at)
    with _connect() as conn:
        create_token(conn, row)
    typer.echo(text)
    print_message(f"token {row.token_id} of {name!r}; it is shown this once")


@app.command(name="list")
def list_() -> None:
    """List all tokens, without their secrets."""
    with _connect() as conn:
        tokens = all_tokens(conn)
    for token in tokens:
        typer.echo(_line(token))
    if not tokens:
        print_message("no tokens; `thetaline tokens create --name exam-app --scope score` makes one")


@app.command()
def revoke(token_id: Annotated[str, typer.Argument(help="As `thetaline tokens list` shows it.")]) -> None:
    """Take a token out of force; a running service refuses it within 5 seconds."""
    with _connect() as conn:
        found = revoke_token(conn, token_id)
    if not found:
        raise InputError(f"no token {token_id!r} is in force; `thetaline tokens list` shows them")
    print_message(f"token {token_id} is revoked")


def _connect() -> psycopg.Connection[Any]:
    return db.connect(prepare_database(load()))


def _line(token: StoredToken) -> str:
    scopes = ",".join(token.scopes) + (f" of {token.user_id}" if token.user_id else "")
    return f"{token.token_id}  {token.name:<20}  {scopes:<30}  {_state(token)}"


def _state(token: StoredToken) -> str:
    if token.revoked_at is not None:
        return f"revoked {token.revoked_at:%Y-%m-%d}"
    if token.expires_at is None:
        return "in force"
    over = token.expires_at <= datetime.now(UTC)
    return f"{'expired' if over else 'in force until'} {token.expires_at:%Y-%m-%d}"
