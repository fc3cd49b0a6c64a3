"""The engine for a cost that is a Numba function: the loop over perturbations is compiled together with it.

Offsets (m, S) go in, values (m, S) come out, with no Python between two evaluations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fastgrad.arrays import IndexArray, Values
from fastgrad.engines.base import EngineBase, require_unchanged
from fastgrad.engines.numbers import DOMAIN_ERRORS, to_number
from fastgrad.errors import InputError
from fastgrad.kernels.jit import jit_uncached, runs_in_parallel


# m = coordinates, S = evaluations of each; inside (m,), points and out (m, S), reached (1,)
def _sweep(cost, params, args, leaf, inside, points, out, reached):  # type: ignore[no-untyped-def]
    """out[k, s] = the cost with leaf[inside[k]] = points[k, s]; reached[0] = the last k that was begun.

    `leaf` is a flat view of one array of `params`, so that writing to it moves what the cost gets.
    """
    for k in range(points.shape[0]):
        reached[0] = k
        i = inside[k]
        saved = leaf[i]
        for s in range(points.shape[1]):
            leaf[i] = points[k, s]
            out[k, s] = cost(params, *args)
        leaf[i] = saved


_compiled_sweep: Callable[..., None] = jit_uncached(_sweep)


@dataclass(eq=False, repr=False)
class CompiledEngine(EngineBase):
    """Perturbs, evaluates and restores in one compiled loop.

    The parameters are an array or (named) tuples of arrays, as a Numba function can take them.
    """

    name = "compiled"
    preparation = "compiling a loop around the cost, once in this process"

    def __post_init__(self) -> None:
        super().__post_init__()
        # Threads of Numba inside those of joblib would compete for the cores, and Numba's workqueue threading
        # layer is not thread-safe.
        self.workers = "one" if runs_in_parallel(self.cost) else "threads"

    def baseline(self) -> float:
        """The cost at the parameters; compiles the loop."""
        self._require_numba_types()
        value = to_number(self.cost(self.working.structure, *self.args), self.dtype)
        require_unchanged(self.working)
        self._compile()
        return float(value.real)

    def values(self, indices: IndexArray, offsets: Values) -> Values:
        """The cost at theta + offsets[k, s] * e_indices[k], shape (m, S)."""
        out = np.empty(offsets.shape, dtype=self.dtype)
        for number, where in self.parameters.segments(indices):
            out[where] = self._run(number, indices[where], offsets[where])
        return out

    def _run(self, number: int, indices: IndexArray, offsets: Values) -> Values:
        block, leaf = self.parameters.blocks[number], self.working.flat_leaves[number]
        inside = indices - block.start
        points = (leaf[inside].astype(self.dtype)[:, None] + offsets).astype(leaf.dtype)
        out = np.empty(offsets.shape, dtype=self.dtype)
        start = 0
        while True:
            rest = slice(start, None)
            outside = self._sweep(number, indices[rest], inside[rest], points[rest], out[rest])
            if outside is None:
                return out
            start += outside
            out[start] = self._point_by_point(number, int(inside[start]), points[start])
            start += 1

    def _sweep(
        self, number: int, indices: IndexArray, inside: IndexArray, points: Values, out: Values
    ) -> int | None:
        """Fill `out` up to the first coordinate with a point outside the domain; its position, or None."""
        leaf = self.working.flat_leaves[number]
        reached = np.zeros(1, dtype=np.intp)
        try:
            _compiled_sweep(self.cost, self.working.structure, self.args, leaf, inside, points, out, reached)
        except Exception as error:
            self.release()  # its last coordinate is still perturbed
            if len(indices) and self._left_domain(error):
                return int(reached[0])
            if len(indices):
                label = self.parameters.label(int(indices[reached[0]]))
                error.add_note(f"fastgrad: while evaluating the cost around {label}")
            raise
        return None

    def _point_by_point(self, number: int, inside: int, points: Values) -> Values:
        """One coordinate's values, NaN where the cost raises outside its domain."""
        leaf, out = self.working.flat_leaves[number], np.empty(len(points), dtype=self.dtype)
        saved = leaf[inside]
        for s, point in enumerate(points):
            leaf[inside] = point
            try:
                out[s] = self.cost(self.working.structure, *self.args)
            except DOMAIN_ERRORS as error:
                if not self._left_domain(error):
                    raise
                out[s] = np.nan
        leaf[inside] = saved
        return out

    def _require_numba_types(self) -> None:
        structure = self.working.structure
        if isinstance(structure, dict | list):
            raise InputError(
                f"a Numba cost cannot take a {type(structure).__name__} of arrays: pass an array, a tuple or "
                "a NamedTuple, or a Python function around it",
                code="FG603",
            )

    def _compile(self) -> None:
        """Compile the loop for each dtype of a block, before anything is timed or any thread starts."""
        try:
            for number in range(len(self.parameters.blocks)):
                self._run(number, np.empty(0, dtype=np.intp), np.empty((0, 1), dtype=self.dtype))
        except Exception as error:
            raise InputError(
                "the loop around this Numba cost does not compile: Numba says "
                f'{type(error).__name__}: {error}. engine="python" calls it from Python instead',
                code="FG604",
            ) from error
