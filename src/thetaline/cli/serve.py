"""`thetaline serve`: the HTTP service."""

from typing import Annotated

import typer

from thetaline.settings import load

app = typer.Typer(add_completion=False)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; default: SERVICE_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; default: SERVICE_PORT.")] = None,
) -> None:
    """Serve calibration, scoring and reading over HTTP until stopped; the API is documented under /docs."""
    from thetaline.service.server import serve as run  # noqa: PLC0415  --help need not load a web server

    chosen = {"service_host": host, "service_port": port}
    run(load(**{name: value for name, value in chosen.items() if value is not None}))
