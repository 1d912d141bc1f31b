"""Weekly reports of a simulated school: seconds and memory for HTML and PDF, and what an unchanged week costs.

`python -m benchmarks.reports [learners] [workers]`: by default 1,000 and 2. The yardstick is the plain time to build
the values: what is above it is rendering and storing.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from thetaline import db
from thetaline.jobs.reports.generate import ReportRequest, work
from thetaline.jobs.reports.read import weekly_reports
from thetaline.jobs.runner import JobContext, prepare_database
from thetaline.learning.school_calendar import SchoolCalendar
from thetaline.learning.windows import last_week_end, monday
from thetaline.reports.policy import ReportOptions
from thetaline.reports.value import Audience, Language
from thetaline.settings import load


def main(learners: int = 1_000, workers: int = 2) -> int:
    with tempfile.TemporaryDirectory(prefix="tl-") as folder:
        os.environ.update(THETALINE_DATA_DIR=folder, REPORT_FOLDER=f"{folder}/of-the-demo")
        command = [str(Path(sys.executable).parent / "thetaline")]
        try:
            subprocess.run([*command, "demo", "--learners", str(learners)], check=True, capture_output=True)
            _measure(Path(folder), workers)
        finally:
            subprocess.run([*command, "db", "stop"], check=False, capture_output=True)  # it may have gone by itself
    return 0


def _measure(folder: Path, workers: int) -> None:
    base, _ = _timed("values alone", _values, n=1)
    for kind in ("html", "pdf"):
        os.environ["REPORT_FOLDER"] = str(folder / kind)
        request = ReportRequest(classes=(), format=kind, workers=workers)
        secs, summary = _timed(kind, _make, request)
        size = sum(path.stat().st_size for path in (folder / kind).rglob("*") if path.is_file())
        made = int(str(summary["made"]))
        print(f"  {made} pages, {1e3 * secs / made:.1f} ms, {size / made / 1e3:.0f} kB; {secs / base:.1f} × the values")
        again, _ = _timed(f"{kind}, nothing changed", _make, request)
        print(f"  {again / base:.1f} × the values")


def _context() -> JobContext:
    settings = load()
    url = prepare_database(settings)
    now = datetime.now(UTC)
    yesterday = (now - timedelta(days=1)).date()
    conn = db.connect(url)
    return JobContext("generate_weekly_report", settings, url, conn, yesterday, now, False)


def _values(n: int) -> dict[str, object]:
    context = _context()
    options = ReportOptions(
        audience=Audience.LEARNER, language=Language.EN, calendar=SchoolCalendar(context.settings.time_zone)
    )
    with context.conn as conn:
        return {
            "values": sum(1 for _ in weekly_reports(conn, monday(last_week_end(context.as_of)), options=options)) * n
        }


def _make(request: ReportRequest) -> dict[str, object]:
    context = _context()
    with context.conn:
        return dict(work(context, request))


def _timed(
    name: str, function: Callable[..., dict[str, object]], *arguments: object, **options: object
) -> tuple[float, dict[str, object]]:
    began = time.monotonic()
    found = function(*arguments, **options)
    secs = time.monotonic() - began
    own, others = (resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(f"{name}: {secs:.1f} s; peak {own:.0f} MB here, {others:.0f} MB in the largest other process", flush=True)
    return secs, found


if __name__ == "__main__":
    raise SystemExit(main(*map(int, sys.argv[1:])))
