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
import json
import os
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType, TracebackType
from typing import Any, NoReturn, Self

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Values
from fastgrad.errors import InputError
from fastgrad.execution.checkpoint_file import (
    APPLICATION_ID,
    DTYPES,
    ERRORS,
    FORMAT,
    INSERT_CHUNK,
    LARGEST_BLOB,
    OPEN_HERE,
    SCHEMA,
    SELECT_CHUNKS,
    SELECT_DECISIONS,
    SETTINGS,
    checksum_of,
    chunk_of_row,
    examine_header,
    explained,
    file_id,
    is_at,
    make_private,
    our_schema,
    refuse_another_problem,
    schema_of,
    text_of_row,
)
from fastgrad.execution.checkpoint_path import path_of, shown
from fastgrad.execution.same_problem import Contents, differences, differences_within, with_changes
from fastgrad.execution.value_store import Chunk, Decided

COMMIT_SECONDS = 0.2
"""A finished chunk waits at most so long to be committed. In WAL mode with synchronous=NORMAL a commit of one
chunk of 256 bytes took 0.03 ms on average, of 4 kB 0.1 ms, of 64 kB 0.2 ms (ext4 on a virtual disk, with the
moving of pages from the WAL to the file), as much as keeping the chunk itself, and 24 ms at worst. Chunks may
come every few ms from each worker; five commits a second cost nothing that could be seen."""


