"""Which coordinates an engine moves, and how the derivatives by the user's parameters follow from them.

Most engines move the user's parameters themselves. The network engine can move pre-activations instead: a
linear map then turns derivatives and error bounds of what was moved into those of the parameters, and
`sentence` says what this takes for granted. `coordinates` asks which coordinates to move, `needed`, and
carries the results back, `carried`: derivatives and bounds (m,) in, derivatives and bounds (n,) out.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from fastgrad.arrays import Floats, IndexArray, root_mean_square
from fastgrad.differences.bounds import unknown_where_not_finite
from fastgrad.index_sets import positions_of
from fastgrad.problem.parameters import Parameters


class Space(Protocol):
    """The coordinates that an engine moves, and how the user's derivatives follow from theirs."""

    parameters: Parameters
    """What the engine moves, as named blocks over one flat vector."""

    is_plain: bool
    """Whether the engine moves the user's parameters themselves."""

    @property
    def sentence(self) -> str:
        """What was moved and what this takes for granted; empty for the parameters themselves."""

    def needed(self, indices: IndexArray) -> IndexArray:
        """The coordinates to move, increasing, for the derivatives at the user's `indices`."""

    def carry(self, indices: IndexArray, moved: IndexArray, d: Floats, e: Floats) -> tuple[Floats, Floats]:
        """The derivatives at the user's `indices` and their bounds, from those at the `moved` ones."""


class ParameterSpace:
    """The user's parameters themselves: derivatives need no map."""

    sentence = ""
    is_plain = True

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def needed(self, indices: IndexArray) -> IndexArray:
        """The indices as they are."""
        return indices

    def carry(self, indices: IndexArray, moved: IndexArray, d: Floats, e: Floats) -> tuple[Floats, Floats]:
        """The derivatives and bounds at `indices`, which are among the moved ones."""
        if indices is moved or np.array_equal(indices, moved):
            return d, e
        at = positions_of(moved, indices)
        return d[at], e[at]


def carried(
    numeric: Floats, bound: Floats, at: IndexArray, space: Space, parameters: Parameters, indices: IndexArray
) -> tuple[Floats, Floats, Floats]:
    """The derivatives and bounds at the user's `indices`, and the rms of the derivatives of each block.

    `numeric` and `bound` belong to the coordinates `at` of the space.
    """
    if space.is_plain:
        numeric, bound = numeric.copy(), bound.copy()  # the caller writes later estimates into its own arrays
    numeric, bound = unknown_where_not_finite(*space.carry(indices, at, numeric, bound))
    rms = np.zeros(len(parameters.blocks))
    for number, where in parameters.segments(indices):
        d = numeric[where]
        finite = np.isfinite(d)
        rms[number] = root_mean_square(d if finite.all() else d[finite])
    return numeric, bound, rms
