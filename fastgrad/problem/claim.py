"""The claimed gradient: its values at every coordinate, or at some.

`preflight.gradient` calls the user's gradient function and makes a `ClaimedGradient`. `coordinates` asks it
for the `ClaimedValues` at the (m,) coordinates that were measured.

Jitter is how far two answers for the same parameters were apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from fastgrad.arrays import Bools, FloatArray, Floats, IndexArray, root_mean_square
from fastgrad.errors import InputError
from fastgrad.index_sets import all_or_spread, distinct, positions_of, spread_over
from fastgrad.problem.parameters import Parameters

NO_JITTER = np.zeros(1)
"""The jitter of a gradient function that gives the same answer each time, for any number of coordinates."""

SMALL_ENOUGH_TO_KEEP = 2**20
"""The most parameters for which answers of the gradient function are copied and compared in full. Each copy
takes 8 MiB then."""

OWN_ROUNDINGS, SUM_ROUNDINGS = 8.0, 2.0
"""Roundings of an entry, and of a typical one of its block, that a claim is allowed (docs/numerics.md,
Claim)."""

ALIKE = 7
"""Parameters within one power of 2^ALIKE are alike in size."""

NOISES = 8.0
"""Standard deviations of measured noise that a claim is allowed: right gradients in float32 were off by 2 to
4 of them (docs/numerics.md, Claim)."""

DIGITS_OF_SIMPLE = 12
"""Binary digits of a number that says nothing of the float that it was computed in, such as 0.5 or 3."""

WATCHED = 2**16
"""Coordinates at which the answers are compared where there are more parameters than that."""


class Noise(Protocol):
    """The noise of a gradient function's own arithmetic, which is measured when it is asked for."""

    @property
    def is_measured(self) -> bool:
        """Whether it was."""

    @property
    def left_out(self) -> bool:
        """Whether there was no time to."""

    def measure(self) -> None:
        """Measure it; this calls the gradient function."""

    def at(self, indices: IndexArray) -> Floats | None:
        """(m,) the noise at some coordinates; None where it is not known."""


@dataclass(frozen=True, eq=False)
class ClaimedValues:
    """The claimed gradient at m coordinates."""

    values: Floats
    """(m,)"""
    jitter: Floats
    """(m,), or (1,) for NO_JITTER."""
    dtypes: tuple[np.dtype[Any], ...]
    """The dtype of each block of the gradient, as the user returned it."""
    stale: bool = False
    """Whether the gradient function returned the same numbers at other parameters."""
    notes: tuple[str, ...] = ()
    """Sentences for the report."""
    measured: Floats | None = None
    """(m,) the noise of each value, where it was measured."""
    typical: dict[int, float] = field(default_factory=dict)
    """The rms of all values whose parameters are alike in size, by `_alike`."""
    called: bool = False
    """Whether the values are those of a function, whose noise can be measured."""
    epsilons: tuple[float, ...] = ()
    """Machine epsilon of the shortest float that holds each block; by its dtype where it is not given."""

    def of(self, which: Bools) -> ClaimedValues:
        """The same of some of the m coordinates."""
        return replace(
            self,
            values=self.values[which],
            jitter=self.jitter if len(self.jitter) == 1 < len(which) else self.jitter[which],
            measured=None if self.measured is None else self.measured[which],
        )

    def rounding(self, indices: IndexArray, parameters: Parameters) -> Floats:
        """(m,) what the arithmetic of the claim may be off by.

        That is a few roundings of its dtype, and of a function the noise where it was measured. Of values
        nothing else is known: they are allowed roundings of the sums that they came from, too, which are
        taken to be as large as a typical entry among parameters of their size.
        """
        found = np.empty(len(self.values))
        for number, where in parameters.segments(indices):
            found[where] = OWN_ROUNDINGS * self._epsilon(number) * np.abs(self.values[where])
            if not self.called:
                x = parameters.take(parameters.leaves, indices[where])
                found[where] += SUM_ROUNDINGS * self._epsilon(number) * self._typical(x)
        return found if self.measured is None else np.fmax(found, NOISES * self.measured)

    def _typical(self, x: Floats) -> Floats:
        """(m,) the rms of the claim among parameters alike in size to each."""
        group = _alike(x)
        found = np.zeros(len(x))
        for one in distinct(group):
            found[group == one] = self.typical.get(int(one), 0.0)
        return found

    def _epsilon(self, number: int) -> float:
        """Machine epsilon of a block of the claim."""
        return self.epsilons[number] if self.epsilons else float(np.finfo(self.dtypes[number]).eps)


