"""The school's calendar from files: what is taken, what is refused, what an import replaces."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from learners import TODAY, Answer, Connection, connected, context, write_answers

from thetaline import cli, db
from thetaline.errors import FileRowsError, InputError
from thetaline.jobs.kpis import compute
from thetaline.jobs.terms import read_terms
from thetaline.jobs.terms.files import read_periods
from thetaline.learning.term_calendar import PeriodKind

CSV = """first_day,last_day,kind,name
2026-02-16,2026-02-18,holiday,설날 Seollal
2026-09-24,2026-09-26,holiday,추석 Chuseok
2026-07-20,2026-08-16,vacation,"summer, long"
2026-04-20,2026-04-24,exam,midterm
2026-05-05,,Holiday,어린이날
"""
ICS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//school//EN
BEGIN:VEVENT
UID:1
DTSTART;VALUE=DATE:20260216
DTEND;VALUE=DATE:20260219
SUMMARY:설날
CATEGORIES:Public,HOLIDAY
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTART;VALUE=DATE:20260505
SUMMARY:어린이날
CATEGORIES:Public
END:VEVENT
BEGIN:VEVENT
UID:3
DTSTART:20260720T090000Z
DTEND:20260724T000000Z
SUMMARY:camp
CATEGORIES:VACATION
END:VEVENT
END:VCALENDAR
"""


def file(folder: Path, text: str, name: str = "school.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def days(path: Path, **options: Any) -> list[tuple[str, str, str]]:
    return [(str(one.first_day), str(one.last_day), one.kind.value) for one in read_periods(path, **options)]


def test_a_csv_file_gives_its_periods_in_order(tmp_path):
    found = read_periods(file(tmp_path, CSV))
    assert [one.name for one in found] == ["설날 Seollal", "midterm", "어린이날", "summer, long", "추석 Chuseok"]
    assert days(file(tmp_path, CSV))[2] == ("2026-05-05", "2026-05-05", "holiday")


def test_an_icalendar_file_gives_the_same_with_ends_that_are_excluded(tmp_path):
    found = days(file(tmp_path, ICS, "school.ics"), kind=PeriodKind.HOLIDAY)
    assert found == [
        ("2026-02-16", "2026-02-18", "holiday"),
        ("2026-05-05", "2026-05-05", "holiday"),
        ("2026-07-20", "2026-07-23", "vacation"),
    ]


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("day,name\n2026-01-01,x\n", "a.csv", "the header has no first_day; it is first_day,last_day,kind,name"),
        ("first_day,name\n2026-13-01,x\n", "a.csv", "line 2: first_day '2026-13-01' is no date"),
        ("first_day,kind,name\n2026-01-01,holidy,x\n", "a.csv", "line 2: the kind 'holidy' is none of holiday, vaca"),
        ("first_day,name\n2026-01-01,x\n", "a.csv", "the kind '' is none of"),
        ("first_day,last_day,kind,name\n2026-01-02,2026-01-01,exam,x\n", "a.csv", "lies before the first"),
        ("first_day,kind,name\n", "a.csv", "there are no periods in it"),
        ("BEGIN:VEVENT\nEND:VEVENT\n", "a.ics", "this is no iCalendar file"),
        ("first_day,name\n", "a.ics", "this is no iCalendar file"),
        (ICS.replace("SUMMARY:설날", "SUMMARY:설날\nRRULE:FREQ=YEARLY"), "a.ics", "'설날' recurs by a rule"),
        (ICS, "a.ics", "event '어린이날': the kind '' is none of"),
        (ICS.replace("DTSTART;VALUE=DATE:20260505\n", ""), "a.ics", "'어린이날' has no DTSTART"),
        (ICS.replace("20260505", "20260231"), "a.ics", "'어린이날': DTSTART: Wrong date format 20260231"),
        (ICS.replace("20260505", "20260505\nDURATION:-P3000Y"), "a.ics", "'어린이날': DURATION: "),
        (ICS.replace("20260505", "20260505\nDURATION:-P900000D"), "a.ics", "'어린이날' has no single start and end"),
        (ICS.replace("20260505", "20260505\nDTSTART;VALUE=DATE:20260506"), "a.ics", "has no single start and end"),
        ("first_day,kind,name\n2026-05-05,holiday,a\x1bb\n", "a.csv", r"'a\\x1bb' .* has control characters"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_with_the_place(tmp_path, text, name, message):
    with pytest.raises(InputError, match=message):
        read_periods(file(tmp_path, text, name))


def test_all_bad_rows_are_counted_and_the_first_shown(tmp_path):
    rows = "".join(f"2026-99-{number:02},exam,x\n" for number in range(8))
    with pytest.raises(FileRowsError, match=r"8 periods cannot be taken(.|\n)*line 6(.|\n)*and 3 more"):
        read_periods(file(tmp_path, "first_day,kind,name\n" + rows))


def test_an_import_replaces_what_came_from_the_same_source(database, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", database)
    assert cli.main(["calendar", "import", str(file(tmp_path, CSV))]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "source": "school", "n_periods": 5, "n_replaced": 0, "holiday": 3, "vacation": 1, "exam": 1
    }  # fmt: skip
    assert cli.main(["calendar", "import", str(file(tmp_path, ICS, "public.ics")), "--kind", "holiday"]) == 0
    shorter = file(tmp_path, "\n".join(CSV.splitlines()[:2]))
    assert cli.main(["calendar", "import", str(shorter), "--dry-run"]) == 0
    with db.connect(database) as conn:
        assert len(read_terms(conn).periods) == 8
    assert cli.main(["calendar", "import", str(shorter)]) == 0
    with db.connect(database) as conn:
        terms = read_terms(conn)
    assert len(terms.periods) == 4
    assert terms.free_days.size == 3 + 1 + 4
    capsys.readouterr()
    assert cli.main(["calendar"]) == 0
    assert "2026-02-16 – 2026-02-18  holiday   설날 Seollal  (school)" in capsys.readouterr().out


def test_a_file_that_is_not_there_is_bad_input(database, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", database)
    assert cli.main(["calendar", "import", str(tmp_path / "no.csv")]) == 2
    assert "no.csv: cannot be read (No such file or directory)" in capsys.readouterr().err


def test_the_kpis_of_a_day_count_school_days(database):
    with connected(database) as conn:
        write_answers(conn, [Answer(f"u{user}", 1, True, day) for user in range(5) for day in (15, 17, 20, 22, 25)])
        before, unaware = kpis(conn, database, date(2025, 10, 19)), kpis(conn, database, TODAY)
        conn.execute("insert into school_calendar values ('school', '2025-10-20', '2025-11-02', 'vacation', 'autumn')")
        aware = kpis(conn, database, TODAY)
    assert aware["S"] == pytest.approx(before["S"], abs=1e-4)
    assert aware["S"] < unaware["S"] - 0.1
    assert aware["A_t"] > unaware["A_t"] + 0.05


def kpis(conn: Connection, database: str, as_of: date) -> dict[str, float]:
    compute.work(context(conn, database, compute.JOB, as_of=as_of))
    conn.commit()
    query = "select kpis from weekly_kpi where user_id = 'u1' and kpis ->> 'as_of' = %s"
    return dict((conn.execute(query, [str(as_of)]).fetchone() or ({},))[0])
