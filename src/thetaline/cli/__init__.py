"""The command line: `thetaline COMMAND`, one module a command group; a command's module is loaded when it is called."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

try:
    import typer
except ModuleNotFoundError:
    sys.exit("the command line needs more than the numerical library: pip install 'thetaline[pipeline,embedded]'")

CALIBRATION = "Nightly calibration"
ANSWERS = "Answers in, a first look"
INDICATORS = "From abilities to indicators"
OPERATION = "Database and operation"


@dataclass(frozen=True, slots=True)
class Mount:
    """A command of `thetaline`; `module.app` is the typer app that answers it."""

    name: str
    module: str
    panel: str
    summary: str


MOUNTS = (
    Mount("demo", "thetaline.jobs.demo", ANSWERS, "Show the whole line on a simulated school with known truth."),
    Mount("import", "thetaline.jobs.importing", ANSWERS, "Load answers from CSV, Parquet or JSON lines."),
    Mount(
        "calibrate",
        "thetaline.jobs.mirt_calibrate",
        CALIBRATION,
        "Calibrate, link, gate and publish one night.",
    ),
    Mount("tag", "thetaline.jobs.tag_anchor_items", CALIBRATION, "Choose anchor items and freeze their reference."),
    Mount("items", "thetaline.cli.items", CALIBRATION, "Show each item: share right, item–rest, a, b, fit, flags."),
    Mount("runs", "thetaline.cli.runs", CALIBRATION, "List, show, publish or retract runs."),
    Mount("nightly", "thetaline.jobs.nightly", INDICATORS, "Run the whole night, or go on where it failed."),
    Mount("snapshot", "thetaline.jobs.snapshot_theta", INDICATORS, "Estimate θ of learners and topics for a day."),
    Mount(
        "update-theta",
        "thetaline.jobs.update_theta",
        INDICATORS,
        "Update θ of one learner after a session.",
    ),
    Mount("abilities", "thetaline.cli.abilities", INDICATORS, "Export the current θ of learners, also by topic."),
    Mount("features", "thetaline.jobs.backfill_features", INDICATORS, "Refresh the daily features of each topic."),
    Mount("kpis", "thetaline.jobs.compute_daily_kpis", INDICATORS, "Compute the weekly KPIs of learners."),
    Mount("weekly-theta", "thetaline.jobs.weekly_theta", INDICATORS, "Estimate θ of single weeks, on one scale."),
    Mount("calendar", "thetaline.jobs.terms", INDICATORS, "List or import holidays, vacations and weeks of exams."),
    Mount("growth", "thetaline.cli.growth", INDICATORS, "Show who is getting better, and the chance of each goal."),
    Mount("forecast", "thetaline.cli.forecast", INDICATORS, "Show the coming weeks, and what was odd in the newest."),
    Mount("churn", "thetaline.cli.churn", INDICATORS, "Show who is likeliest to fall silent."),
    Mount("segments", "thetaline.cli.segments", INDICATORS, "Show who learns how, where there are groups."),
    Mount("reports", "thetaline.cli.reports", INDICATORS, "Make, list, link to, prune or check the weekly reports."),
    Mount("drift", "thetaline.cli.drift", INDICATORS, "List, check or resolve drift of items."),
    Mount("db", "thetaline.cli.db", OPERATION, "Start, stop, migrate and query the database."),
    Mount("serve", "thetaline.cli.serve", OPERATION, "Serve calibration, scoring and reading over HTTP."),
    Mount("tokens", "thetaline.cli.tokens", OPERATION, "Create, list and revoke tokens of the HTTP service."),
    Mount("doctor", "thetaline.jobs.doctor", OPERATION, "Check the installation and say what to do about each fault."),
)

STOPPED = 130  # 128 + SIGINT, what a shell expects
EXTRAS = {"serve": "service", "reports": "pipeline,reports"}  # of the others: pipeline

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Item response theory for learning platforms: calibrate, link and publish every night.\n\n"
    "Settings are environment variables or lines of [bold].env[/bold]; `thetaline doctor` lists them.",
    epilog="First steps: `thetaline demo`, then `thetaline import --help`. "
    "Exit codes: 0 done or already done, 1 failed, 2 bad input or setting, 130 stopped.",
    rich_markup_mode="rich",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `thetaline` and return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    mount = next((mount for mount in MOUNTS if arguments[:1] == [mount.name]), None)
    if mount is None:
        return _run_top(arguments)
    try:
        run_app, command = import_module("thetaline.jobs.command_line").run_app, import_module(mount.module).app
        code: int = run_app(command, arguments[1:], f"thetaline {mount.name}")
    except ModuleNotFoundError as absent:
        return _not_installed(mount, absent)
    except KeyboardInterrupt:  # while the modules were loaded; a job that is under way tells it by itself
        typer.echo("stopped: by Ctrl-C", err=True)
        return STOPPED
    return code


def _not_installed(mount: Mount, absent: ModuleNotFoundError) -> int:
    """Tell which extra brings a package that is absent; a module of ours that is absent is a fault of ours."""
    if absent.name is None or absent.name.startswith("thetaline"):
        raise absent
    extra = EXTRAS.get(mount.name, "pipeline")
    typer.echo(f"`thetaline {mount.name}` needs {absent.name}: pip install 'thetaline[{extra}]'", err=True)
    return 1


def _run_top(arguments: Sequence[str]) -> int:
    try:
        app(args=list(arguments), prog_name="thetaline")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    return 0


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"thetaline {import_module('thetaline').__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Show the version."),
) -> None:
    pass


def _listed(mount: Mount) -> Callable[[], None]:
    """A row of the help; `main` has taken the command over before this could be called."""

    def row() -> None:
        raise AssertionError(mount.name)

    return row


for _mount in MOUNTS:
    app.command(_mount.name, help=_mount.summary, rich_help_panel=_mount.panel)(_listed(_mount))
