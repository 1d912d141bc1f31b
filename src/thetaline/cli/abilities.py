"""`thetaline abilities`: the current θ of learners as CSV."""

from pathlib import Path
from typing import Annotated

import typer

from thetaline import db
from thetaline.cli.tables import output
from thetaline.jobs.abilities.export import export_abilities
from thetaline.jobs.runner import prepare_database
from thetaline.settings import load

app = typer.Typer(add_completion=False)


@app.command()
def abilities(
    topics: Annotated[bool, typer.Option("--topics", help="θ of each learner in each topic.")] = False,
    csv_file: Annotated[Path, typer.Option("--csv", metavar="FILE", help="Write there; - is the output.")] = Path("-"),
) -> None:
    """Export the current θ of every learner with its standard error, as CSV."""
    with db.connect(prepare_database(load()), name="thetaline abilities") as conn, output(csv_file) as file:
        n_abilities = export_abilities(conn, file, by_topic=topics)
    typer.echo(f"{n_abilities} abilities", err=True)
