import resource
import subprocess
import sys
from importlib import import_module

import pytest
import typer

from thetaline import __version__
from thetaline.cli import MOUNTS, main


def test_help_lists_every_command_with_its_summary(capsys):
    assert main(["--help"]) == 0
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for mount in MOUNTS:
        assert f"{mount.name} {mount.summary}" in shown


def test_the_version_is_the_packages(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == f"thetaline {__version__}"


def test_an_unknown_command_exits_2_and_is_told(capsys):
    assert main(["calibrat"]) == 2
    assert "calibrat" in capsys.readouterr().err


@pytest.mark.parametrize("mount", MOUNTS, ids=lambda mount: mount.name)
def test_every_mounted_module_has_an_app_and_help(mount, capsys):
    assert isinstance(import_module(mount.module).app, typer.Typer)
    assert main([mount.name, "--help"]) == 0
    assert f"thetaline {mount.name}" in capsys.readouterr().out


def test_an_unknown_option_exits_2(capsys):
    assert main(["import", "--no-such-option"]) == 2
    assert "--no-such-option" in capsys.readouterr().err


def test_help_loads_no_database_no_numbers_and_is_quick():
    heavy = ("numpy", "psycopg", "pyarrow", "pydantic")
    code = f"import sys, thetaline.cli as cli; cli.main(['--help']); sys.exit(any(m in sys.modules for m in {heavy}))"
    before = cpu_of_children()
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
    assert cpu_of_children() - before < 1.5  # seconds of CPU: 0.3 alone; a busy machine has colder caches


def cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_a_package_that_is_not_installed_is_told_with_its_extra():
    code = (
        "import sys; sys.modules['pyarrow'] = None; import thetaline.cli as c; sys.exit(c.main(['import', '--help']))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr == "`thetaline import` needs pyarrow: pip install 'thetaline[pipeline]'\n"


def test_without_any_extra_the_command_says_what_to_install():
    code = "import sys; sys.modules['typer'] = None; import thetaline.cli"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "pip install 'thetaline[pipeline,embedded]'" in ended.stderr


def test_ctrl_c_while_a_command_is_loaded_is_told_without_a_traceback():
    code = (
        "import sys, thetaline.cli as cli\n"
        "def stopped(name): raise KeyboardInterrupt\n"
        "cli.import_module = stopped\n"
        "sys.exit(cli.main(['calibrate']))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (130, "stopped: by Ctrl-C\n")


def test_no_runs_are_told_and_not_shown_as_an_empty_table(monkeypatch, capsys, database):
    monkeypatch.setenv("DATABASE_URL", database)
    assert main(["runs"]) == 0
    assert capsys.readouterr() == ("", "no runs yet; `thetaline calibrate` makes one\n")
    assert main(["runs", "--job", "nope"]) == 0
    assert capsys.readouterr().err == "no runs of 'nope'\n"
