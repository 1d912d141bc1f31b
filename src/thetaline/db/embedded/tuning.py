"""PostgreSQL's settings for one machine that is shared with the calibration."""

import os
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - looked at, not written


def options(sockets: Path) -> dict[str, str]:
    """Settings by name: no TCP, a private socket, UTC, memory for ten million answers beside a calibration."""
    return {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "shared_buffers": f"{min(512, _memory_mb() // 8)}MB",
        "work_mem": "64MB",
        "maintenance_work_mem": "256MB",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "wal_compression": "on",
        "max_connections": "100",
        "jit": "off",  # compiling costs more than our statements gain
        "max_parallel_workers_per_gather": "2" if _shared_memory_mb() >= 512 else "0",
    }


def _memory_mb() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20


def _shared_memory_mb() -> int:
    """Containers often have 64 MB, which parallel hash joins overflow."""
    try:
        found = os.statvfs(SHARED_MEMORY)
    except OSError:
        return 512
    return found.f_frsize * found.f_blocks // 2**20
