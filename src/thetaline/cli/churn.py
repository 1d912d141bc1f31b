"""`thetaline churn`: who is likeliest to fall silent?"""

from typing import Annotated, Any

import typer

from thetaline.cli.weekly import Asked, CsvOption, LimitOption, UserOption, show
from thetaline.errors import InputError
from thetaline.jobs.churn.report import ACCURACY, RISKS
from thetaline.jobs.command_line import DateOption

HEAD = ("learner", "risk", "hazard to the mean", "higher than", "by")
ACCURACY_HEAD = ("of", "learner-weeks", "silent", "AUC", "Brier", "log-loss", "calibration slope", "intercept")
app = typer.Typer(add_completion=False)


@app.command()
def churn(
    accuracy: Annotated[bool, typer.Option("--accuracy", help="How good it was on weeks held out, by group.")] = False,
    user: UserOption = None,
    date: DateOption = None,
    most: LimitOption = 50,
    csv_file: CsvOption = None,
) -> None:
    """Show the risk of each learner to fall silent, the highest first, or how good the risks were. For staff."""
    if accuracy and user:
        raise InputError("--accuracy is of groups; leave out --user")
    asked = Asked(date, user, most, csv_file)
    if accuracy:
        show(ACCURACY, asked, what="risks", head=ACCURACY_HEAD, cells=_accuracy)
    else:
        show(RISKS, asked, what="risks", head=HEAD, cells=_risk)


def _risk(row: dict[str, Any]) -> list[object]:
    percentile = f"{row['rank_percentile']:.0f} %"
    return [row["user_id"], f"{row['risk']:.1%}", f"{row['hazard_ratio']:.2f}", percentile, row["in_force"]]


def _accuracy(row: dict[str, Any]) -> list[object]:
    numbers = [row[name] for name in ("auc", "brier", "log_loss", "slope", "intercept")]
    return [row["of"], row["n"], row["n_silent"], *(None if one is None else f"{one:.3f}" for one in numbers)]
