"""What jobs print for people says each thing once and nothing that is not so."""

import re

import pytest

from thetaline.jobs.doctor import main
from thetaline.jobs.importing.files import Reason, RejectedRow
from thetaline.jobs.importing.rejected_rows import SHOWN, RejectedRows


@pytest.mark.parametrize(("n", "more"), [(1, None), (SHOWN, None), (SHOWN + 1, 1), (SHOWN + 9, 9)])
def test_rejected_rows_are_shown_up_to_a_limit_and_the_rest_is_counted(n: int, more: int | None) -> None:
    rejected = RejectedRows(None, ["user_id"])
    rejected.add(RejectedRow(line, (Reason("no time"),), (f"u{line}",)) for line in range(2, n + 2))
    told = rejected.report()
    assert len(re.findall(r"^  line \d+: no time", told, re.MULTILINE)) == min(n, SHOWN)
    assert re.findall(r"… and (\d+) more", told) == ([] if more is None else [str(more)])
    assert f"{n} × no time" in told


def test_the_doctor_names_each_part_once_and_at_its_first_finding(monkeypatch, capsys, tmp_path, database) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", database)
    assert main([]) == 0
    told = capsys.readouterr().out
    parts = re.findall(r"^ ?([a-z]+) ", told, re.MULTILINE)
    assert {"installation", "settings", "database"} <= set(parts)
    assert len(parts) == len(set(parts))