def _alike(x: Floats) -> IndexArray:
    """The same number for parameters alike in size."""
    return np.asarray(np.frexp(np.abs(x))[1] // ALIKE, dtype=np.intp)


@dataclass(frozen=True, eq=False)
class ClaimedGradient:
    """The claimed gradient at every coordinate. A large answer of the gradient function is not copied."""

    parameters: Parameters
    leaves: list[FloatArray]
    """A flat array for each block. They may be the user's: nobody writes to them."""
    jitter: list[Floats] | None
    """The jitter of each entry, a flat array for each block. None if there is none."""
    stale: bool = False
    """Whether the gradient function returned the same numbers at other parameters."""
    notes: tuple[str, ...] = ()
    """Sentences for the report."""
    noise: Noise | None = None
    """The noise of the gradient function; None for values."""
    at_watched: Floats | None = None
    """The values at the watched coordinates when the gradient function returned. None if the answer was
    copied, or given as values."""
    narrowed: list[tuple[IndexArray, ClaimedValues]] = field(default_factory=list)
    """After `narrow`: the coordinates that were kept, and their values."""

    def narrow(self, indices: IndexArray) -> None:
        """Forget all but some coordinates, where the answer was not copied.

        The answer takes as much memory as the parameters. Only `at` may be called afterwards, and only with
        coordinates among these.

        Parameters
        ----------
        indices : increasing flat indices
        """
        if self.at_watched is None:
            return
        self.narrowed.append((indices, self.at(indices)))
        self.leaves.clear()

    def require_unchanged(self) -> None:
        """Refuse a cost that writes into the array which the gradient function returned.

        Raises
        ------
        InputError
            If the values at the watched coordinates changed: the claimed gradient is lost.
        """
        if self.at_watched is None or self.narrowed:
            return
        if not same_gradient(self.at_watched, self.parameters.take(self.leaves, watched(self.parameters))):
            raise InputError(
                "the cost writes into the array that the gradient function returned, so that what was "
                "claimed is lost: return a copy of it",
                code="FG209",
            )

    @property
    def dtypes(self) -> tuple[np.dtype[Any], ...]:
        """The dtype of each block of the gradient, as the user returned it."""
        return tuple(leaf.dtype for leaf in self.leaves)

    def at(self, indices: IndexArray) -> ClaimedValues:
        """The claimed values at some coordinates, in float64. They may be a view: nobody writes to them.

        Parameters
        ----------
        indices : (m,) increasing flat indices
        """
        if self.narrowed:
            kept, claim = self.narrowed[0]
            where = positions_of(kept, indices)
            jitter = claim.jitter if len(claim.jitter) == 1 < len(kept) else claim.jitter[where]
            noise = None if self.noise is None else self.noise.at(indices)
            return replace(claim, values=claim.values[where], jitter=jitter, measured=noise)
        values = self.parameters.take(self.leaves, indices)
        jitter = NO_JITTER if self.jitter is None else self.parameters.take(self.jitter, indices)
        noise = None if self.noise is None else self.noise.at(indices)
        called = self.noise is not None
        typical = {} if called else self._typical
        return ClaimedValues(
            values, jitter, self.dtypes, self.stale, self.notes, noise, typical, called, self._epsilons
        )

    @cached_property
    def _epsilons(self) -> tuple[float, ...]:
        """Machine epsilon of each block: that of float32 where all of the claim are numbers of float32."""
        short = all(holds_float32(leaf) for leaf in self.leaves)
        single = float(np.finfo(np.float32).eps) if short else 0.0
        return tuple(max(single, float(np.finfo(leaf.dtype).eps)) for leaf in self.leaves)

    @cached_property
    def _typical(self) -> dict[int, float]:
        """The rms of the finite values among parameters alike in size, from WATCHED of them."""
        some = spread_over(self.parameters.size, WATCHED)
        group = _alike(self.parameters.take(self.parameters.leaves, some))
        values = self.parameters.take(self.leaves, some)
        known = np.isfinite(values)
        return {int(one): root_mean_square(values[known & (group == one)]) for one in distinct(group)}


def holds_float32(leaf: FloatArray) -> bool:
    """Whether WATCHED entries of an array are numbers of float32, most of which are of no shorter float."""
    some = leaf[:: len(leaf) // WATCHED + 1]
    some = some[np.isfinite(some) & (some != 0)]
    with np.errstate(all="ignore"):
        if not (some == some.astype(np.float32)).all():
            return False
    mantissas = np.ldexp(np.frexp(some)[0], DIGITS_OF_SIMPLE)
    return bool(2 * (mantissas == np.rint(mantissas)).sum() <= len(some))


def watched(parameters: Parameters) -> IndexArray:
    """The coordinates at which answers of the gradient function are compared.

    All of them up to SMALL_ENOUGH_TO_KEEP parameters, else WATCHED of them at equal distances.
    """
    return all_or_spread(parameters.size, SMALL_ENOUGH_TO_KEEP, WATCHED)


def same_gradient(a: Floats, b: Floats, tolerance: float = 0.0) -> bool:
    """Whether two gradients, (m,) each, are equal.

    Parameters
    ----------
    a, b : (m,); NaN equals NaN if the tolerance is zero
    tolerance : the largest difference allowed, as a share of the largest entry of a
    """
    if tolerance == 0.0:
        return bool(np.array_equal(a, b, equal_nan=True))
    with np.errstate(invalid="ignore"):
        apart = np.nan_to_num(np.abs(a - b), nan=np.inf)
        return bool(apart.max(initial=0.0) <= tolerance * max(np.abs(a).max(initial=0.0), 0.0))
