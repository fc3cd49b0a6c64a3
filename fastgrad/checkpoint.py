"""Finished evaluations in a file, so that a killed run goes on where it was.

A check asks for passes: (indices (m,), offsets (m, S)) -> values (m, S), computed in chunks. What comes next
depends on nothing but values and a few remembered decisions, so a run that is started again asks for the same
passes in the same order, finds their chunks under the same keys, bit for bit, and computes what is missing.

The file is an SQLite database of numbers and text: nothing in it is ever run. Every row carries a checksum,
for values and decisions mixed with the identity of the problem, so that neither a damaged row nor one
of another problem is taken. Checksums are for accidents: whoever forges a file can forge them too.

While a run goes on, and after it was killed, SQLite keeps a second file beside it, named like it with "-wal";
the two belong together. A run that ends, by an error too, leaves the one file (unless the disk is full).
SQLite's lock is lost if the same process opens the file in another way and closes it, so nothing here does.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import stat
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt

from fastgrad.errors import InputError

COMMIT_SECONDS = 0.2
"""A finished chunk waits at most so long to be committed. In WAL mode with synchronous=NORMAL a commit of one
chunk of 256 bytes took 0.03 ms on average, of 4 kB 0.1 ms, of 64 kB 0.2 ms (ext4 on a virtual disk, with the
moving of pages from the WAL to the file), as much as keeping the chunk itself, and 24 ms at worst. Chunks may
come every few ms from each worker; five commits a second cost nothing that could be seen."""

APPLICATION_ID = 0x66676370
"""What tells our files from other SQLite databases: "fgcp" in ASCII."""

FORMAT = 1
"""The version of the file's layout; a file of another one is refused."""

LARGEST_BLOB = 1 << 26
"""Bytes of values in one row at most, or one coordinate: SQLite's limit is 10^9, and a row is read whole."""

HEADER_BYTES = 100
"""The size of the header of an SQLite file, by its file format."""

READABLE = ("options", "fastgrad")
"""Entries of an identity that are quoted where they differ: the others are hashes."""

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
INACCESSIBLE = (
    "this checkpoint cannot be read or written: see to the permissions and the disk, or use another file"
)
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

Values = npt.NDArray[Any]  # float64 or complex128
Chunk = tuple[int, int, Values]
"""(start, stop, values (stop - start, S)) of a pass; the values are read-only."""

Decision = TypeVar("Decision")


class NoCheckpoint:
    """The twin for a run without a file: nothing is found, nothing is kept."""

    resumed = False
    seconds = 0.0
    reused = 0

    def key(self, kind: str, indices: npt.NDArray[Any], offsets: Values) -> str:
        """The same for every pass: there is nothing to tell apart."""
        del indices, offsets
        return kind

    def finished(self, key: str, count: int, points: int, dtype: npt.DTypeLike) -> list[Chunk]:
        """No chunks."""
        del key, count, points, dtype
        return []

    def store(self, key: str, start: int, values: Values) -> None:
        """Nothing is kept."""

    def remember(self, name: str, compute: Callable[[], Decision]) -> Decision:
        """What compute() says, each time."""
        del name
        return compute()

    def flush(self) -> None:
        """Nothing is to be done."""

    def close(self) -> None:
        """Nothing is to be done."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is to be done."""


