"""`thetaline growth`: lines and goals in a learner's words, as a table and as CSV."""

import csv
import io

import psycopg
import pytest

from thetaline import cli

RUN = """
insert into run (run_id, job, as_of, state, started_at, finished_at, host, pid)
values ('growth-1', 'fit_bayesian_growth', '2025-11-02', 'published', now(), now(), 'test', 1);
insert into learner (user_id) values ('ada'), ('bob'), ('cem');
insert into growth_line (run_id, learner_no, level, level_se, slope, slope_se, n_weeks, bend_week)
select 'growth-1', learner_no, 0.5, 0.2, slope, 0.02, 8, bend
from learner join (values ('ada', 0.1, null), ('bob', 0.01, null), ('cem', 0.0, date '2025-10-06'))
    as given (user_id, slope, bend) using (user_id);
insert into growth_goal (run_id, learner_no, topic_id, target_level, target_date, probability, ever_probability, reason)
select 'growth-1', learner_no, 'algebra', 0.8, '2025-12-01', probability, ever, reason
from learner join (values ('ada', 0.62, 0.71, null), ('bob', null, null, 'beyond twice the observed span'))
    as given (user_id, probability, ever, reason) using (user_id);
"""


@pytest.fixture
def lines(database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DATABASE_URL", database)
    with psycopg.connect(database) as conn:
        conn.execute(RUN)
    return database


def test_the_table_says_who_is_getting_better_and_how_likely_the_goal_is(
    lines: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["growth"]) == 0
    told = capsys.readouterr()
    ada, bob, cem = told.out.splitlines()[1:]
    assert "+0.10 (+0.06 … +0.14)  getting better" in ada
    assert all(part in ada for part in ("algebra +0.80", "2025-12-01", "62%", "71%"))
    assert "no clear change" in bob
    assert "beyond twice the observed span" in bob
    assert "level since 2025-10-06" in cem
    assert "the week that ends 2025-11-02" in told.err


def test_csv_has_every_column_of_the_learners_asked_for(lines: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["growth", "--user", "ada", "--csv", "-"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["user_id"], row["slope"], row["probability"], row["trend"]) == ("ada", "0.1", "0.62", "getting better")


def test_a_learner_without_a_line_and_a_database_without_lines_are_told(
    lines: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["growth", "--user", "zoe"]) == 2
    assert "growth-1 has no line of 'zoe'" in capsys.readouterr().err
    with psycopg.connect(lines) as conn:
        conn.execute("update run set state = 'retracted'")
        conn.execute(
            "insert into growth_brms_meta (run_id, formula, fitted_at, status, reason)"
            " values ('growth-1', '', now(), 'not fitted', 'not fitted because there are no answers')"
        )
    assert cli.main(["growth"]) == 2
    assert "not fitted because there are no answers" in capsys.readouterr().err
