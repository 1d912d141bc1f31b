"""From a file with codes of its own to `thetaline tag`, `runs show`, `items`, `abilities`: items by their codes."""

import csv
import io
import json
import re

import numpy as np
import pytest

from thetaline.cli import main as thetaline

N_LEARNERS, N_ITEMS = 250, 16
CODES = [f"alg/{k:02}" for k in range(N_ITEMS)]
TRUE_A = [1.2] * (N_ITEMS - 1) + [0.05]
TRUE_B = [*np.linspace(-1.5, 1.5, N_ITEMS - 1), 0.0]


def answers(seed=3):
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=N_LEARNERS)
    p = 1 / (1 + np.exp(-np.array(TRUE_A) * (theta[:, None] - np.array(TRUE_B))))
    right = (rng.random(p.shape) < p).astype(int)
    head = ",".join(["learner", *CODES])
    return head + "\n" + "".join(f"s{n:03},{','.join(map(str, row))}\n" for n, row in enumerate(right)), right


@pytest.fixture
def command(capsys):
    def command_(*arguments):
        capsys.readouterr()
        code = thetaline(list(arguments))
        return code, *capsys.readouterr()

    return command_


@pytest.fixture
def published(load_answers, calibrate):
    content, right = answers()
    assert load_answers(content, "--wide", "--on", "2025-10-19", name="matrix.csv")[0] == 0
    assert calibrate("--date", "2025-10-20").code == 0
    return right


def test_every_item_is_shown_by_its_code_with_its_statistics(published, command):
    code, out, err = command("items", "--csv", "-")
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["code"] for row in rows] == CODES
    total = published.sum(axis=1)
    for k in (0, 7, N_ITEMS - 1):
        assert int(rows[k]["n_answers"]) == N_LEARNERS
        assert float(rows[k]["share_right"]) == pytest.approx(published[:, k].mean())
        item_rest = np.corrcoef(published[:, k], total - published[:, k])[0, 1]
        assert float(rows[k]["item_rest"]) == pytest.approx(item_rest)
        assert float(rows[k]["se_b"]) > 0
        assert 0.7 < float(rows[k]["infit"]) < 1.3
        assert 0 <= float(rows[k]["rmsd"]) < 0.1
    assert np.corrcoef([float(row["b"]) for row in rows[:-1]], TRUE_B[:-1])[0, 1] > 0.95
    assert "16 items, " in command("items")[2]
    assert "alpha 0." in err or "alpha 0." in command("items")[2]


def test_an_item_that_hardly_discriminates_is_flagged(published, command):
    told = command("items", "--flagged", "--json")[1]
    flagged = {row["code"]: row["flags"] for row in json.loads(told)["items"]}
    assert "hardly discriminates" in flagged[CODES[-1]] or "runs backwards" in flagged[CODES[-1]]
    assert len(flagged) < 4


def test_tag_and_runs_show_name_items_by_their_codes(published, command, rows):
    code, out, err = command("tag", "--count", "5")
    assert code == 0
    summary = json.loads(out)
    assert set(summary["codes"].values()) <= set(CODES)
    assert f"items are anchors now: {min(summary['codes'].values())}" in err
    [(run_id,)] = rows("select run_id from run where job = 'mirt_calibrate'")
    shown = command("runs", "show", run_id)[1]
    [(weak,)] = rows(f"select item_id from mirt_item_params where code = '{CODES[-1]}'")
    assert re.search(rf"^{weak} \({CODES[-1]}\) .*(hardly discriminates|runs backwards)", shown, re.MULTILINE)
    assert json.loads(command("runs", "show", run_id, "--json")[1])["codes"][weak] == CODES[-1]


def test_the_runs_metrics_have_the_classical_statistics(published, command, rows):
    [(run_id, classical)] = rows("select run_id, metrics -> 'classical' from mirt_fit_meta")
    k = 7
    [(item_id,)] = rows(f"select item_id from item_code where code = '{CODES[k]}'")
    columns = classical["items"]
    place = columns["item_id"].index(item_id)
    assert columns["n_answers"][place] == N_LEARNERS
    assert columns["share_right"][place] == pytest.approx(published[:, k].mean(), abs=5e-5)
    covariance = np.cov(published.T)
    alpha = N_ITEMS / (N_ITEMS - 1) * (1 - np.trace(covariance) / covariance.sum())
    assert classical["alpha"]["estimate"] == pytest.approx(alpha, abs=5e-5)
    assert classical["omega"]["low"] < classical["omega"]["estimate"] < classical["omega"]["high"]
    assert f"alpha            {alpha:.3f} (0." in command("runs", "show", run_id)[1]


def test_the_views_have_the_code_beside_the_columns_of_the_contract(published, rows):
    columns = "select column_name from information_schema.columns where table_name = '{}' order by ordinal_position"
    contract = ["item_id", "model", "params", "version", "run_id", "fitted_at"]
    assert [name for (name,) in rows(columns.format("mirt_item_params"))] == [*contract, "code"]
    assert [code for (code,) in rows("select code from bank_item order by code")] == CODES


def test_abilities_are_exported_as_csv(published, command, tmp_path, rows):
    code, out, err = command("abilities")
    assert code == 0
    exported = {row["user_id"]: float(row["theta"]) for row in csv.DictReader(io.StringIO(out))}
    assert exported == dict(rows("select user_id, theta from mirt_ability"))
    assert len(exported) == N_LEARNERS
    assert f"{N_LEARNERS} abilities" in err
    assert command("abilities", "--topics", "--csv", str(tmp_path / "t.csv"))[0] == 0
    assert (tmp_path / "t.csv").read_text().startswith("user_id,topic_id,theta,se,")
    assert command("abilities", "--csv", str(tmp_path / "no/t.csv"))[0] == 2


def test_items_of_days_without_answers_are_told(load_answers, command):
    load_answers(answers()[0], "--wide", "--on", "2025-10-19", name="matrix.csv")
    code, _, err = command("items", "--date", "2025-09-01")
    assert code == 2
    assert "no answered attempts from 2025-08-03 to 2025-09-01; set --date or --days" in err
    code, out, err = command("items", "--date", "2025-10-19", "--days", "1")
    assert code == 0
    assert CODES[0] in out
    assert "nothing is published yet" in err
