"""The engine for a cost that takes a batch of parameter vectors (vectorized=True).

Offsets (m, S) go in, values (m, S) come out; on the way the cost gets batches of k perturbed vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgrad.arrays import FloatArray, IndexArray, Values
from fastgrad.engines.base import EngineBase, require_unchanged
from fastgrad.engines.numbers import DOMAIN_ERRORS, epsilon_of
from fastgrad.errors import InputError
from fastgrad.problem.describe import describe
from fastgrad.problem.kinds.registry import to_array

BATCH_BYTES = 4 * 2**20
"""The largest size of a batch, in bytes, for each worker. A batch holds one vector even where that is
larger."""

BATCH_ROWS = 256
"""The largest number of vectors in a batch. With more, the fixed time of a NumPy call no longer matters."""


@dataclass(eq=False, repr=False)
class BatchedEngine(EngineBase):
    """Calls `cost(batch, *args)` with k perturbed copies of the parameters at a time.

    Every array of the parameters gets a leading axis of length k; for a parameter vector of length n
    the batch has shape (k, n). The cost returns shape (k,). k follows from BATCH_BYTES and the number of
    parameters alone, so that values do not depend on where a plan is cut into chunks.

    Parameters
    ----------
    cost : callable(batch, *args) -> (k,)
    parameters, args, dtype : as for EngineBase
    points : evaluations of each coordinate
    """

    points: int = 2

    name = "batched"
    workers = "threads"

    def __post_init__(self) -> None:
        super().__post_init__()
        row_bytes = sum(leaf.nbytes for leaf in self.parameters.leaves)
        self.rows = int(np.clip(BATCH_BYTES // row_bytes, 1, BATCH_ROWS))
        self.granularity = max(1, self.rows // self.points)
        self.points_of_baseline = 1 if self.rows < 2 else 3  # one row alone, then the same beside another
        self._batch: list[FloatArray] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """The engine without its private copy and its batch."""
        return super().__getstate__() | {"_batch": None}

    def release(self) -> None:
        """Free the batch and the private copy."""
        super().release()
        self._batch = None

    def baseline(self) -> float:
        """The cost at the parameters.

        Raises
        ------
        InputError
            Also where a row's cost depends on the other rows of its batch.
        """
        shaped = self.parameters.shaped(self.working.flat_leaves)
        batch = self.parameters.build([leaf[None] for leaf in shaped])
        alone = self._evaluate(batch, 1)[0]
        require_unchanged(self.working)
        value = float(alone.real)
        self._require_independent_rows(value)
        return value

    def values(self, indices: IndexArray, offsets: Values) -> Values:
        """The cost at theta + offsets[k, s] * e_indices[k], shape (m, S)."""
        out = np.empty(offsets.size, dtype=self.dtype)
        flat_indices = np.repeat(indices, offsets.shape[1])
        rows = self.granularity * self.points if self.rows >= self.points else self.rows
        for i in range(0, offsets.size, rows):
            piece = slice(i, i + rows)
            out[piece] = self._inside_domain(flat_indices[piece], offsets.reshape(-1)[piece])
        return out.reshape(offsets.shape)

    def _inside_domain(self, indices: IndexArray, offsets: Values) -> Values:
        """A batch's values; where the cost raises, those of each row alone, NaN where it raises again."""
        try:
            return self._one_batch(indices, offsets)
        except DOMAIN_ERRORS as error:
            if not self._left_domain(error):
                raise
        if len(indices) == 1:
            return np.full(1, np.nan, dtype=self.dtype)
        rows = (slice(k, k + 1) for k in range(len(indices)))
        return np.concatenate([self._inside_domain(indices[row], offsets[row]) for row in rows])

    def finish(self) -> None:
        """Refuse a cost that wrote to a batch."""
        for number, leaf in enumerate(self._batch or []):
            if (leaf != self.working.flat_leaves[number]).any():
                name = self.parameters.blocks[number].shown
                raise InputError(
                    f"the cost changes its parameters: it wrote into the batch of {name}", code="FG205"
                )

    def _one_batch(self, indices: IndexArray, offsets: Values) -> Values:
        batch = self._buffers()
        k = len(indices)
        placed = []
        for number, segment in self.parameters.segments(indices):
            where = np.arange(k)[segment]
            inside = indices[where] - self.parameters.blocks[number].start
            base = self.working.flat_leaves[number][inside]
            batch[number][where, inside] = base + offsets[where]
            placed.append((number, where, inside, base))
        try:
            shaped = [
                leaf[:k].reshape(k, *b.shape) for leaf, b in zip(batch, self.parameters.blocks, strict=True)
            ]
            return self._evaluate(self.parameters.build(shaped), k)
        except Exception as error:
            first, last = (self.parameters.label(int(i)) for i in (indices[0], indices[-1]))
            error.add_note(f"fastgrad: while evaluating a batch that perturbs {first} to {last}")
            raise
        finally:
            for number, where, inside, base in placed:
                batch[number][where, inside] = base

    def _buffers(self) -> list[FloatArray]:
        if self._batch is None:
            self._batch = [np.tile(leaf, (self.rows, 1)) for leaf in self.working.flat_leaves]
        return self._batch

    def _evaluate(self, batch: Any, k: int) -> Values:
        result = self.cost(batch, *self.args)
        try:
            values = to_array(result, "the cost")
        except InputError:  # a tuple of arrays
            values = np.empty(())
        self.epsilon = epsilon_of(values)
        wanted_kind = "c" if self.dtype is np.complex128 else "fiu"
        if values.shape != (k,) or values.dtype.kind not in wanted_kind:
            kind = "complex" if wanted_kind == "c" else "real"
            raise InputError(
                f"with vectorized=True the cost gets {k} parameter vectors and must return {kind} "
                f"numbers of shape ({k},); got {describe(result)}",
                code="FG220",
            )
        return values.astype(self.dtype)

    def _require_independent_rows(self, alone: float) -> None:
        if self.rows < 2 or not np.isfinite(alone):
            return
        shaped = self.parameters.shaped(self.working.flat_leaves)
        pair = self.parameters.build([np.stack([leaf, leaf * 1.25 + 0.125]) for leaf in shaped])
        try:
            with np.errstate(all="ignore"):
                beside = float(self._evaluate(pair, 2)[0].real)
        except InputError:
            raise
        except Exception:  # the other row is outside the cost's domain, so the two cannot be compared
            return
        eps = max(float(np.finfo(leaf.dtype).eps) for leaf in self.parameters.leaves)
        if not abs(beside - alone) <= np.sqrt(eps) * max(abs(alone), abs(beside)):
            raise InputError(
                f"with vectorized=True each row must be a cost of its own: the same parameters gave "
                f"{alone:.17g} alone and {beside:.17g} beside another row. Sum over the parameters' "
                "axes only, not over the batch",
                code="FG221",
            )
