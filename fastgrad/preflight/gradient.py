"""The claimed gradient: its values, and whether the gradient function is a function of the parameters.

`checks` calls `vetted_gradient` before any difference is taken, and gets a `ClaimedGradient`. A gradient
function g is called at the parameters x, at x again, at y close by, and at x once more. Each of these has a
message of its own:

    the second g(x) differs        g is random, or adds to a buffer that is never set to zero
    g(y) equals g(x)               g does not read the parameters (a stale cache), if the numbers disagree
    g(x) after g(y) differs        g keeps something from call to call
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from fastgrad.arrays import FloatArray, Floats
from fastgrad.engines.choose import is_networks_own
from fastgrad.errors import InputError
from fastgrad.preflight.cost import LARGEST_JITTER
from fastgrad.problem.arguments import args_unchanged, array_leaves
from fastgrad.problem.claim import NO_JITTER, ClaimedGradient, same_gradient, watched
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.working_copy import WorkingCopy
from fastgrad.specification import Specification

NEARBY = {np.dtype(np.float64): 2.0**-22, np.dtype(np.float32): 2.0**-10}
"""How far y is from x, in units of each block's typical size, by dtype. It is enough to change the last
digits of any derivative that is not constant, and no farther than differences of the cost go."""

FARTHER = 2.0**10
"""The factor on that distance for a second try, where the gradient was the same: a gradient that is rounded
to a few digits changes there."""


def vetted_gradient(spec: Specification) -> ClaimedGradient:
    """The claimed gradient of a check, after the checks that it is a function and does not write to args."""
    problem = spec.problem
    with args_unchanged(problem.args, "gradient function"):
        pure = is_networks_own(problem.gradient, problem.structure, "gradient")
        return claimed_gradient(problem.gradient, spec.parameters, problem.args, pure)


def claimed_gradient(
    gradient: Any, parameters: Parameters, args: tuple[Any, ...], pure: bool = False
) -> ClaimedGradient:
    """The claimed gradient.

    A gradient function gets a private copy of the parameters. Its answer is copied, since it may be a view of
    the parameters, or a buffer that the cost writes to. An answer of more than SMALL_ENOUGH_TO_KEEP numbers
    is not copied if it shares no memory with the parameters and the args; `require_unchanged` shows later
    whether somebody wrote to it.

    Parameters
    ----------
    gradient : callable(params, *args), or a structure of values
    parameters : Parameters
    args : what the callable takes beside the parameters
    pure : whether the callable is known to be a function (a Network's own gradient): it is called once only

    Raises
    ------
    InputError
        For another structure, shape or dtype than the parameters', naming the leaf; for a gradient function
        that changes its parameters, is random, accumulates, or keeps something from call to call.
    """
    if not callable(gradient):
        found = parameters.match(gradient, "gradient")
        return ClaimedGradient(parameters, found.leaves, None, notes=found.notes)
    calls = _Calls(gradient, parameters, args)
    return calls.by_one_call() if pure else calls.by_four_calls()


class _Calls:
    """The calls of a gradient function, with a private copy of the parameters.

    Answers are compared at the watched coordinates, which are all where the parameters are few enough.
    """

    def __init__(self, gradient: Callable[..., Any], parameters: Parameters, args: tuple[Any, ...]) -> None:
        self.gradient = gradient
        self.parameters = parameters
        self.args = args
        self.indices = watched(parameters)
        self.everything = len(self.indices) == parameters.size
        self.working = WorkingCopy(parameters)

    def by_one_call(self) -> ClaimedGradient:
        """The claimed gradient of a function that is known to be one."""
        leaves = self._call()
        self._require_unchanged()
        return self._claimed(leaves, self._own(leaves))

    def by_four_calls(self) -> ClaimedGradient:
        """The claimed gradient, after the checks that the four calls allow."""
        answer = self._call()
        first = self._at(answer)
        self._require_unchanged()
        own = self._own(answer) if self.everything else None
        held = answer if self.everything else []
        del answer  # a large one is given back before the next call makes another
        jitter = self._jitter(first, self._at(self._call()))
        stale = self._is_stale(first)
        rewritten = bool(held) and not same_gradient(self._at(held), first)
        last = self._call()
        self._require_same_as_before(first, self._at(last), jitter)
        notes = (_REWRITTEN,) * rewritten + (_JITTERS.format(jitter.max(initial=0.0)),) * bool(jitter.any())
        claim = self._claimed(last, self._own(last) if own is None else own)
        return replace(claim, jitter=self._jitter_of_blocks(jitter), stale=stale, notes=notes)

    def _claimed(self, answer: list[FloatArray], own: list[FloatArray]) -> ClaimedGradient:
        at_watched = None if self.everything else self._at(answer)
        return ClaimedGradient(self.parameters, own, None, at_watched=at_watched)

    def _call(self) -> list[FloatArray]:
        return self.parameters.match(self.gradient(self.working.structure, *self.args), "gradient").leaves

    def _at(self, leaves: list[FloatArray]) -> Floats:
        """The values at the watched coordinates."""
        return self.parameters.take(leaves, self.indices)

    def _own(self, leaves: list[FloatArray]) -> list[FloatArray]:
        """The leaves, copied where they are few, or where they share memory with parameters or args."""
        others = [*self.working.flat_leaves, *self.parameters.leaves]
        others += [a for a in array_leaves(self.args) if not a.dtype.hasobject]
        return [
            np.array(leaf, subok=False)
            if self.everything or any(np.may_share_memory(leaf, other) for other in others)
            else leaf
            for leaf in leaves
        ]

    def _jitter_of_blocks(self, jitter: Floats) -> list[Floats] | None:
        """The jitter of each entry by block: where not all were compared, the largest of the block."""
        if not jitter.any():
            return None
        blocks = self.parameters.blocks
        if self.everything:
            return [jitter[b.start : b.start + b.size] for b in blocks]
        largest = np.zeros(len(blocks))
        for number, where in self.parameters.segments(self.indices):
            largest[number] = jitter[where].max(initial=0.0)
        return [np.broadcast_to(most, b.size) for most, b in zip(largest, blocks, strict=True)]

    def _is_stale(self, first: Floats) -> bool:
        """Whether the gradient at y is the same numbers as at x, and not all zeros."""
        nearby = self._call_nearby(1.0)
        if nearby is not None and same_gradient(first, nearby):
            nearby = self._call_nearby(FARTHER)
        return nearby is not None and bool(first.any()) and same_gradient(first, nearby)

    def _call_nearby(self, times: float) -> Floats | None:
        """The gradient at y; None if the function raises. The working copy is x again afterwards."""
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
        """How far two answers for x are apart; InputError where that is more than rounding error."""
        if same_gradient(first, again):
            return NO_JITTER
        apart = np.abs(again - first)
        largest = float(np.abs(first).max(initial=0.0))
        if np.isfinite(apart).all() and float(apart.max()) <= LARGEST_JITTER * largest:
            return apart
        label = self._label_of_worst(apart)
        if same_gradient(again, 2 * first, LARGEST_JITTER):
            raise InputError(
                "the gradient accumulates: the second call gave twice the first at the same parameters "
                f"({label}). A buffer is added to and never set to zero: zero it at the start of each call"
            )
        raise InputError(
            f"the gradient function gives another answer each time at the same parameters ({label}). Fix its "
            "random numbers (a seed, a dropout mask) and any state it keeps"
        )

    def _require_same_as_before(self, first: Floats, last: Floats, jitter: Floats) -> None:
        if same_gradient(first, last) or (jitter.any() and same_gradient(first, last, LARGEST_JITTER)):
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
