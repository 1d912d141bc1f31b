"""The typed client of the service: `Client` blocks, `AsyncClient` awaits; both speak `thetaline.api`."""

from thetaline.client.asynchronous import AsyncClient
from thetaline.client.retries import Retries
from thetaline.client.synchronous import Client
from thetaline.errors import ServiceError

__all__ = ["AsyncClient", "Client", "Retries", "ServiceError"]
