"""`thetaline forecast`, `churn` and `segments`: the newest run of each, as a table and as CSV."""

import csv
import io

import psycopg
import pytest

from thetaline import cli

RUNS = """
insert into run (run_id, job, as_of, state, started_at, finished_at, host, pid)
select job || '-1', job, '2025-11-02', 'published', now(), now(), 'test', 1
from unnest(array['forecast_prophet', 'fit_survival_churn', 'cluster_segments']) as job;
insert into learner (user_id) values ('ada'), ('bob');
insert into prophet_fit_meta (run_id, metric, fitted_at, status, reason, intended_use) values
    ('forecast_prophet-1', 'theta', now(), 'fitted', null, 'staff'),
    ('forecast_prophet-1', 'I_t', now(), 'not fitted', 'not fitted because none of 2 series is long enough', 'staff');
insert into forecast_series (run_id, series_no, metric, learner_no, weeks_known, reason, changed_on)
select 'forecast_prophet-1', learner_no, 'theta', learner_no, case when user_id = 'ada' then 8 else 3 end,
       case when user_id = 'bob' then 'too short: 3 of at least 4 weeks are known' end,
       case when user_id = 'ada' then date '2025-10-06' end
from learner;
insert into forecast_value (run_id, series_no, horizon, mean, sd, low_95, low_80, high_80, high_95)
select 'forecast_prophet-1', learner_no, horizon, 0.4, 0.3, -0.2, 0.0, 0.8, 1.0
from learner, generate_series(1, 2) as horizon where user_id = 'ada';
insert into forecast_anomaly (run_id, series_no, value, expected, anomaly_score, p_value)
select 'forecast_prophet-1', learner_no, 2.5, 0.4, 5.25, 2e-6 from learner where user_id = 'ada';
insert into prophet_fit_meta (run_id, metric, fitted_at, status, intended_use)
values ('forecast_prophet-1', 'activity', now(), 'fitted', 'staff');
insert into forecast_series (run_id, series_no, metric, weeks_known) values ('forecast_prophet-1', 90, 'activity', 8);
insert into forecast_anomaly (run_id, series_no, value, expected, anomaly_score, p_value)
values ('forecast_prophet-1', 90, 2, 22, -4.5, 1e-4);
insert into survival_fit_meta (run_id, formula, fitted_at, in_force, status, intended_use, metrics)
values ('fit_survival_churn-1', 'f', now(), 'landmark_hazard', 'fitted', 'staff', '{"accuracy": {
    "group 1a": {"n": 12, "n_silent": 3, "auc": null, "brier": null, "log_loss": null, "slope": null,
                 "intercept": null},
    "inactivity": {"n": 90, "n_silent": 9, "auc": 0.8, "brier": 0.1, "log_loss": 0.3, "slope": 0.9, "intercept": 0.1},
    "landmark_hazard": {"n": 90, "n_silent": 9, "auc": 0.85, "brier": 0.09, "log_loss": 0.25, "slope": 1.0,
                        "intercept": -0.02},
    "new learners": {"n": 40, "n_silent": 5, "auc": 0.7, "brier": 0.12, "log_loss": 0.4, "slope": 1.1, "intercept": 0}
}}');
insert into learner_risk (run_id, learner_no, risk, hazard_ratio, rank_percentile)
select 'fit_survival_churn-1', learner_no, case when user_id = 'bob' then 0.4 else 0.125 end, 1.5, 75 from learner;
insert into segment_meta (run_id, method, n_clusters, centers, fitted_at, status, intended_use)
values ('cluster_segments-1', 'm', 1, '[{"label": "improving", "english": "improving", "korean": "향상 중"}]', now(),
        'fitted', 'staff');
insert into learner_segment (run_id, learner_no, segment, features)
select 'cluster_segments-1', learner_no, 0, '{"accuracy": 0.75}' from learner where user_id = 'ada';
"""


