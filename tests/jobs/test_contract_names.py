"""The module names and functions that the contract promises, wherever the code behind them lies."""

import json
import os
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
    "nightly",
)
EXIT_CODES = {"dry_run": 0, "failed": 1, "bad_input": 2}  # an empty database has nothing to calibrate
FUNCTIONS = {
    "mirt_calibrate": ("_load_anchors", "_call_calibrate"),
    "metrics": ("compute_improvement_index",),
    "features_backfill": ("load_user_topic_theta", "backfill_features_topic_daily", "backfill_user_topic_range"),
}


@pytest.mark.parametrize("job", JOBS)
def test_each_job_runs_as_a_module_and_ends_with_its_summary_line(job: str, database: str) -> None:
    command = [sys.executable, "-m", f"thetaline.jobs.{job}", "--dry-run"]
    ended = subprocess.run(
        command, env={**os.environ, "DATABASE_URL": database}, capture_output=True, text=True, check=False
    )
    summary = json.loads(ended.stdout.splitlines()[-1])
    assert summary["job"] == job
    assert ended.returncode == EXIT_CODES[summary["status"]], ended.stderr


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, names in FUNCTIONS.items() for name in names])
def test_each_named_function_is_where_the_contract_says(module: str, name: str) -> None:
    assert callable(getattr(import_module(f"thetaline.jobs.{module}"), name))
