"""The embedded PostgreSQL: one server a data folder, shared by processes, on a unix socket, gone when unused."""

from thetaline.db.embedded.server import Lease, ServerStatus, lease, psql, reset, start, status, stop, url

__all__ = ["Lease", "ServerStatus", "lease", "psql", "reset", "start", "status", "stop", "url"]
