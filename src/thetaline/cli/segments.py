"""`thetaline segments`: who learns how?"""

from typing import Any

import typer

from thetaline.cli.weekly import Asked, CsvOption, LimitOption, UserOption, show
from thetaline.jobs.command_line import DateOption
from thetaline.jobs.segments.report import REPORT

HEAD = ("learner", "segment", "", "", "features")
app = typer.Typer(add_completion=False)


@app.command()
def segments(
    user: UserOption = None, date: DateOption = None, most: LimitOption = 50, csv_file: CsvOption = None
) -> None:
    """Show the segment of each learner with the features behind it, the largest segment first. For staff."""
    show(REPORT, Asked(date, user, most, csv_file), what="segments", head=HEAD, cells=_cells)


def _cells(row: dict[str, Any]) -> list[object]:
    return list(row.values())
