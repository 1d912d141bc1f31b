"""The module names and functions that the contract promises, wherever the code behind them lies."""

import json
import os
import runpy
import subprocess
import sys
from importlib import import_module

import pytest

JOBS = (
    "mirt_calibrate",
    "tag_anchor_items",
    "snapshot_theta",
    "backfill_features",
    "compute_daily_kpis",
    "irt_drift",
    "weekly_theta",
    "fit_growth_glmm",
    "fit_bayesian_growth",
    "fit_survival_churn",
    "cluster_segments",
    "forecast_prophet",
    "generate_weekly_report",
    "nightly",
)
EXIT_CODES = {"dry_run": 0, "failed": 1, "bad_input": 2}  # an empty database has nothing to calibrate
FUNCTIONS = {
    "mirt_calibrate": ("_load_anchors", "_call_calibrate"),
    "metrics": ("compute_improvement_index",),
    "features_backfill": ("load_user_topic_theta", "backfill_features_topic_daily", "backfill_user_topic_range"),
}


@pytest.mark.parametrize("job", JOBS)
def test_each_job_runs_as_a_module_and_ends_with_its_summary_line(
    job: str, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = f"thetaline.jobs.{job}"
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setattr(sys, "argv", [module, "--dry-run"])
    monkeypatch.delitem(sys.modules, module, raising=False)  # `python -m` finds it not imported yet
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(module, run_name="__main__")
    out, err = capsys.readouterr()
    summary = json.loads(out.splitlines()[-1])
    assert summary["job"] == job
    assert ended.value.code == EXIT_CODES[summary["status"]], err


def test_a_job_in_a_process_of_its_own_ends_with_its_summary_line(database: str) -> None:
    command = [sys.executable, "-m", "thetaline.jobs.nightly", "--dry-run"]
    environment = {**os.environ, "DATABASE_URL": database}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    summary = json.loads(ended.stdout.splitlines()[-1])
    assert summary["job"] == "nightly"
    assert ended.returncode == EXIT_CODES[summary["status"]], ended.stderr


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, names in FUNCTIONS.items() for name in names])
def test_each_named_function_is_where_the_contract_says(module: str, name: str) -> None:
    assert callable(getattr(import_module(f"thetaline.jobs.{module}"), name))
