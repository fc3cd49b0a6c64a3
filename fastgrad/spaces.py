"""What is perturbed: the parameters themselves, or points from which their derivatives follow.

An engine moves the coordinates of its space one at a time. Where that space is not the parameters', a linear
map carries the estimates over, bounds included, and `sentence` says what is then taken for granted.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from fastgrad.ordered import positions_of
from fastgrad.parameters import IndexArray, Parameters

Floats = npt.NDArray[np.float64]


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
