"""A demo that is killed in any of its steps is gone on with, and is complete only after the last."""

import pytest
from processes import kill, start, wait, writes_stopped

from thetaline.jobs.demo import main
from waiting import waits_for_a_lock

SIZE = ("--learners", "110")
# What each step waits for that the steps before it have written already, or leave alone; the last two are of step 5.
STEPS = ("question", "item_param", "question", "item_param", "topic_ability", "weekly_kpi")


def test_a_demo_that_is_killed_in_every_step_ends_as_one_that_never_was(demo, rows, database, tmp_path):
    log = tmp_path / "demo.log"
    for table in STEPS:
        with writes_stopped(database, table):
            process = start(main, SIZE, database, log)
            wait(process, log, waits_for_a_lock(database))
            kill(process)
        assert rows("select count(*) from weekly_kpi") == [(0,)]
    code, found, told = demo("--learners", "300")  # its size is that of the school that was begun
    assert (code, found["status"]) == (0, "done"), told
    assert rows(
        "select count(*) from weekly_kpi where kpis ? 'I_t' and week_start = (select max(week_start) from weekly_kpi)"
    ) == [(found["indicators"]["n_with_i_t"],)]
    assert demo()[1]["status"] == "already_done"

    name = rows("select current_database()")[0][0]
    _, undisturbed, _ = demo("--fresh", "--confirm", name, *SIZE)
    for measure in ("constants", "a", "b", "theta", "anchors"):
        assert found[measure] == undisturbed[measure]
    assert found["indicators"] == pytest.approx(undisturbed["indicators"])  # sums in the order of the rows
