"""`thetaline doctor`: runs the checks and prints the report."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from thetaline.errors import SettingsError
from thetaline.jobs.command_line import run_app
from thetaline.jobs.doctor.checks import DoctorFinding, Grade, database, fault, installation, settings_in_force
from thetaline.settings import load

app = typer.Typer(add_completion=False)

FILE_WIDTH = 160
_STYLES = {Grade.OK: "green", Grade.NOTE: "yellow", Grade.FAULT: "bold red"}


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for programs.")] = False,
    every_setting: Annotated[bool, typer.Option("--settings", help="List the settings at their defaults too.")] = False,
) -> None:
    """Check the installation, the settings and the database, and say what to do about each fault.

    Changes nothing. Exit code 1 when there is a fault.
    """
    findings = list(run_checks(every_setting=every_setting))
    faults = sum(finding.grade is Grade.FAULT for finding in findings)
    if as_json:
        report = {"faults": faults, "findings": [asdict(finding) for finding in findings]}
        typer.echo(json.dumps(report, ensure_ascii=False))
    else:
        _print(findings, faults)
    raise typer.Exit(1 if faults else 0)


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m thetaline.jobs.doctor`."""
    return run_app(app, argv, "thetaline doctor")


def run_checks(*, every_setting: bool = False) -> Iterator[DoctorFinding]:
    """All checks; those that a fault makes impossible are left out."""
    yield from installation()
    try:
        settings = load()
    except SettingsError as error:
        yield fault("settings", "environment", error, "set or unset these variables (or lines of .env)")
        return
    yield from settings_in_force(settings, every=every_setting)
    yield from database(settings)


def _print(findings: Sequence[DoctorFinding], faults: int) -> None:
    table = Table(box=None, padding=(0, 1), show_header=False)
    part = ""
    for finding in findings:
        text = Text(finding.found)
        if finding.advice:
            text.append(f"\n→ {finding.advice}", style="bold")
        shown = finding.part if finding.part != part else ""
        part = finding.part
        table.add_row(shown, finding.name, Text(finding.grade, style=_STYLES[finding.grade]), text)
    console = Console(width=None if sys.stdout.isatty() else FILE_WIDTH)
    console.print(table)
    console.print("all is well" if not faults else f"{faults} to mend", style="bold")
