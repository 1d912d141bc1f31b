"""`thetaline forecast`: what will the coming weeks show, and what was odd in the newest?"""

from typing import Annotated, Any

import typer

from thetaline.cli.weekly import Asked, CsvOption, LimitOption, UserOption, show
from thetaline.jobs.command_line import DateOption
from thetaline.jobs.forecast.report import ANOMALIES, FORECASTS
from thetaline.learning.forecast import Metric

HEAD = ("of", "week", "expected", "80 %", "95 %", "level since", "")
ANOMALY_HEAD = ("of", "week", "metric", "value", "expected", "z", "p")
app = typer.Typer(add_completion=False)


@app.command()
def forecast(
    metric: Annotated[
        Metric | None, typer.Option("--metric", help="What is forecast. Default: theta; of anomalies all four.")
    ] = None,
    odd: Annotated[bool, typer.Option("--anomalies", help="The odd ones of the newest week instead.")] = False,
    user: UserOption = None,
    date: DateOption = None,
    most: LimitOption = 50,
    csv_file: CsvOption = None,
) -> None:
    """Show the coming weeks of everybody, of classrooms and of learners, or what was odd in the newest. For staff."""
    asked, given = Asked(date, user, most, csv_file), None if metric is None else str(metric)
    if odd:
        show(ANOMALIES, asked, what="anomalies", head=ANOMALY_HEAD, cells=_anomaly, may_be_none=True, metric=given)
    else:
        show(FORECASTS, asked, what="forecasts", head=HEAD, cells=_week_ahead, metric=given or str(Metric.THETA))


def _whose(row: dict[str, Any]) -> str:
    if row["user_id"] is not None:
        return str(row["user_id"])
    return "everybody" if row["classroom_id"] is None else f"class {row['classroom_id']}"


def _week_ahead(row: dict[str, Any]) -> list[object]:
    if row["reason"] is not None:
        return [_whose(row), None, None, None, None, None, row["reason"]]
    intervals = [f"{row[f'low_{level}']:.2f} … {row[f'high_{level}']:.2f}" for level in (80, 95)]
    return [_whose(row), row["week_start"], f"{row['mean']:.2f}", *intervals, row["changed_on"], ""]


def _anomaly(row: dict[str, Any]) -> list[object]:
    numbers = [f"{row['value']:.2f}", f"{row['expected']:.2f}", f"{row['anomaly_score']:+.1f}", f"{row['p_value']:.1g}"]
    return [_whose(row), row["week_start"], row["metric"], *numbers]