class Checkpoint:
    """Finished chunks and decisions of one problem, in a file that survives the run.

    It is used by the thread that made it. Chunks are committed together, COMMIT_SECONDS after the last commit
    at the latest (by a timer, if no other chunk comes by then). After `flush`, no timer runs.

    Parameters
    ----------
    path : the file, which is made if it is not there
    identity : what defines the problem, by the user's word for it, as text or as a hash of it
    contents : what its functions and data consisted of before any of them was called
    look : what they consist of now, asked for what the run has changed

    Raises
    ------
    InputError
        For what is no path, and for a file that is of another problem, format or program, in use, damaged, or
        cannot be written; also later, when the disk is full or the file turns out to be damaged.

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

    def __init__(
        self,
        path: str | os.PathLike[str],
        identity: Mapping[str, str],
        contents: Contents = MappingProxyType({}),
        look: Callable[[], Contents] = dict,
    ) -> None:
        self.path = path_of(path)
        self.name = shown(self.path)
        self.seconds = 0.0
        """How long the earlier runs took, all together."""
        self._seal = checksum_of(sorted(identity.items()))
        self._look = look
        self._contents = self._stored = contents
        self._asked: Counter[str] = Counter()
        self._began = self._committed = time.perf_counter()
        self._lock = threading.RLock()  # between the user's thread and the timer's
        self._timer: threading.Timer | None = None
        self._failure: Exception | None = None
        self._closed = False
        self.gone = False
        """Whether the file was found deleted or replaced at the end of the run."""
        with _OPENING:
            examine_header(self.path)
            make_private(self.path)
            self._connection = self._connect()
            try:
                self._place = file_id(self.path)
                with self._database():
                    self._open(dict(identity))
            except BaseException:
                self._connection.close()
                raise
            OPEN_HERE.add(self._place)

    def key(self, kind: str, indices: npt.NDArray[Any], offsets: Values) -> str:
        """The name of a pass: a hash of what it asks for, and how often this run has asked for it before.

        Parameters
        ----------
        kind : what is evaluated
        indices : (m,) flat indices
        offsets : (m, S) displacements
        """
        arrays = [(a.dtype.str, a.shape, a.tobytes()) for a in (indices, offsets)]
        name = checksum_of(kind, *(field for array in arrays for field in array)).hex()
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
            rows = database.execute(f"{SELECT_CHUNKS} WHERE key = ? ORDER BY id", (key,))
            chunks = [chunk_of_row(self._seal, row) for row in rows]
            for _, stop, values in chunks:
                if stop > count or values.shape[1] != points or values.dtype != dtype:
                    raise sqlite3.DatabaseError("a chunk is not of its pass")
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
                f"got {values.dtype} of shape {values.shape} from {start}",
                code="FG914",
            )
        size = max(1, LARGEST_BLOB // max(1, values.shape[1] * values.itemsize))
        with self._database() as database:
            self._begin()
            for first in range(0, len(values), size):
                piece = values[first : first + size]
                data = np.asarray(piece, dtype=DTYPES[values.dtype.name]).tobytes()
                row = (key, start + first, *piece.shape, values.dtype.name, data)
                database.execute(INSERT_CHUNK, (*row, checksum_of(self._seal, *row)))
            self._commit_soon()

    def remember(self, name: str, compute: Callable[[], Decided]) -> Decided:
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
            row = database.execute(f"{SELECT_DECISIONS} WHERE name = ?", (name,)).fetchone()
            if row is not None:
                known: Decided = text_of_row(self._seal, row)
                return known
        text = json.dumps(compute())
        with self._database() as database:
            self._begin()
            checksum = checksum_of(self._seal, name, text)
            database.execute("INSERT INTO decisions VALUES (?, ?, ?)", (name, text, checksum))
            self._commit()
        decided: Decided = json.loads(text)
        return decided

    def note_changes(self) -> None:
        """Leave out of later comparisons what has changed since the run began, such as counters and caches.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        stored = with_changes(self._stored, self._contents, self._look())
        if stored != self._stored:
            with self._database():
                self._begin()
                self._write_meta("contents", json.dumps(stored))
                self._commit()
            self._stored = stored

    def refuse(self, why: str) -> NoReturn:
        """Let the file go as it was found.

        Raises
        ------
        InputError
            That says why the file is of no use.
        """
        self._let_go()
        raise InputError(f"{self.name}: {why}: use another file or delete it", code="FG913")

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
        try:
            self.flush()
            self.note_changes()
            with self._database() as database:
                # Closing would do it too, but would not say if it failed.
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self.gone = not is_at(self.path, self._place)
        finally:
            self._let_go()

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

    def _let_go(self) -> None:
        with self._lock:
            timer, self._timer = self._timer, None
            self._closed = True
            self._connection.close()
        if timer is not None:
            timer.cancel()
        OPEN_HERE.discard(self._place)

    def _connect(self) -> sqlite3.Connection:
        try:
            # The timer commits from its own thread, under the lock.
            return sqlite3.connect(self.path, timeout=0, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise explained(self.path, error) from error

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
                raise explained(self.path, error) from error

    def _open(self, identity: dict[str, str]) -> None:
        """Take the lock; check what is there, or make it."""
        database = self._connection
        for setting in SETTINGS:
            database.execute(f"PRAGMA {setting}").fetchall()
        database.execute("BEGIN EXCLUSIVE")
        found = bool(schema_of(database))
        if found:
            self._check(identity)
        else:
            database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            database.execute(f"PRAGMA user_version = {FORMAT}")
        database.execute("COMMIT")
        database.execute("PRAGMA journal_mode=WAL").fetchall()
        if not found:
            self._make(identity)

    def _make(self, identity: dict[str, str]) -> None:
        """The tables, in one transaction of their own: a file that has any has all of them."""
        self._begin()
        for statement in SCHEMA:
            self._connection.execute(statement)
        self._write_meta("identity", json.dumps(identity))
        self._write_meta("contents", json.dumps(dict(self._contents)))
        self._commit()

    def _check(self, identity: dict[str, str]) -> None:
        """Refuse what is not a whole checkpoint of this problem; nothing is written."""
        database = self._connection
        if schema_of(database) != our_schema():
            raise sqlite3.DatabaseError("its tables are not those of a checkpoint")
        (verdict,) = database.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        rows = database.execute("SELECT name, value, checksum FROM meta").fetchall()
        meta = {row[0]: text_of_row(b"", row) for row in rows}
        stored, contents, seconds = (meta.get(name) for name in ("identity", "contents", "seconds"))
        if not isinstance(stored, dict) or not isinstance(contents, dict) or not isinstance(seconds, float):
            raise sqlite3.DatabaseError("the identity or the time is missing")
        refuse_another_problem(
            self.path, [*differences(stored, identity), *differences_within(contents, self._contents)]
        )
        self.seconds, self._stored = seconds, contents
        for row in database.execute(SELECT_DECISIONS):
            text_of_row(self._seal, row)
        for row in database.execute(SELECT_CHUNKS):
            chunk_of_row(self._seal, row)

    def _write_meta(self, name: str, text: str) -> None:
        row = (name, text, checksum_of(b"", name, text))
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
                if not self._closed and self._connection.in_transaction:
                    self._commit()
            except ERRORS as error:
                self._failure = error


_OPENING = threading.Lock()
