"""The number w . F(x) that is differenced: by a plain call, and for many points at a time under jit and vmap.

`Scalar` takes blocks of NumPy and gives numbers of NumPy: no array of jax goes beyond it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from fastgrad.adapters.jax.subject import Arrays, Subject
from fastgrad.arrays import Floats
from fastgrad.engines.batched import BATCH_BYTES, BATCH_ROWS

ROWS = (1, 4, 16, 64)
"""The numbers of points that a compiled batch may have, beside the largest that the engine takes: for each
jax compiles anew. A batch of another number is filled up with copies of its first point. What a batch gives
does not depend on others before it."""

TEMPORARIES = 2**26
"""Bytes of temporaries of one compiled batch, above which it is evaluated in parts one after another."""

Blocks = Mapping[str, npt.NDArray[Any]]


@dataclass(eq=False)
class Scalar:
    """w . F(x) of a subject.

    Parameters
    ----------
    subject : Subject
    weights : w, an array for each output
    double : whether it is evaluated in float64, or in the user's precision
    """

    subject: Subject
    weights: Sequence[Floats]
    double: bool
    _compiled: dict[int, Any] = field(default_factory=dict, init=False, repr=False)
    _lock: Any = field(default_factory=threading.Lock, init=False, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Without what was compiled: another process compiles its own."""
        return self.__dict__ | {"_compiled": {}, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """With a lock of its own."""
        self.__dict__.update(state, _lock=threading.Lock())

    def of(self, arrays: Arrays, data: Arrays) -> Any:
        """w . F, an array of jax without axes; it may be traced."""
        return combined(self.subject.function(arrays, data), self.weights)

    def plain(self, blocks: Blocks) -> Any:
        """w . F at one point, as a number of NumPy, by a call that is not compiled."""
        with self.subject.context(self.double):
            arrays = self.subject.arrays(list(blocks.values()), self.double)
            return np.asarray(self.of(arrays, self.subject.data_in(self.double)))[()]

    def batch(self, blocks: Blocks) -> npt.NDArray[Any]:
        """(k,) w . F at k points; each block has an axis of length k in front."""
        leaves = list(blocks.values())
        count = len(leaves[0])
        rows = self._rows(count)
        # jax may alias these arrays of NumPy: they are not written to before it is done.
        arrays = [_filled(leaf, rows) for leaf in leaves]
        with self.subject.context(self.double):
            data = self.subject.data_in(self.double)
            return np.asarray(self._of_rows(rows, arrays, data)(arrays, data))[:count]

    def compile(self, blocks: Blocks) -> None:
        """Compile the smallest batch and the largest: the time of either is no time of an evaluation."""
        for count in (1, self._rows_of_largest):
            self.batch({name: np.broadcast_to(leaf, (count, *leaf.shape)) for name, leaf in blocks.items()})

    def _rows(self, count: int) -> int:
        """The number of points of the batch for so many."""
        largest = self._rows_of_largest
        return next((r for r in (*(r for r in ROWS if r < largest), largest) if r >= count), count)

    @property
    def _rows_of_largest(self) -> int:
        """The number of points of the largest batch that the engine makes."""
        point_bytes = sum(value.nbytes for value in self.subject.values)
        return int(np.clip(BATCH_BYTES // point_bytes, 1, BATCH_ROWS))

    def _of_rows(self, rows: int, arrays: Arrays, data: Arrays) -> Any:
        with self._lock:
            if rows not in self._compiled:
                self._compiled[rows] = self._compile(rows, arrays, data)
            return self._compiled[rows]

    def _compile(self, rows: int, arrays: Arrays, data: Arrays) -> Any:
        """The compiled batch, in parts where its temporaries would take too much memory."""
        together = jax.jit(lambda a, d: jax.vmap(lambda one: self.of(one, d))(a))
        compiled = together.lower(arrays, data).compile()
        parts = -(-_temporaries(compiled) // TEMPORARIES)
        if parts <= 1 or rows == 1:
            return compiled
        size = max(1, rows // parts)
        in_parts = jax.jit(lambda a, d: jax.lax.map(lambda one: self.of(one, d), a, batch_size=size))
        return in_parts.lower(arrays, data).compile()


def combined(outputs: Arrays, weights: Sequence[Any]) -> Any:
    """The sum of outputs by weights, in the precision of the outputs."""
    terms = [
        jnp.sum(jnp.asarray(w, out.dtype) * out) if np.ndim(w) else jnp.asarray(w, out.dtype) * out
        for w, out in zip(weights, outputs, strict=True)
    ]
    return sum(terms[1:], terms[0])


def _filled(leaf: npt.NDArray[Any], rows: int) -> npt.NDArray[Any]:
    missing = rows - len(leaf)
    return np.concatenate([leaf, np.repeat(leaf[:1], missing, axis=0)]) if missing else leaf


def _temporaries(compiled: Any) -> int:
    """Bytes of temporaries of what was compiled; 0 where its backend does not say."""
    try:
        return int(compiled.memory_analysis().temp_size_in_bytes)
    except Exception:  # not every backend has it
        return 0
