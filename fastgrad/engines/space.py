"""What is perturbed: the parameters themselves, or points from which their derivatives follow.

An engine moves the coordinates of its space one at a time. Where that space is not the parameters', a linear
map carries the estimates over, bounds included, and `sentence` says what is then taken for granted.
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
    """What is moved, as named blocks over one flat vector."""

    is_plain: bool
    """Whether it is the parameters themselves."""

    @property
    def sentence(self) -> str:
        """What was perturbed and what is then taken for granted; empty for the parameters themselves."""

    def needed(self, indices: IndexArray) -> IndexArray:
        """The coordinates to move, increasing, for the derivatives at the user's (m,) `indices`."""

    def carry(self, indices: IndexArray, moved: IndexArray, d: Floats, e: Floats) -> tuple[Floats, Floats]:
        """The derivatives at the user's `indices` and their bounds, from those at the `moved` ones."""


class ParameterSpace:
    """The parameters themselves: nothing is carried, nothing taken for granted."""

    sentence = ""
    is_plain = True

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def needed(self, indices: IndexArray) -> IndexArray:
        """The indices as they are."""
        return indices

    def carry(self, indices: IndexArray, moved: IndexArray, d: Floats, e: Floats) -> tuple[Floats, Floats]:
        """Estimates and bounds at `indices`, which are among the moved ones."""
        if indices is moved or np.array_equal(indices, moved):
            return d, e
        at = positions_of(moved, indices)
        return d[at], e[at]


def carried(
    numeric: Floats, bound: Floats, at: IndexArray, space: Space, parameters: Parameters, indices: IndexArray
) -> tuple[Floats, Floats, Floats]:
    """Estimates and bounds at the user's `indices`, and the rms of each of their blocks.

    numeric and bound are those of the coordinates `at` of the space that was moved.
    """
    if space.is_plain:
        numeric, bound = numeric.copy(), bound.copy()  # what is measured later is written where they are
    numeric, bound = unknown_where_not_finite(*space.carry(indices, at, numeric, bound))
    rms = np.zeros(len(parameters.blocks))
    for number, where in parameters.segments(indices):
        d = numeric[where]
        finite = np.isfinite(d)
        rms[number] = root_mean_square(d if finite.all() else d[finite])
    return numeric, bound, rms