class Checkpoint:
    """Finished chunks and decisions of one problem, in a file that survives the run.

    It is used by the thread that made it. Chunks are committed together, COMMIT_SECONDS after the last commit
    at the latest (by a timer, if no other chunk comes by then). After `flush`, no timer runs.

    Parameters
    ----------
    path : the file, which is made if it is not there
    identity : what defines the problem, by the user's word for it, as text or as a hash of it

    Raises
    ------
    InputError
        For a file that is of another problem, format or program, in use, damaged, or cannot be written; also
        later, when the disk is full or the file turns out to be damaged.

    Examples
    --------
    >>> import tempfile
    >>> indices, offsets = np.arange(3), np.full((3, 1), 1e-5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Checkpoint(f"{folder}/run", {"options": "seed=0"}) as first:
    ...         first.store(first.key("values", indices, offsets), 1, np.array([[0.25], [0.5]]))
    ...     with Checkpoint(f"{folder}/run", {"options": "seed=0"}) as second:
    ...         second.finished(second.key("values", indices, offsets), 3, 1, np.float64)
    [(1, 3, array([[0.25],
           [0.5 ]]))]
    """

    def __init__(self, path: str | os.PathLike[str], identity: Mapping[str, str]) -> None:
        self.path = Path(path).absolute()  # so that ":memory:" and "file:..." are names like others
        self.resumed = False
        """Whether an earlier run has left something in the file."""
        self.seconds = 0.0
        """How long the earlier runs took, all together."""
        self.reused = 0
        """How many values were taken from the file, so far."""
        self._seal = _checksum(sorted(identity.items()))
        self._asked: Counter[str] = Counter()
        self._began = self._committed = time.perf_counter()
        self._lock = threading.RLock()  # between the user's thread and the timer's
        self._timer: threading.Timer | None = None
        self._failure: Exception | None = None
        self._closed = False
        with _OPENING:
            _look(self.path)
            self._connection = self._connect()
            try:
                self._place = _place(self.path)
                with self._database():
                    self.resumed = self._open(dict(identity))
            except BaseException:
                self._connection.close()
                raise
            _IN_USE.add(self._place)

    def key(self, kind: str, indices: npt.NDArray[Any], offsets: Values) -> str:
        """The name of a pass: a hash of what it asks for, and how often this run has asked for it before.

        Parameters
        ----------
        kind : what is evaluated
        indices : (m,) flat indices
        offsets : (m, S) displacements
        """
        arrays = [(a.dtype.str, a.shape, a.tobytes()) for a in (indices, offsets)]
        name = _checksum(kind, *(field for array in arrays for field in array)).hex()
        self._asked[name] += 1
        return f"{name}:{self._asked[name] - 1}"

    def finished(self, key: str, count: int, points: int, dtype: npt.DTypeLike) -> list[Chunk]:
        """The chunks of a pass that are in the file, in the order they were stored; they may overlap.

        Parameters
        ----------
        key : the name of the pass
        count, points : the shape (m, S) of its values
        dtype : float64 or complex128

        Raises
        ------
        InputError
            For a row that is damaged, or that is not of this shape and dtype.
        """
        with self._database() as database:
            rows = database.execute(f"{_CHUNKS} WHERE key = ? ORDER BY id", (key,))
            chunks = [_chunk(self._seal, row) for row in rows]
            covered = np.zeros(count, dtype=np.bool_)
            for start, stop, values in chunks:
                if stop > count or values.shape[1] != points or values.dtype != dtype:
                    raise sqlite3.DatabaseError("a chunk is not of its pass")
                covered[start:stop] = True
        self.reused += int(covered.sum()) * points
        return chunks

    def store(self, key: str, start: int, values: Values) -> None:
        """Keep a finished chunk.

        Parameters
        ----------
        key : the name of the pass
        start : the first of its coordinates
        values : (k, S), float64 or complex128

        Raises
        ------
        InputError
            For values of another dtype or shape, and if the file cannot be written.
        """
        if values.dtype.name not in DTYPES or values.ndim != 2 or start < 0:
            raise InputError(
                f"a checkpoint keeps values (k, S) of {' or '.join(DTYPES)} from a start of 0 or more; "
                f"got {values.dtype} of shape {values.shape} from {start}"
            )
        size = max(1, LARGEST_BLOB // max(1, values.shape[1] * values.itemsize))
        with self._database() as database:
            self._begin()
            for first in range(0, len(values), size):
                piece = values[first : first + size]
                data = np.asarray(piece, dtype=DTYPES[values.dtype.name]).tobytes()
                row = (key, start + first, *piece.shape, values.dtype.name, data)
                database.execute(_NEW_CHUNK, (*row, _checksum(self._seal, *row)))
            self._commit_soon()

    def remember(self, name: str, compute: Callable[[], Decision]) -> Decision:
        """A decision that depends on timing: what the file says, else what compute() says, from now on.

        Parameters
        ----------
        name : of the decision, another one for each
        compute : makes it, as what JSON holds: numbers, text, lists and the like. The answer is what JSON
            gives back, the first time too, so that all runs get the same: floats bit for bit (any NaN is
            Python's), a list for a tuple

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        with self._database() as database:
            row = database.execute(f"{_DECISIONS} WHERE name = ?", (name,)).fetchone()
            if row is not None:
                known: Decision = _parsed(self._seal, row)
                return known
        text = json.dumps(compute())
        with self._database() as database:
            self._begin()
            checksum = _checksum(self._seal, name, text)
            database.execute("INSERT INTO decisions VALUES (?, ?, ?)", (name, text, checksum))
            self._commit()
        decided: Decision = json.loads(text)
        return decided

    def flush(self) -> None:
        """Commit all chunks, and the seconds; no timer runs afterwards.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        with self._lock:
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            timer.join()
        with self._database():
            self._begin()
            self._commit()

    def close(self) -> None:
        """Commit all chunks, leave one file and let it go; a second time does nothing.

        Raises
        ------
        InputError
            If the file cannot be written; it is let go nevertheless.
        """
        if self._closed:
            return
        self._closed = True
        try:
            self.flush()
            with self._database() as database:
                # Closing would do it too, but would not say if it failed.
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            with self._lock:
                self._connection.close()
            _IN_USE.discard(self._place)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close; an error of the run is the one that is seen, not that of closing after it."""
        try:
            self.close()
        except InputError:
            if error is None:
                raise

    def _connect(self) -> sqlite3.Connection:
        try:
            # The timer commits from its own thread, under the lock.
            return sqlite3.connect(self.path, timeout=0, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise _explained(self.path, error) from error

    @contextlib.contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one thread at a time, with errors in the user's words."""
        with self._lock:
            try:
                if self._failure is not None:
                    raise self._failure
                yield self._connection
            except sqlite3.ProgrammingError:
                raise  # used after it was closed
            except ERRORS as error:
                raise _explained(self.path, error) from error

    def _open(self, identity: dict[str, str]) -> bool:
        """Take the lock; check what is there, or make it: whether anything was."""
        database = self._connection
        for setting in SETTINGS:
            database.execute(f"PRAGMA {setting}").fetchall()
        database.execute("BEGIN EXCLUSIVE")
        found = bool(_schema_of(database))
        if found:
            self._check(identity)
        else:
            database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            database.execute(f"PRAGMA user_version = {FORMAT}")
        database.execute("COMMIT")
        database.execute("PRAGMA journal_mode=WAL").fetchall()
        if not found:
            self._make(identity)
        return found

    def _make(self, identity: dict[str, str]) -> None:
        """The tables, in one transaction of their own: a file that has any has all of them."""
        self._begin()
        for statement in SCHEMA:
            self._connection.execute(statement)
        self._write_meta("identity", json.dumps(identity))
        self._commit()

    def _check(self, identity: dict[str, str]) -> None:
        """Refuse what is not a whole checkpoint of this problem; nothing is written."""
        database = self._connection
        if _schema_of(database) != _our_schema():
            raise sqlite3.DatabaseError("its tables are not those of a checkpoint")
        (verdict,) = database.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        rows = database.execute("SELECT name, value, checksum FROM meta").fetchall()
        meta = {row[0]: _parsed(b"", row) for row in rows}
        stored, seconds = meta.get("identity"), meta.get("seconds")
        if not isinstance(stored, dict) or not isinstance(seconds, float):
            raise sqlite3.DatabaseError("the identity or the time is missing")
        _compare(self.path, stored, identity)
        self.seconds = seconds
        for row in database.execute(_DECISIONS):
            _parsed(self._seal, row)
        for row in database.execute(_CHUNKS):
            _chunk(self._seal, row)

    def _write_meta(self, name: str, text: str) -> None:
        row = (name, text, _checksum(b"", name, text))
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", row)

    def _begin(self) -> None:
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN")

    def _commit(self) -> None:
        now = time.perf_counter()
        self._write_meta("seconds", json.dumps(self.seconds + now - self._began))
        self._connection.execute("COMMIT")
        self._committed = now

    def _commit_soon(self) -> None:
        """Commit if the last time was long ago, else leave it to a timer: the next chunk may take hours."""
        wait = self._committed + COMMIT_SECONDS - time.perf_counter()
        if wait <= 0:
            self._commit()
        elif self._timer is None:
            self._timer = threading.Timer(wait, self._commit_late)
            self._timer.daemon = True
            self._timer.start()

    def _commit_late(self) -> None:
        """In the timer's thread; an error is kept for whoever comes next."""
        with self._lock:
            self._timer = None
            try:
                if self._connection.in_transaction:
                    self._commit()
            except ERRORS as error:
                self._failure = error


_DECISIONS = "SELECT name, value, checksum FROM decisions"
_CHUNKS = "SELECT key, start, length, points, dtype, data, checksum FROM chunks"
_NEW_CHUNK = (
    "INSERT INTO chunks (key, start, length, points, dtype, data, checksum) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_FOREIGN = "this file is there already and is not a checkpoint of fastgrad: use another name"

_OPENING = threading.Lock()
_IN_USE: set[tuple[int, int]] = set()
"""The files that this process has open. Looking at one of them would end SQLite's lock on it: a process that
closes a file loses all locks that it has on it (POSIX)."""


def _place(path: Path) -> tuple[int, int]:
    """Which file it is, whatever it is called."""
    status = path.stat()
    return status.st_dev, status.st_ino


def _look(path: Path) -> None:
    """Refuse what is no checkpoint by its header, before SQLite touches it; an empty file may become one."""
    try:
        if not path.exists():
            if not path.parent.is_dir():
                raise InputError(f"{path}: there is no folder {path.parent} for this checkpoint")
            return
        if not stat.S_ISREG(path.stat().st_mode):
            raise InputError(f"{path}: a checkpoint is a file, and this is a folder or a device")
        if _place(path) in _IN_USE:
            raise InputError(f"{path}: {IN_USE}")
        with path.open("rb") as file:
            header = file.read(HEADER_BYTES)
    except OSError as error:
        raise InputError(f"{path}: {INACCESSIBLE} ({error.strerror})") from error
    if header:
        _check_header(path, header)


def _check_header(path: Path, header: bytes) -> None:
    application, version = (int.from_bytes(header[at : at + 4], "big") for at in (68, 60))
    if header[:16] != b"SQLite format 3\0" or application != APPLICATION_ID:
        raise InputError(f"{path}: {_FOREIGN}")
    if version != FORMAT:
        raise InputError(
            f"{path}: this checkpoint is of format {version}, and this fastgrad knows format {FORMAT} only: "
            "use another file or delete it"
        )


def _schema_of(database: sqlite3.Connection) -> list[tuple[str, str, str, str]]:
    return database.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid").fetchall()


def _our_schema() -> list[tuple[str, str, str, str]]:
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        for statement in SCHEMA:
            database.execute(statement)
        return _schema_of(database)


def _compare(path: Path, stored: dict[str, str], given: dict[str, str]) -> None:
    """InputError if two identities differ: in which entries, in the user's words."""
    names = [name for name in {**given, **stored} if stored.get(name) != given.get(name)]
    if names:
        differences = ", ".join(_difference(name, stored.get(name), given.get(name)) for name in names)
        raise InputError(
            f"{path}: this checkpoint is of another problem: {differences}: use another file or delete it"
        )


def _difference(name: str, stored: str | None, given: str | None) -> str:
    what = "the fastgrad version" if name == "fastgrad" else f"the {name}"
    verb = "differ" if name.endswith("s") else "differs"
    quoted = f" ({stored!r} there, {given!r} now)" if name in READABLE else ""
    return f"{what} {verb}{quoted}"


def _checksum(*fields: object) -> bytes:
    """16 bytes that tell these fields from all others, of other types too."""
    sum_of_all = hashlib.blake2b(digest_size=16)
    for field in fields:
        data = field if isinstance(field, bytes) else repr(field).encode()
        sum_of_all.update(b"%d%s:" % (len(data), b"b" if isinstance(field, bytes) else b""))
        sum_of_all.update(data)
    return sum_of_all.digest()


def _chunk(seal: bytes, row: tuple[Any, ...]) -> Chunk:
    """(start, stop, values) of a row of the file, if it is whole."""
    *fields, checksum = row
    if checksum != _checksum(seal, *fields):
        raise sqlite3.DatabaseError("a checksum of values is wrong")
    _, start, length, points, dtype, data = fields
    counts = all(isinstance(number, int) and number >= 0 for number in (start, length, points))
    known = dtype in DTYPES and isinstance(data, bytes)
    if not counts or not known or len(data) != length * points * np.dtype(dtype).itemsize:
        raise sqlite3.DatabaseError("a chunk is not of its shape")
    values = np.frombuffer(data, dtype=DTYPES[dtype]).reshape(length, points)
    return start, start + length, values.astype(dtype, copy=False)


def _parsed(seal: bytes, row: tuple[Any, ...]) -> Any:
    """What a row (name, JSON text, checksum) says, if it is whole."""
    name, text, checksum = row
    if checksum != _checksum(seal, name, text):
        raise sqlite3.DatabaseError("a checksum of text is wrong")
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise sqlite3.DatabaseError("a text is not JSON") from error


def _explained(path: Path, error: Exception) -> InputError:
    """What went wrong, and what to do about it."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF  # without what SQLite adds to it
    return InputError(f"{path}: {TROUBLE.get(code, DAMAGED)} ({error})")
