"""The gradient under test: its values, and whether it is a function of the parameters at all.

A gradient function is called at the parameters x, at x again, at y close by, and at x once more:

    g(x), g(x)          another answer: random, or a buffer that is added to and never set to zero
    g(y) = g(x)         the parameters are not looked at (a stale cache), if the numbers disagree
    g(x) after g(y)     another answer: something is kept from call to call

each with a sentence of its own, before any difference is taken (numerics, section 8, statefulness).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.errors import InputError
from fastgrad.parameters import IndexArray, Parameters, WorkingCopy
from fastgrad.steps import typical_size

Floats = npt.NDArray[np.float64]

NEARBY = {np.dtype(np.float64): 2.0**-22, np.dtype(np.float32): 2.0**-10}
"""How far y is from x, in units of each block's typical size: a change that shows in the last digits of any
derivative that changes at all, and leaves no domain that differences of the cost do not leave."""

FARTHER = 2.0**10
"""How much farther y is where the gradient was the same: a gradient rounded to a few digits changes there."""

JITTER = 2.0**-20
"""Repeats that differ by less, relative to the largest, differ by rounding (threads that sum in another
order): they are allowed for in the bounds. More is a random gradient."""

NO_JITTER = np.zeros(1)

SMALL_ENOUGH_TO_KEEP = 2**20
"""Numbers of a gradient up to which two answers are kept side by side, to see whether they are one buffer."""


@dataclass(frozen=True, eq=False)
class Claim:
    """What the gradient under test says at the checked coordinates."""

    values: Floats  # (m,)
    jitter: Floats  # (m,) how far repeats were apart; (1,) zero for a function that repeats itself
    dtypes: tuple[np.dtype[Any], ...]  # of each block, as the user returned it
    stale: bool = False  # the very same numbers at other parameters
    notes: tuple[str, ...] = ()


def claimed_gradient(
    gradient: Any,
    parameters: Parameters,
    args: tuple[Any, ...],
    indices: IndexArray,
    pure: bool = False,
) -> Claim:
    """The gradient under test at some coordinates, as a fresh float64 array.

    A callable gets a private copy of the parameters, and its answer is copied at once: it may be a view
    of the parameters or a buffer that the cost writes to.

    Parameters
    ----------
    gradient : callable(params, *args), or a structure of values
    parameters : Parameters
    args : what the callable takes beside the parameters
    indices : (m,) flat indices
    pure : the callable is known to be a function (a Network's own): one call is enough

    Raises
    ------
    InputError
        For another structure, shape or dtype than the parameters', naming the leaf; for a gradient function
        that changes its parameters, is random, accumulates, or keeps something from call to call.
    """
    if not callable(gradient):
        leaves = parameters.match(gradient, "gradient")
        values = parameters.take(leaves, indices)
        return Claim(values, NO_JITTER, tuple(leaf.dtype for leaf in leaves))
    calls = _Calls(gradient, parameters, args, indices)
    return calls.one_claim() if pure else calls.claim()


class _Calls:
    """The four calls of a gradient function."""

    def __init__(
        self,
        gradient: Callable[..., Any],
        parameters: Parameters,
        args: tuple[Any, ...],
        indices: IndexArray,
    ) -> None:
        self.gradient = gradient
        self.parameters = parameters
        self.args = args
        self.indices = indices
        self.working = WorkingCopy(parameters)
        self.dtypes: tuple[np.dtype[Any], ...] = ()

    def one_claim(self) -> Claim:
        """What one call said."""
        first, _ = self._call()
        self._require_unchanged()
        return Claim(first, NO_JITTER, self.dtypes)

    def claim(self) -> Claim:
        """What the calls said, having refused what is no function."""
        first, kept = self._call()
        self._require_unchanged()
        again = self._call()[0]
        jitter = self._jitter(first, again)
        elsewhere = self._call_nearby(1.0)
        if elsewhere is not None and _same(first, elsewhere):  # perhaps rounded: farther off then
            elsewhere = self._call_nearby(FARTHER)
        rewritten = kept is not None and not _same(self.parameters.take(kept, self.indices), first)
        self._require_same_as_before(first, self._call()[0], jitter)
        stale = elsewhere is not None and len(first) > 0 and bool(first.any()) and _same(first, elsewhere)
        notes = (_REWRITTEN,) * rewritten + (_JITTERS.format(jitter.max(initial=0.0)),) * bool(jitter.any())
        return Claim(first, jitter, self.dtypes, stale, notes)

    def _call(self) -> tuple[Floats, list[Any] | None]:
        leaves = self.parameters.match(self.gradient(self.working.structure, *self.args), "gradient")
        self.dtypes = tuple(leaf.dtype for leaf in leaves)
        values = self.parameters.take(leaves, self.indices)
        return values, leaves if self.parameters.size <= SMALL_ENOUGH_TO_KEEP else None

    def _call_nearby(self, times: float) -> Floats | None:
        """The gradient at y; None where it cannot be had. The working copy is x again afterwards."""
        originals = self.parameters.leaves
        for leaf, x in zip(self.working.flat_leaves, originals, strict=True):
            leaf += times * NEARBY[x.dtype] * typical_size(x)
        try:
            return self._call()[0]
        except Exception:  # y may be outside the domain
            return None
        finally:
            for leaf, x in zip(self.working.flat_leaves, originals, strict=True):
                leaf[:] = x

    def _require_unchanged(self) -> None:
        rebound, at = self.working.first_rebound(), self.working.first_change()
        if rebound is not None or at is not None:
            what = rebound if at is None else self.parameters.label(at)
            raise InputError(
                f"the gradient function changes its parameters ({what}); work on a copy inside it"
            )

    def _jitter(self, first: Floats, again: Floats) -> Floats:
        if _same(first, again):
            return NO_JITTER
        apart = np.abs(again - first)
        largest = float(np.abs(first).max(initial=0.0))
        if np.isfinite(apart).all() and float(apart.max()) <= JITTER * largest:
            return apart
        label = self._label_of_worst(apart)
        if _same(again, 2 * first, JITTER):
            raise InputError(
                "the gradient accumulates: the second call gave twice the first at the same parameters "
                f"({label}). A buffer is added to and never set to zero: zero it at the start of each call"
            )
        raise InputError(
            f"the gradient function gives another answer each time at the same parameters ({label}). Fix its "
            "random numbers (a seed, a dropout mask) and any state it keeps"
        )

    def _require_same_as_before(self, first: Floats, last: Floats, jitter: Floats) -> None:
        if _same(first, last) or (jitter.any() and _same(first, last, JITTER)):
            return
        label = self._label_of_worst(np.abs(last - first))
        raise InputError(
            f"the gradient function keeps something from call to call: after a call at other parameters it "
            f"gives another answer for the first ones ({label}). Look for a cache that is not keyed by the "
            "parameters, or activations left from an earlier forward pass"
        )

    def _label_of_worst(self, apart: Floats) -> str:
        at = int(np.argmax(np.where(np.isnan(apart), np.inf, apart)))
        return self.parameters.label(int(self.indices[at]))


_REWRITTEN = (
    "the gradient function returns the same array at every call and writes the next answer into it: "
    "whoever keeps one gradient while asking for another must copy it"
)
_JITTERS = (
    "the gradient function does not repeat itself to the last digit: two calls at the same parameters were "
    "up to {:.2g} apart, which the error bounds allow for"
)


def _same(a: Floats, b: Floats, tolerance: float = 0.0) -> bool:
    """Whether two gradients are equal, NaN to NaN, or to a share of the largest entry."""
    if tolerance == 0.0:
        return bool(np.array_equal(a, b, equal_nan=True))
    with np.errstate(invalid="ignore"):
        apart = np.nan_to_num(np.abs(a - b), nan=np.inf)
        return bool(apart.max(initial=0.0) <= tolerance * max(np.abs(a).max(initial=0.0), 0.0))
