"""The gradient under test: its values, and whether it is a function of the parameters at all.

A gradient function is called at the parameters x, at x again, at y close by, and at x once more:

    g(x), g(x)          another answer: random, or a buffer that is added to and never set to zero
    g(y) = g(x)         the parameters are not looked at (a stale cache), if the numbers disagree
    g(x) after g(y)     another answer: something is kept from call to call

each with a sentence of its own, before any difference is taken (docs/numerics.md, Diagnosis, statefulness).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Floats
from fastgrad.engines.choose import is_networks_own
from fastgrad.errors import InputError
from fastgrad.problem.arguments import args_unchanged, array_leaves
from fastgrad.problem.claim import NO_JITTER, ClaimedGradient, same_gradient, watched
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.working_copy import WorkingCopy
from fastgrad.specification import Specification

NEARBY = {np.dtype(np.float64): 2.0**-22, np.dtype(np.float32): 2.0**-10}
"""How far y is from x, in units of each block's typical size: a change that shows in the last digits of any
derivative that changes at all, and leaves no domain that differences of the cost do not leave."""

FARTHER = 2.0**10
"""How much farther y is where the gradient was the same: a gradient rounded to a few digits changes there."""

JITTER = 2.0**-20
"""Repeats that differ by less, relative to the largest, differ by rounding (threads that sum in another
order): they are allowed for in the bounds. More is a random gradient."""


def vetted_gradient(spec: Specification) -> ClaimedGradient:
    """The claimed gradient of a check, having seen that it is a function and leaves the data alone."""
    problem = spec.problem
    with args_unchanged(problem.args, "gradient function"):
        pure = is_networks_own(problem.gradient, problem.structure, "gradient")
        return claimed_gradient(problem.gradient, spec.parameters, problem.args, pure)


def claimed_gradient(
    gradient: Any, parameters: Parameters, args: tuple[Any, ...], pure: bool = False
) -> ClaimedGradient:
    """The gradient under test.

    A callable gets a private copy of the parameters, and its answer is copied: it may be a view of the
    parameters or a buffer that the cost writes to. An answer of more than SMALL_ENOUGH_TO_KEEP numbers that
    shares no memory with any of these is taken as it is; `require_unchanged` sees whether it was written to.

    Parameters
    ----------
    gradient : callable(params, *args), or a structure of values
    parameters : Parameters
    args : what the callable takes beside the parameters
    pure : the callable is known to be a function (a Network's own): one call is enough

    Raises
    ------
    InputError
        For another structure, shape or dtype than the parameters', naming the leaf; for a gradient function
        that changes its parameters, is random, accumulates, or keeps something from call to call.
    """
    if not callable(gradient):
        return ClaimedGradient(parameters, parameters.match(gradient, "gradient"), None)
    calls = _Calls(gradient, parameters, args)
    return calls.one_claim() if pure else calls.claim()


class _Calls:
    """The four calls of a gradient function."""

    def __init__(self, gradient: Callable[..., Any], parameters: Parameters, args: tuple[Any, ...]) -> None:
        self.gradient = gradient
        self.parameters = parameters
        self.args = args
        self.indices = watched(parameters)
        self.everything = len(self.indices) == parameters.size
        self.working = WorkingCopy(parameters)

    def one_claim(self) -> ClaimedGradient:
        """What one call said."""
        leaves = self._call()
        self._require_unchanged()
        return ClaimedGradient(self.parameters, self._own(leaves), None, seen=self._seen(self._at(leaves)))

    def claim(self) -> ClaimedGradient:
        """What the calls said, having refused what is no function."""
        kept = self._call()
        first = self._at(kept)
        self._require_unchanged()
        own = self._own(kept) if self.everything else None
        if own is None:
            del kept
        jitter = self._jitter(first, self._at(self._call()))
        elsewhere = self._call_nearby(1.0)
        if elsewhere is not None and same_gradient(first, elsewhere):  # perhaps rounded: farther off then
            elsewhere = self._call_nearby(FARTHER)
        rewritten = own is not None and not same_gradient(self._at(kept), first)
        last = self._call()
        self._require_same_as_before(first, self._at(last), jitter)
        stale = (
            elsewhere is not None and len(first) > 0 and bool(first.any()) and same_gradient(first, elsewhere)
        )
        notes = (_REWRITTEN,) * rewritten + (_JITTERS.format(jitter.max(initial=0.0)),) * bool(jitter.any())
        leaves = self._own(last) if own is None else own
        return ClaimedGradient(
            self.parameters, leaves, self._spread(jitter), stale, notes, self._seen(self._at(last))
        )

    def _seen(self, values: Floats) -> Floats | None:
        return None if self.everything else values

    def _call(self) -> list[npt.NDArray[Any]]:
        return self.parameters.match(self.gradient(self.working.structure, *self.args), "gradient")

    def _at(self, leaves: list[npt.NDArray[Any]]) -> Floats:
        return self.parameters.take(leaves, self.indices)

    def _own(self, leaves: list[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        """The leaves as nobody else will change them: copied if they are few, or anybody's."""
        others = [*self.working.flat_leaves, *self.parameters.leaves]
        others += [a for a in array_leaves(self.args) if not a.dtype.hasobject]
        return [
            np.array(leaf, subok=False)
            if self.everything or any(np.may_share_memory(leaf, other) for other in others)
            else leaf
            for leaf in leaves
        ]

    def _spread(self, jitter: Floats) -> list[Floats] | None:
        """The jitter of each entry; where not all were compared the largest of each block."""
        if not jitter.any():
            return None
        blocks = self.parameters.blocks
        if self.everything:
            return [jitter[b.start : b.start + b.size] for b in blocks]
        largest = np.zeros(len(blocks))
        for number, where in self.parameters.segments(self.indices):
            largest[number] = jitter[where].max(initial=0.0)
        return [np.broadcast_to(most, b.size) for most, b in zip(largest, blocks, strict=True)]

    def _call_nearby(self, times: float) -> Floats | None:
        """The gradient at y; None where it cannot be had. The working copy is x again afterwards."""
        originals = self.parameters.leaves
        sizes = self.parameters.typical_sizes
        for leaf, x, typical in zip(self.working.flat_leaves, originals, sizes, strict=True):
            leaf += times * NEARBY[x.dtype] * float(typical)
        try:
            return self._at(self._call())
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
        if same_gradient(first, again):
            return NO_JITTER
        apart = np.abs(again - first)
        largest = float(np.abs(first).max(initial=0.0))
        if np.isfinite(apart).all() and float(apart.max()) <= JITTER * largest:
            return apart
        label = self._label_of_worst(apart)
        if same_gradient(again, 2 * first, JITTER):
            raise InputError(
                "the gradient accumulates: the second call gave twice the first at the same parameters "
                f"({label}). A buffer is added to and never set to zero: zero it at the start of each call"
            )
        raise InputError(
            f"the gradient function gives another answer each time at the same parameters ({label}). Fix its "
            "random numbers (a seed, a dropout mask) and any state it keeps"
        )

    def _require_same_as_before(self, first: Floats, last: Floats, jitter: Floats) -> None:
        if same_gradient(first, last) or (jitter.any() and same_gradient(first, last, JITTER)):
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
