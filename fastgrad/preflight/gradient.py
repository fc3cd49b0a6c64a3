"""The claimed gradient: its values, and whether the gradient function is a function of the parameters.

`checks` calls `vetted_gradient` before any difference is taken, and gets a `ClaimedGradient`. A gradient
function g is called at the parameters x, at x again, at y close by, and at x once more, after a call of the
cost at x. Each of these has a message of its own:

    the second g(x) differs        g is random, or adds to a buffer that is never set to zero
    g(y) equals g(x)               g does not read the parameters (a stale cache), if the cost is not linear
    g(x) after g(y) differs        g keeps something from call to call

Where a budget has no room for three more calls of g only the first of these is looked at, or none (`Looks`).

Where g raises, or one of these is so, all is tried once more with a call of the cost before each call of g: a
gradient function may read what the cost keeps. If g is a function then, the check goes on in this way.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import optree

from fastgrad.arrays import FloatArray, Floats
from fastgrad.engines.base import require_unchanged
from fastgrad.engines.choose import is_networks_own
from fastgrad.errors import InputError
from fastgrad.preflight.claim_noise import ClaimNoise
from fastgrad.preflight.cost import LARGEST_JITTER, require_alike
from fastgrad.preflight.looks import Looks
from fastgrad.preflight.nearby import FARTHER, bends, move, put_back
from fastgrad.preflight.pairs import with_halves
from fastgrad.problem.arguments import args_unchanged, array_leaves
from fastgrad.problem.claim import NO_JITTER, ClaimedGradient, same_gradient, watched
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.problem import Problem
from fastgrad.problem.structure import NAMESPACE, nesting_limited
from fastgrad.problem.working_copy import WorkingCopy
from fastgrad.problem.wrapped import cost_first
from fastgrad.specification import Specification


def vetted_gradient(spec: Specification, looks: Looks | None = None) -> tuple[Specification, ClaimedGradient]:
    """The claimed gradient of a check, after the checks that it is a function and does not write to args.

    Parameters
    ----------
    spec : Specification
    looks : what there is a budget for; everything without one

    Returns
    -------
    Specification, ClaimedGradient
        The specification has the gradient function as it must be called: alone, or after the cost.
    """
    if isinstance(spec.problem.gradient, bool | np.bool_) and spec.problem.gradient:
        spec = with_halves(spec)
    problem, looks = spec.problem, Looks() if looks is None else looks
    said: list[str] = []
    with args_unchanged(problem.args, "gradient function", said.append):
        spec, claim = _vetted(spec, looks)
    return spec, replace(claim, notes=(*claim.notes, *said))


def _vetted(spec: Specification, looks: Looks) -> tuple[Specification, ClaimedGradient]:
    """The same, without a look at args."""
    problem = spec.problem
    pure = is_networks_own(problem.gradient, problem.structure, "gradient")
    if pure:
        return spec, claimed_gradient(problem.gradient, spec.parameters, problem.args, pure, looks)
    if spec.options.vectorized:
        claim = claimed_gradient(problem.gradient, spec.parameters, problem.args, looks=looks)
        return spec, _stale_if_curved(claim, problem.cost, problem.args, looks, vectorized=True)
    gradient, claim = alone_or_after_cost(problem, spec.parameters, looks)
    if gradient is not problem.gradient:
        spec = replace(spec, problem=replace(problem, gradient=gradient))
    return spec, claim


def alone_or_after_cost(
    problem: Problem, parameters: Parameters, looks: Looks
) -> tuple[Any, ClaimedGradient]:
    """The gradient function as it must be called, and the claimed gradient.

    A gradient function may read what the cost keeps from its last call. Called alone it raises, or answers
    for other parameters. Then the cost is called once, and the gradient function again, before anything is
    said of it.

    Parameters
    ----------
    problem : Problem, with the cost, and with the gradient as a function or as a structure of values
    parameters : Parameters
    looks : Looks

    Raises
    ------
    InputError
        As for `claimed_gradient`, where it is no better after a call of the cost. What the gradient function
        itself raises passes through likewise.
    """
    cost, gradient, args = problem.cost, problem.gradient, problem.args
    if not callable(gradient):
        return gradient, claimed_gradient(gradient, parameters, args)
    calls = _Calls(gradient, parameters, args, looks, cost=cost)
    try:
        claim = calls.by_four_calls()
    except Exception:
        found = None if calls.is_final else _after_cost(problem, parameters, looks)
        if found is None or (calls.differed and NOT_CALLED_AGAIN in found[1].notes):
            raise
        return found
    claim = _stale_if_curved(claim, cost, args, looks)
    if not claim.stale:
        return gradient, claim
    probe = _Calls(cost_first(cost, gradient), parameters, args, looks, calls_cost=True)
    found = None
    if not probe.is_stale(claim.at(probe.indices).values):
        found = _after_cost(problem, parameters, looks)
    return (gradient, claim) if found is None else found


def _stale_if_curved(
    claim: ClaimedGradient,
    cost: Callable[..., Any],
    args: tuple[Any, ...],
    looks: Looks,
    vectorized: bool = False,
) -> ClaimedGradient:
    """The claim, which is not stale if the cost is linear: its gradient is the same everywhere then."""
    if not claim.stale:
        return claim

    def counted(*given: Any) -> Any:
        if not looks.room_for_cost():
            raise TimeoutError("what is not known to bend is not accused")
        return looks.call_cost(cost, *given)

    stale = bends(counted, claim.parameters, args, vectorized)
    return replace(claim, stale=stale)


def _after_cost(problem: Problem, parameters: Parameters, looks: Looks) -> tuple[Any, ClaimedGradient] | None:
    """The gradient function with a call of the cost before each of its own, if that is a function."""
    after = cost_first(problem.cost, problem.gradient)
    calls = _Calls(after, parameters, problem.args, looks, is_kept_elsewhere=True, calls_cost=True)
    try:
        claim = calls.by_four_calls()
    except Exception:
        return None
    if claim.stale:
        return None
    return after, replace(claim, notes=(AFTER_COST, *claim.notes))


def claimed_gradient(
    gradient: Any,
    parameters: Parameters,
    args: tuple[Any, ...],
    pure: bool = False,
    looks: Looks | None = None,
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
    looks : what there is a budget for; everything without one

    Raises
    ------
    InputError
        For another structure, shape or dtype than the parameters', naming the leaf; for a gradient function
        that changes its parameters, is random, accumulates, or keeps something from call to call.
    """
    if not callable(gradient):
        found = parameters.matched(gradient, "gradient")
        return ClaimedGradient(parameters, found.leaves, None, notes=found.notes)
    calls = _Calls(gradient, parameters, args, Looks() if looks is None else looks)
    return calls.by_one_call() if pure else calls.by_four_calls()


