"""Where finished values and decisions of a check are kept: in a file, or nowhere.

A `Run` has a `ValueStore`. It is `NoCheckpoint` unless the user names a file; then it is
`checkpoint.Checkpoint`, which needs SQLite and is imported only then.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, NoReturn, Protocol, Self, TypeVar

import numpy.typing as npt

from fastgrad.arrays import Values
from fastgrad.errors import InputError

Chunk = tuple[int, int, Values]
"""(start, stop, values (stop - start, S)) of a pass; the values are read-only."""

Decided = TypeVar("Decided")


class ValueStore(Protocol):
    """Where finished values and decisions are kept while a check runs: in a file, or nowhere.

    A pass is one call of an evaluator: (indices (m,), offsets (m, S)) -> values (m, S), computed in chunks.
    """

    name: str
    """The file, as messages print it."""
    seconds: float
    """How long earlier runs took, all together."""
    gone: bool
    """Whether the file was deleted or replaced while the run went on; known when it has ended."""

    def key(self, kind: str, indices: npt.NDArray[Any], offsets: Values) -> str:
        """The name of a pass."""

    def finished(self, key: str, count: int, points: int, dtype: npt.DTypeLike) -> list[Chunk]:
        """The chunks of a pass that are kept already."""

    def store(self, key: str, start: int, values: Values) -> None:
        """Keep a finished chunk."""

    def remember(self, name: str, compute: Callable[[], Decided]) -> Decided:
        """A decision that depends on timing: what was decided before, else what compute() says."""

    def note_changes(self) -> None:
        """Do not compare, when a run goes on from here, what the check has changed so far."""

    def refuse(self, why: str) -> NoReturn:
        """InputError that says why what is kept cannot be used; it stays as it was found."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class NoCheckpoint:
    """The store of a run without a file: nothing is found, nothing is kept."""

    name = ""
    seconds = 0.0
    gone = False

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

    def remember(self, name: str, compute: Callable[[], Decided]) -> Decided:
        """What compute() says, each time."""
        del name
        return compute()

    def note_changes(self) -> None:
        """There is nothing to compare later."""

    def refuse(self, why: str) -> NoReturn:
        """InputError."""
        raise InputError(why, code="FG913")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is to be done."""
