"""Results of long work in one SQLite file: nothing lost, nothing twice, nothing mixed.

A cell with all that came of it is one transaction, so that a process killed at any moment leaves
cells that are whole. The key of a cell is the primary key. The protocol of the first cell is that
of all: other rows are refused.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from ganprior.jobs.cell import Cell, Result
from ganprior.jobs.rows import Row

SCHEMA = """
CREATE TABLE IF NOT EXISTS protocol (field TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS cells (key TEXT PRIMARY KEY, seconds REAL NOT NULL, method TEXT NOT NULL,
    rows TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS data (key TEXT PRIMARY KEY, data BLOB NOT NULL);
"""
_ERRORS = {
    sqlite3.SQLITE_BUSY: "is being written by another process; wait for it, or choose",
    sqlite3.SQLITE_LOCKED: "is being written by another process; wait for it, or choose",
    sqlite3.SQLITE_FULL: "cannot grow, the disk is full; make room, or choose",
    sqlite3.SQLITE_IOERR: "cannot be read or written, the disk fails or is full; choose",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; choose",
    sqlite3.SQLITE_PERM: "cannot be opened; choose",
    sqlite3.SQLITE_READONLY: "cannot be written; choose",
}
# Seconds to wait for another process that is writing.
PATIENCE = 60.0


class Store:
    """Cells that are done, by key.

    Parameters
    ----------
    path : Path
        The SQLite file; made when absent, together with its folder.
    protocol : dict
        All that must agree between two rows: configuration, inputs, versions.

    Raises
    ------
    ValueError
        If the file holds rows of another protocol, with the first differing field in the text,
        or is no results store.
    """

    def __init__(self, path: Path, protocol: dict[str, str]) -> None:
        self.path = path
        self.protocol = protocol
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._connection() as connection:
            connection.executescript(SCHEMA)
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                known = dict(connection.execute("SELECT field, value FROM protocol"))
                self._agree(known or protocol, protocol)
                connection.executemany(
                    "INSERT OR IGNORE INTO protocol VALUES (?, ?)", protocol.items()
                )

    def add(self, result: Result) -> bool:
        """Write a cell with its rows; False where it is there already, and stays as it is.

        Raises
        ------
        ValueError
            If the cell was done by another protocol, or cannot be written.
        """
        self._agree(self.protocol, result.protocol)
        rows = json.dumps(result.rows)
        values = (result.cell.key, result.seconds, result.cell.method, rows)
        with self._connection() as connection, connection:
            done = connection.execute("INSERT OR IGNORE INTO cells VALUES (?, ?, ?, ?)", values)
            if done.rowcount == 1 and result.data:
                connection.execute("INSERT INTO data VALUES (?, ?)", (result.cell.key, result.data))
            return done.rowcount == 1

    def seconds(self) -> dict[str, float]:
        """Seconds that each cell took, by key: the cells that are done.

        Raises
        ------
        ValueError
            If the file cannot be read.
        """
        with self._connection() as connection:
            return dict(connection.execute("SELECT key, seconds FROM cells"))

    def rows(self, cells: Iterable[Cell]) -> list[Row]:
        """Rows of the cells that are done, in the order of ``cells``, all with the same columns.

        Raises
        ------
        ValueError
            If the file cannot be read.
        """
        with self._connection() as connection:
            found = (_entry(connection, "cells", "rows", cell) for cell in cells)
            rows = [row for text in found for row in json.loads(text or "[]")]
        columns = dict.fromkeys(key for row in rows for key in row)
        return [{key: row.get(key, "") for key in columns} for row in rows]

    def data(self, cell: Cell) -> bytes:
        """What else came of a cell that is done; nothing where there was nothing.

        Raises
        ------
        ValueError
            If the file cannot be read.
        """
        with self._connection() as connection:
            return _entry(connection, "data", "data", cell) or b""

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Open the file for a while; whatever SQLite has to say of it is one sentence.

        Raises
        ------
        ValueError
            If the file is damaged or something else, cannot be opened or written, or is in use.
        """
        try:
            with closing(sqlite3.connect(self.path, timeout=PATIENCE)) as connection:
                yield connection
        except (sqlite3.Error, json.JSONDecodeError) as error:
            # The low byte is the kind of an error, the others say more of it.
            kind = getattr(error, "sqlite_errorcode", 0) & 0xFF
            what = _ERRORS.get(kind, "is no results store, or damaged; remove it, or choose")
            raise ValueError(f"{self.path} {what} another folder with --out") from error

    def _agree(self, ours: dict[str, str], theirs: dict[str, str]) -> None:
        for field in dict.fromkeys([*ours, *theirs]):
            if ours.get(field) != theirs.get(field):
                raise ValueError(
                    f"{self.path} holds rows of another protocol: {field} is {ours.get(field)} "
                    f"there and {theirs.get(field)} here; choose another folder with --out, or "
                    "remove the file"
                )


def _entry(connection: sqlite3.Connection, table: str, column: str, cell: Cell) -> Any:
    """Entry of a cell; None where there is none."""
    query = f"SELECT {column} FROM {table} WHERE key = ?"
    found = connection.execute(query, (cell.key,)).fetchone()
    return found and found[0]