class _Calls:
    """The calls of a gradient function, with a private copy of the parameters.

    Answers are compared at the watched coordinates, which are all where the parameters are few enough.

    Parameters
    ----------
    gradient : callable(params, *args)
    parameters : Parameters
    args : what it takes beside the parameters
    looks : what there is a budget for
    is_kept_elsewhere : whether the cost may write into what it returns, which is then copied
    cost : callable(params, *args), which is called before the last call; None for no such call
    calls_cost : whether the gradient function calls the cost each time
    """

    def __init__(
        self,
        gradient: Callable[..., Any],
        parameters: Parameters,
        args: tuple[Any, ...],
        looks: Looks,
        is_kept_elsewhere: bool = False,
        cost: Callable[..., Any] | None = None,
        calls_cost: bool = False,
    ) -> None:
        self.cost, self.calls_cost = cost, calls_cost
        self.looks = looks
        self.longest = 0.0  # seconds of a call
        self.is_final = False  # whether a refusal would be the same after a call of the cost
        self.differed = False  # whether two answers for the same parameters did
        self.notes: tuple[str, ...] = ()
        self.is_kept_elsewhere = is_kept_elsewhere
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
        return replace(self._claimed(leaves, self._own(leaves)), notes=self.notes)

    def by_four_calls(self) -> ClaimedGradient:
        """The claimed gradient, after the checks that four calls allow, or as many as there is time for."""
        answer = self._call()
        first = self._at(answer)
        self._require_unchanged()
        if not self._room(3):
            return self._by_two_calls(answer, first)
        own = self._own(answer) if self.everything else None
        held = answer if self.everything else []
        del answer  # a large one is given back before the next call makes another
        jitter = self._jitter(first, self._at(self._call()))
        stale = self.is_stale(first)
        rewritten = bool(held) and not same_gradient(self._at(held), first)
        self._call_cost()
        last = self._call()
        self._require_same_as_before(first, self._at(last), jitter)
        notes = self.notes + (_REWRITTEN,) * rewritten
        notes += (_JITTERS.format(jitter.max(initial=0.0)),) * bool(jitter.any())
        claim = self._claimed(last, self._own(last) if own is None else own)
        jitter_of_blocks = self._jitter_of_blocks(jitter)
        return replace(claim, jitter=jitter_of_blocks, stale=stale, notes=notes)

    def _by_two_calls(self, answer: list[FloatArray], first: Floats) -> ClaimedGradient:
        """The claimed gradient after one more call, or none: there is no time for more."""
        own, jitter = self._own(answer), NO_JITTER
        if self._room(1):
            jitter = self._jitter(first, self._at(self._call()))
        claim = self._claimed(answer, own)
        return replace(claim, jitter=self._jitter_of_blocks(jitter), notes=(*self.notes, NOT_CALLED_AGAIN))

    def _room(self, calls: int) -> bool:
        """Whether there is time for so many more calls."""
        return self.looks.room(calls * self.longest, calls * self.calls_cost)

    def _claimed(self, answer: list[FloatArray], own: list[FloatArray]) -> ClaimedGradient:
        at_watched = None if self.everything else self._at(answer)
        noise = ClaimNoise(self._call, self.working, self._has_time)
        return ClaimedGradient(self.parameters, own, None, noise=noise, at_watched=at_watched)

    def _has_time(self, calls: int) -> bool:
        """Whether so many calls end within the budget."""
        return calls * self.longest <= self.looks.allowance.seconds_left

    def _call(self) -> list[FloatArray]:
        began = time.perf_counter()
        self.looks.allowance.spend(int(self.calls_cost))
        answer = self.gradient(self.working.structure, *self.args)
        self.longest = max(self.longest, time.perf_counter() - began)
        try:
            found = self.parameters.matched(answer, "gradient")
        except InputError:
            self.is_final = not _lacks_something(answer)
            raise
        self.notes += tuple(note for note in found.notes if note not in self.notes)
        return found.leaves

    def _call_cost(self) -> None:
        """Call the cost at x, so that a gradient function that reads what the cost keeps answers for x."""
        if self.cost is None or not self.looks.room_for_cost():
            return
        try:
            # What else is wrong with the cost is said when it is examined.
            with args_unchanged(self.args, "cost"), self._noting_exceptions():
                self.looks.call_cost_at_parameters(self.cost, self.working.structure, *self.args)
            require_unchanged(self.working)
        except InputError:
            self.is_final = True
            raise

    @contextlib.contextmanager
    def _noting_exceptions(self) -> Iterator[None]:
        """Go on after an exception of the cost, and say so where it does not come again."""
        try:
            yield
        except Exception as error:
            said = f"{type(error).__name__}: {error}".strip(": ")
            self.notes += (f"the cost raised {said} when it was first called at the parameters",)

    def _at(self, leaves: list[FloatArray]) -> Floats:
        """The values at the watched coordinates."""
        return self.parameters.take(leaves, self.indices)

    def _own(self, leaves: list[FloatArray]) -> list[FloatArray]:
        """The leaves, copied where they are few, or where they share memory with parameters or args."""
        others = [*self.working.flat_leaves, *self.parameters.leaves]
        others += [a for a in array_leaves(self.args) if not a.dtype.hasobject]
        return [
            np.array(leaf, subok=False)
            if self.everything
            or self.is_kept_elsewhere
            or any(np.may_share_memory(leaf, other) for other in others)
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

    def is_stale(self, first: Floats) -> bool:
        """Whether the gradient at y is the same numbers as at x, and not all zeros."""
        nearby = self._call_nearby(1.0)
        if nearby is not None and same_gradient(first, nearby) and self._room(1):
            nearby = self._call_nearby(FARTHER)
        return nearby is not None and bool(first.any()) and same_gradient(first, nearby)

    def _call_nearby(self, times: float) -> Floats | None:
        """The gradient at y; None if the function raises. The working copy is x again afterwards."""
        move(self.working, times)
        try:
            return self._at(self._call())
        except Exception:  # y may be outside the domain
            return None
        finally:
            put_back(self.working)

    def _require_unchanged(self) -> None:
        rebound, at = self.working.first_rebound(), self.working.first_change()
        if rebound is not None or at is not None:
            what = rebound if at is None else self.parameters.label(at)
            raise InputError(
                f"the gradient function changes its parameters ({what}); work on a copy inside it",
                code="FG305",
            )

    def _jitter(self, first: Floats, again: Floats) -> Floats:
        """How far two answers for x are apart; InputError where that is more than rounding error."""
        if same_gradient(first, again):
            return NO_JITTER
        apart = np.abs(again - first)
        largest = float(np.abs(first).max(initial=0.0))
        if np.isfinite(apart).all() and float(apart.max()) <= LARGEST_JITTER * largest:
            return apart
        self.differed = True
        label = self._label_of_worst(apart)
        if same_gradient(again, 2 * first, LARGEST_JITTER):
            raise InputError(
                "the gradient accumulates: the second call gave twice the first at the same parameters "
                f"({label}). A buffer is added to and never set to zero: zero it at the start of each call",
                code="FG306",
            )
        raise InputError(
            f"the gradient function gives another answer each time at the same parameters ({label}). Fix its "
            "random numbers (a seed, a dropout mask) and any state it keeps",
            code="FG307",
        )

    def _require_same_as_before(self, first: Floats, last: Floats, jitter: Floats) -> None:
        if same_gradient(first, last) or (jitter.any() and same_gradient(first, last, LARGEST_JITTER)):
            return
        self.differed = True
        self._require_same_cost()
        label = self._label_of_worst(np.abs(last - first))
        raise InputError(
            f"the gradient function keeps something from call to call: after a call at other parameters it "
            f"gives another answer for the first ones ({label}). Look for a cache that is not keyed by the "
            "parameters, or activations left from an earlier forward pass",
            code="FG308",
        )

    def _require_same_cost(self) -> None:
        """See that it is not the cost that gives another answer each time, as one that changes its data."""
        if self.cost is not None and self.looks.room_for_cost():
            first = self.looks.earlier
            self.looks.call_cost_at_parameters(self.cost, self.working.structure, *self.args)
            if first is not None and self.looks.earlier is not None:
                require_alike(first, self.looks.earlier)

    def _label_of_worst(self, apart: Floats) -> str:
        at = int(np.argmax(np.where(np.isnan(apart), np.inf, apart)))
        return self.parameters.label(int(self.indices[at]))


def _lacks_something(answer: Any) -> bool:
    """Whether there is a None in an answer: what nobody has computed yet, perhaps."""
    with nesting_limited("the gradient"):
        leaves = optree.tree_leaves(answer, none_is_leaf=True, namespace=NAMESPACE)
    return any(leaf is None for leaf in leaves)


NOT_CALLED_AGAIN = (
    "the budget left no time to call the gradient function again: whether it is a function of the parameters "
    "was not looked at"
)
AFTER_COST = (
    "the gradient function reads what the last call of the cost left behind: the cost was called before each "
    "call of it, at the same parameters"
)
_REWRITTEN = (
    "the gradient function returns the same array at every call and writes the next answer into it: "
    "whoever keeps one gradient while asking for another must copy it"
)
_JITTERS = (
    "the gradient function does not repeat itself to the last digit: two calls at the same parameters were "
    "up to {:.2g} apart, which the error bounds allow for"
)
