"""`thetaline churn`: who is likeliest to fall silent?"""

from typing import Any

import typer

from thetaline.cli.weekly import Asked, CsvOption, LimitOption, UserOption, show
from thetaline.jobs.churn.report import REPORT
from thetaline.jobs.command_line import DateOption

HEAD = ("learner", "risk", "hazard to the mean", "higher than", "by")
app = typer.Typer(add_completion=False)


@app.command()
def churn(user: UserOption = None, date: DateOption = None, most: LimitOption = 50, csv_file: CsvOption = None) -> None:
    """Show the risk of each learner to fall silent, the highest first. For staff."""
    show(REPORT, Asked(date, user, most, csv_file), what="risks", head=HEAD, cells=_cells)


def _cells(row: dict[str, Any]) -> list[object]:
    percentile = f"{row['rank_percentile']:.0f} %"
    return [row["user_id"], f"{row['risk']:.1%}", f"{row['hazard_ratio']:.2f}", percentile, row["in_force"]]
