"""What the command lines of all jobs share: common options, dates, messages for people, exit codes."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import psycopg
import typer
from typer.core import TyperGroup

from thetaline import db
from thetaline.errors import InputError, ThetalineError
from thetaline.masking import mask_text
from thetaline.settings import load, misspelt, time_zone

DateOption = Annotated[
    str | None,
    typer.Option(
        "--date", metavar="YYYY-MM-DD", help="Date of the run. Default: yesterday, the last day that is over."
    ),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Do all the work, write nothing at all.")]


def run_app(app: typer.Typer, argv: Sequence[str] | None = None, prog: str = "thetaline") -> int:
    """Run a typer app and return its exit code; a wrong option gives 2, one of our own errors its message and code."""
    try:
        for name, meant in misspelt().items():
            print_message(f"{name} is no setting; did you mean {meant}?")
        app(args=None if argv is None else list(argv), prog_name=prog)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except ThetalineError as error:
        return _print_error(error)
    except psycopg.Error as error:
        return _print_error(db.explained(error, load().database_url or "the embedded database"))
    return 0


def _print_error(error: ThetalineError) -> int:
    print_message(f"error: {error}")
    return error.exit_code


def print_message(message: str) -> None:
    """Print a line for people on stderr, without secrets."""
    typer.echo(mask_text(message), err=True)


def default_command(command: str) -> type[TyperGroup]:
    """The class of a typer app (`cls=`) that runs `command` where none is named: `thetaline runs` lists the runs."""

    class Group(TyperGroup):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            named = args[:1] == ["--help"] or (bool(args) and args[0] in self.commands)
            return super().parse_args(ctx, args if named else [command, *args])

    return Group


def parse_day(option: str, text: str) -> date:
    """`YYYY-MM-DD`. Raises InputError that names the option."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise InputError(f"{option} {text!r} is no date; write it as YYYY-MM-DD") from None


def parse_time_zone(option: str, name: str) -> ZoneInfo:
    """The IANA time zone of that name. Raises InputError that names the option."""
    try:
        return time_zone(name)
    except ValueError:
        raise InputError(f"{option} {name!r} is no time zone; give an IANA name, for example Asia/Seoul") from None


def parse_since(text: str, *, last: date) -> date:
    """The value of --since, the first day of a range that ends with `last`. Raises InputError."""
    day = parse_day("--since", text)
    if day > last:
        raise InputError(f"--since {text} lies after the last day of the range, {last} (--date, by default yesterday)")
    return day
