"""Millions of rows between PostgreSQL and NumPy arrays, in bounded memory, by COPY."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import asyncpg
import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from thetaline.db.connection import Connection, connect
from thetaline.db.copy_format import BinaryRows, csv_rows
from thetaline.errors import DatabaseError
from thetaline.masking import mask_text

Progress = Callable[[int], object]
ROWS_A_CHUNK = 50_000


def read_columns(
    url: str,
    query: str,
    dtypes: Mapping[str, DTypeLike],
    *,
    parameters: Mapping[str, object] | None = None,
    progress: Progress | None = None,
) -> dict[str, NDArray[Any]]:
    """The result of a query as one array (M,) a column; the names and order of `dtypes` are those of its select list.

    Columns are fixed-width and never null: int16, int32, int64, float32, float64, bool, "datetime64[us]" (timestamptz,
    UTC), "datetime64[D]" (date), "V16" (uuid). `parameters` fill `%(name)s`. `progress` is called with the rows read so
    far. Memory beside the result: one chunk of the stream and one column. Raises `DatabaseError` naming the first row
    that holds a null or another type.
    """
    rows = BinaryRows({name: np.dtype(dtype) for name, dtype in dtypes.items()})
    placed, names = positional(query)
    given = parameters or {}
    connect(url).close()  # waits for a server that starts up, and knows what to say about a refusal
    try:
        asyncio.run(_stream(url, placed, [given[name] for name in names], rows=rows, progress=progress))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DatabaseError(f"{mask_text(url)}: bulk read failed: {mask_text(str(error))}") from error
    columns = rows.columns()
    if progress is not None:
        progress(rows.n_rows)
    return columns


async def _stream(
    url: str, query: str, values: Sequence[object], *, rows: BinaryRows, progress: Progress | None
) -> None:
    async def receive(data: bytes) -> None:
        if rows.feed(data) and progress is not None:
            progress(rows.n_rows)

    conn = await asyncpg.connect(_dsn(url), server_settings={"timezone": "UTC", "application_name": "thetaline read"})
    try:
        await conn.copy_from_query(query, *values, output=receive, format="binary")
    finally:
        await conn.close()


def positional(query: str) -> tuple[str, list[str]]:
    """The query with `$1`, `$2`, … in place of `%(name)s`, and the names in that order."""
    places: dict[str, int] = {}
    placed = re.sub(r"%\((\w+)\)s", lambda found: f"${places.setdefault(found[1], len(places) + 1)}", query)
    return placed.replace("%%", "%"), list(places)


def copy_rows(
    conn: Connection,
    table: str,
    columns: Sequence[str],
    arrays: Sequence[ArrayLike | str],
    *,
    progress: Progress | None = None,
) -> int:
    """Append rows by COPY in the caller's transaction; return how many.

    `arrays` holds one column each: arrays or lists (M,), or one value for every row. None, NaN and NaT are written as
    null; a jsonb column takes JSON text. `progress` is called with the rows sent so far.
    """
    target = sql.SQL("copy {} ({}) from stdin (format csv)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    values = _columns(arrays)
    n_rows = len(values[0])
    with conn.cursor() as cursor, cursor.copy(target) as copy:
        for start in range(0, n_rows, ROWS_A_CHUNK):
            copy.write(csv_rows([column[start : start + ROWS_A_CHUNK] for column in values]))
            if progress is not None:
                progress(min(start + ROWS_A_CHUNK, n_rows))
    return n_rows


def upsert_rows(
    conn: Connection,
    table: str,
    columns: Sequence[str],
    arrays: Sequence[ArrayLike | str],
    *,
    key: Sequence[str],
    keep: bool = False,
    progress: Progress | None = None,
) -> int:
    """Insert rows, or update those whose `key` is there (leave them alone with `keep`); return how many were written.

    The rows go by COPY into a temporary table and from there in one statement, in the order of the key: two writers
    then wait for each other instead of deadlocking. A key may come once only.
    """
    with conn.transaction():
        stage_rows(conn, "upsert_stage", table, columns, arrays, progress=progress)
        written = conn.execute(_upsert_statement(table, columns, key, keep)).rowcount
        conn.execute("drop table upsert_stage")
    return written


def stage_rows(
    conn: Connection,
    stage: str,
    table: str,
    columns: Sequence[str],
    arrays: Sequence[ArrayLike | str],
    *,
    progress: Progress | None = None,
) -> int:
    """Fill a new temporary table `stage`, with these columns as they are in `table`, for a statement of the caller's.

    It is dropped when the transaction ends.
    """
    make = sql.SQL("create temporary table {} on commit drop as select {} from {} with no data")
    conn.execute(
        make.format(
            sql.Identifier(stage), sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier("public", table)
        )
    )
    n_rows = copy_rows(conn, stage, columns, arrays, progress=progress)
    conn.execute(sql.SQL("analyze {}").format(sql.Identifier(stage)))
    return n_rows


def _dsn(url: str) -> str:
    """The URL as asyncpg takes it: it would send libpq's own parameters to the server as settings."""
    given = conninfo_to_dict(url)
    known = {_DSN_NAMES.get(key, key): value for key, value in given.items() if key not in _LIBPQ_ONLY}
    return f"postgresql://?{urlencode(known)}"


_DSN_NAMES = {"dbname": "database"}
_LIBPQ_ONLY = {
    "application_name", "channel_binding", "connect_timeout", "fallback_application_name", "hostaddr", "keepalives",
    "keepalives_count", "keepalives_idle", "keepalives_interval", "load_balance_hosts", "options", "tcp_user_timeout",
}  # fmt: skip


def _upsert_statement(table: str, columns: Sequence[str], key: Sequence[str], keep: bool) -> sql.Composed:
    names, keys = (sql.SQL(", ").join(map(sql.Identifier, part)) for part in (columns, key))
    changed = (
        []
        if keep
        else [sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in columns if name not in key]
    )
    action = sql.SQL("update set {}").format(sql.SQL(", ").join(changed)) if changed else sql.SQL("nothing")
    return sql.SQL(
        "insert into {table} ({names}) select {names} from upsert_stage order by {keys} "
        "on conflict ({keys}) do {action}"
    ).format(table=sql.Identifier("public", table), names=names, keys=keys, action=action)


def _columns(arrays: Sequence[ArrayLike | str]) -> list[NDArray[Any]]:
    """Every column at its full length. Raises `ValueError` for columns of different lengths."""
    found = [np.asarray(values, dtype=object if isinstance(values, list) else None) for values in arrays]
    lengths = {column.size for column in found if column.ndim}
    if len(lengths) != 1:
        raise ValueError(f"columns have lengths {sorted(lengths)}; they must be one")
    return [column if column.ndim else np.broadcast_to(column, lengths.copy().pop()) for column in found]