@pytest.fixture
def runs(database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DATABASE_URL", database)
    with psycopg.connect(database) as conn:
        conn.execute(RUNS)
    return database


def told(capsys: pytest.CaptureFixture[str], *command: str) -> list[str]:
    assert cli.main(list(command)) == 0
    return capsys.readouterr().out.splitlines()


def test_each_command_shows_its_newest_run(runs: str, capsys: pytest.CaptureFixture[str]) -> None:
    ahead = told(capsys, "forecast")
    assert ahead[1].split() == ["ada", "2025-11-03", "0.40", "0.00", "…", "0.80", "-0.20", "…", "1.00", "2025-10-06"]
    assert "2025-11-10" in ahead[2]
    assert "too short: 3 of at least 4 weeks are known" in ahead[3]
    odd = ["ada", "2025-10-27", "theta", "2.50", "0.40", "+5.2", "2e-06"]
    assert [line.split() for line in told(capsys, "forecast", "--anomalies")[1:]] == [
        odd,
        ["everybody", "2025-10-27", "activity", "2.00", "22.00", "-4.5", "0.0001"],
    ]
    assert [line.split() for line in told(capsys, "forecast", "--anomalies", "--metric", "theta")[1:]] == [odd]
    assert told(capsys, "forecast", "--anomalies", "--user", "bob")[1:] == []  # nothing odd is no fault
    bob, ada = told(capsys, "churn")[1:]
    assert bob.split() == ["bob", "40.0%", "1.50", "75", "%", "landmark_hazard"]
    assert ada.startswith("ada      12.5%")
    assert told(capsys, "segments")[1].split() == ["ada", "improving", "improving", "향상", "중", "accuracy", "0.75"]


def test_the_accuracy_of_risks_is_told_by_group_the_one_in_force_first(
    runs: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [line.split() for line in told(capsys, "churn", "--accuracy")]
    assert lines[1] == ["landmark_hazard", "90", "9", "0.850", "0.090", "0.250", "1.000", "-0.020"]
    assert [line[0] for line in lines[2:]] == ["inactivity", "new", "group"]
    assert lines[-1] == ["group", "1a", "12", "3", "-", "-", "-", "-", "-"]
    assert cli.main(["churn", "--accuracy", "--user", "ada"]) == 2


def test_csv_has_every_column_of_the_learners_asked_for(runs: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(csv.DictReader(io.StringIO("\n".join(told(capsys, "forecast", "--user", "ada", "--csv", "-")))))
    assert [(row["week_start"], row["high_95"]) for row in rows] == [("2025-11-03", "1.0"), ("2025-11-10", "1.0")]
    (row,) = csv.DictReader(io.StringIO("\n".join(told(capsys, "churn", "--user", "ada", "--csv", "-"))))
    assert (row["risk"], row["in_force"]) == ("0.125", "landmark_hazard")


def test_of_several_learners_the_absent_are_named_and_no_row_of_the_others_is_cut_off(
    runs: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["churn", "--user", "ada", "--user", "zoe", "--user", "bob", "--limit", "1"]) == 0
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 3
    assert told.err.rstrip().endswith("from fit_survival_churn-1; none of 'zoe'")
    assert cli.main(["churn", "--limit", str(2**31)]) == 2


def test_what_is_not_there_is_told(runs: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["segments", "--user", "zoe"]) == 2
    assert "cluster_segments-1 has no segments of 'zoe'" in capsys.readouterr().err
    assert cli.main(["forecast", "--metric", "I_t"]) == 2
    assert "I_t not fitted because none of 2 series is long enough" in capsys.readouterr().err
    assert cli.main(["forecast", "--metric", "accuracy"]) == 2
    assert "there are no forecasts up to" in (told_why := capsys.readouterr().err)
    assert "I_t" not in told_why
    assert cli.main(["forecast", "--metric", "I_t", "--date", "2025-11-01"]) == 2
    assert "up to 2025-11-01: run `thetaline nightly` first" in capsys.readouterr().err
    assert cli.main(["churn", "--date", "2025-11-01"]) == 2
    assert "there are no risks up to 2025-11-01: run `thetaline nightly` first" in capsys.readouterr().err
