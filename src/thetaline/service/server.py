"""Run the service: where it may listen, how many files it may open, how it stops."""

import asyncio
import gc
import ipaddress
import resource
import socket
import sys
from collections.abc import Callable
from typing import Any

import psycopg
import uvicorn
from fastapi import FastAPI
from threadpoolctl import threadpool_limits

from thetaline import logs
from thetaline.db import connect
from thetaline.db.tokens import active_tokens, any_token
from thetaline.errors import DatabaseError, SettingsError
from thetaline.jobs.runner import prepare_database
from thetaline.service.app import create_app
from thetaline.service.services import Services
from thetaline.service.uvicorn_protocol import bounded_protocol
from thetaline.settings import Settings

SPARE_FILES = 256  # for the database, the fit processes, bodies on disk
KEEP_ALIVE_SECS = 15
BACKLOG = 4096
COLLECT_EVERY = 100_000  # new objects
# A thread that computes keeps the interpreter for 5 ms by default, and the loop waits as long at each of its own calls.
SWITCH_SECS = 0.0005
log = logs.get_logger(__name__)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C; requests under way are then finished. Raises SettingsError for an open door."""
    logs.configure()
    anonymous = is_loopback(settings.service_host)
    if not anonymous:
        require_tokens(settings)
    elif not has_tokens(settings, any_token):
        log.warning("no token exists: every local caller is served; `thetaline tokens create` closes the door")
    app = create_app(settings, anonymous=anonymous)
    config = uvicorn.Config(
        app,
        host=settings.service_host,
        port=settings.service_port,
        http=bounded_protocol(
            header_timeout_secs=settings.service_header_timeout_secs, max_connections=_connections(settings)
        ),
        ws="none",
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECS,
        timeout_graceful_shutdown=max(1, round(settings.service_shutdown_secs)),
        access_log=False,
        server_header=False,
        log_config=None,
    )
    _tune()
    StoppingServer(config, app).run()


class StoppingServer(uvicorn.Server):
    """Gives large fits back as soon as it is told to stop, beside the requests that it lets finish: another replica
    may have them meanwhile, and no new one is taken up."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        """`app` is the one that `config` serves."""
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does it, with the jobs first."""
        services: Services = self._app.state.services
        giving_back = asyncio.create_task(services.runner.close())
        await super().shutdown(sockets)
        await giving_back


def _tune() -> None:
    sys.setswitchinterval(SWITCH_SECS)
    # Scores in this process are small: a second BLAS thread would only spin; fits have their own processes.
    threadpool_limits(1)
    # A body of 40,000 answers is as many objects: the collector would walk the whole application for each.
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY, 20, 50)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address. Raises SettingsError for a host that is none."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise SettingsError(f"SERVICE_HOST is {host!r}; it must be an address of this machine ({error})") from None
    return all(ipaddress.ip_address(one[4][0]).is_loopback for one in found)


def require_tokens(settings: Settings) -> None:
    """Raise SettingsError where everybody would be kept out, or in."""
    if not has_tokens(settings):
        raise SettingsError(
            f"SERVICE_HOST is {settings.service_host!r}, which others can reach, and no token exists; "
            "create one (`thetaline tokens create`) or set R_IRT_INTERNAL_TOKEN, or listen on 127.0.0.1"
        )


def has_tokens(settings: Settings, look: Callable[[psycopg.Connection[Any]], object] = active_tokens) -> bool:
    """Whether a token is in force: R_IRT_INTERNAL_TOKEN, or what `look` finds in the database."""
    if settings.r_irt_internal_token is not None:
        return True
    try:
        with connect(settings.database_url or prepare_database(settings)) as conn:
            return bool(look(conn))
    except (DatabaseError, psycopg.Error):
        return False


def _connections(settings: Settings) -> int:
    """As many as the setting says, and as files may be open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.service_max_connections + SPARE_FILES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, min(settings.service_max_connections, soft - SPARE_FILES))
