"""The SQLite file of a checkpoint: its tables, its checksums, and what SQLite's errors mean to a user."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastgrad.errors import InputError
from fastgrad.execution.checkpoint_path import INACCESSIBLE, inaccessible, require_usable, shown
from fastgrad.execution.value_store import Chunk

APPLICATION_ID = 0x66676370
"""What tells our files from other SQLite databases: "fgcp" in ASCII."""

FORMAT = 2
"""The version of the file's layout; a file of another one is refused."""

LARGEST_BLOB = 1 << 26
"""Bytes of values in one row at most, or one coordinate: SQLite's limit is 10^9, and a row is read whole."""

HEADER_BYTES = 100
"""The size of the header of an SQLite file, by its file format."""

SCHEMA = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT, checksum BLOB) WITHOUT ROWID",
    "CREATE TABLE decisions (name TEXT PRIMARY KEY, value TEXT, checksum BLOB) WITHOUT ROWID",
    "CREATE TABLE chunks (id INTEGER PRIMARY KEY, key TEXT, start INTEGER, length INTEGER, points INTEGER, "
    "dtype TEXT, data BLOB, checksum BLOB)",
    "CREATE INDEX chunks_of_pass ON chunks (key)",
)
"""All that may be in the file. SQLite keeps the text, and it is compared to the letter: a trigger of somebody
else's would run when we write."""

SETTINGS = ("trusted_schema=OFF", "cell_size_check=ON", "locking_mode=EXCLUSIVE", "synchronous=NORMAL")
"""Set before the file is first read: trust nothing in it, keep the lock, sync only when pages move from the
WAL to the file (a commit then survives the end of the process; when the machine fails, the last ones may be
lost, but the file stays whole)."""

DTYPES = {"float64": "<f8", "complex128": "<c16"}
"""What values may be, by NumPy's name, and how they lie in the file."""

DAMAGED = "this checkpoint is damaged: delete it and start again"
IN_USE = "another run is using this checkpoint: wait for it, or use another file"
FULL = "the disk is full: make room and run again; what was kept before is still there"

TROUBLE = {
    sqlite3.SQLITE_BUSY: IN_USE,
    sqlite3.SQLITE_LOCKED: IN_USE,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_IOERR: INACCESSIBLE,
    sqlite3.SQLITE_PERM: INACCESSIBLE,
    sqlite3.SQLITE_CANTOPEN: INACCESSIBLE,
    sqlite3.SQLITE_READONLY: INACCESSIBLE,
}
"""What an error of SQLite means to a user, by its code; any other one is damage."""

ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What SQLite's calls raise; the second where SQLite's own message quotes text that was damaged."""

SELECT_DECISIONS = "SELECT name, value, checksum FROM decisions"
SELECT_CHUNKS = "SELECT key, start, length, points, dtype, data, checksum FROM chunks"
INSERT_CHUNK = (
    "INSERT INTO chunks (key, start, length, points, dtype, data, checksum) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_FOREIGN = "this file is there already and is not a checkpoint of fastgrad: use another name"

OPEN_HERE: set[tuple[int, int]] = set()
"""The files that this process has open. Looking at one of them would end SQLite's lock on it: a process that
closes a file loses all locks that it has on it (POSIX)."""


def file_id(path: Path) -> tuple[int, int]:
    """Which file it is, whatever it is called."""
    status = path.stat()
    return status.st_dev, status.st_ino


def is_at(path: Path, place: tuple[int, int]) -> bool:
    """Whether it is still that file."""
    try:
        return file_id(path) == place
    except OSError:
        return False


def make_private(path: Path) -> None:
    """Make the file, where there is none, for nobody else to read: values may tell of the user's data.

    SQLite gives the file beside it the same permissions.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise inaccessible(path, error) from error


def examine_header(path: Path) -> None:
    """Refuse what is no checkpoint by its header, before SQLite touches it; an empty file may become one."""
    require_usable(path)
    try:
        if not path.exists():
            return
        if file_id(path) in OPEN_HERE:
            raise InputError(f"{shown(path)}: {IN_USE}", code="FG911")
        with path.open("rb") as file:
            header = file.read(HEADER_BYTES)
    except OSError as error:
        raise inaccessible(path, error) from error
    if header:
        _check_header(path, header)


def _check_header(path: Path, header: bytes) -> None:
    application, version = (int.from_bytes(header[at : at + 4], "big") for at in (68, 60))
    if header[:16] != b"SQLite format 3\0" or application != APPLICATION_ID:
        raise InputError(f"{shown(path)}: {_FOREIGN}", code="FG912")
    if version != FORMAT:
        raise InputError(
            f"{shown(path)}: this checkpoint is of format {version}, and this fastgrad knows format {FORMAT} "
            "only: use another file or delete it",
            code="FG912",
        )


def schema_of(database: sqlite3.Connection) -> list[tuple[str, str, str, str]]:
    """What the file holds: type, name, table and text of each entry, in the order in which they were made."""
    return database.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid").fetchall()


def our_schema() -> list[tuple[str, str, str, str]]:
    """What a whole checkpoint holds, as `schema_of` lists it."""
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        for statement in SCHEMA:
            database.execute(statement)
        return schema_of(database)


def refuse_another_problem(path: Path, differences: Sequence[str]) -> None:
    """InputError if the problem of a file differs from the one that is checked: it says in what."""
    if differences:
        raise InputError(
            f"{shown(path)}: this checkpoint is of another problem: {', '.join(differences)}: "
            "use another file or delete it",
            code="FG913",
        )


def checksum_of(*fields: object) -> bytes:
    """16 bytes that tell these fields from all others, of other types too."""
    sum_of_all = hashlib.blake2b(digest_size=16)
    for field in fields:
        data = field if isinstance(field, bytes) else repr(field).encode()
        sum_of_all.update(b"%d%s:" % (len(data), b"b" if isinstance(field, bytes) else b""))
        sum_of_all.update(data)
    return sum_of_all.digest()


def chunk_of_row(seal: bytes, row: tuple[Any, ...]) -> Chunk:
    """(start, stop, values) of a row of the file, if it is whole."""
    *fields, checksum = row
    if checksum != checksum_of(seal, *fields):
        raise sqlite3.DatabaseError("a checksum of values is wrong")
    _, start, length, points, dtype, data = fields
    counts = all(isinstance(number, int) and number >= 0 for number in (start, length, points))
    known = dtype in DTYPES and isinstance(data, bytes)
    if not counts or not known or len(data) != length * points * np.dtype(dtype).itemsize:
        raise sqlite3.DatabaseError("a chunk is not of its shape")
    values = np.frombuffer(data, dtype=DTYPES[dtype]).reshape(length, points)
    return start, start + length, values.astype(dtype, copy=False)


def text_of_row(seal: bytes, row: tuple[Any, ...]) -> Any:
    """What a row (name, JSON text, checksum) says, if it is whole."""
    name, text, checksum = row
    if checksum != checksum_of(seal, name, text):
        raise sqlite3.DatabaseError("a checksum of text is wrong")
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise sqlite3.DatabaseError("a text is not JSON") from error


def explained(path: Path, error: Exception) -> InputError:
    """What went wrong, and what to do about it."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF  # without what SQLite adds to it
    return InputError(f"{shown(path)}: {TROUBLE.get(code, DAMAGED)} ({error})", code="FG914")
