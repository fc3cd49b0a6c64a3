"""Other ways of evaluating a plain cost, of which the fastest that gives the same is taken.

An adapter knows ways that fastgrad does not: a module of its library as a Network, many points in one call of
the library. It gives them as the structure of a Problem. Each is compared with the plain cost, at points at
which one parameter is moved, before it is trusted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fastgrad.arrays import Floats, IndexArray, Values
from fastgrad.engines.protocol import Engine
from fastgrad.engines.python import PythonEngine

OF_EACH_BLOCK = 2
"""Coordinates of each block at which an engine is compared with the plain cost, of at most MOST in all."""

MOST = 64

MOVED = 2.0**-8
"""How far they are moved, in units of the parameter's size."""

OF_THE_COST, OF_THE_CHANGE = 2.0**-40, 2.0**-20
"""By what share of the cost and of its change the two may differ in double precision, from rounding."""

FASTER = 0.8
"""The share of the plain cost's time that an evaluation may take."""

OTHERWISE = "the plain cost was evaluated: {name} gave {found:.17g} in place of {expected:.17g} at {where}"


@dataclass(frozen=True)
class Alternatives:
    """Ways of evaluating a cost.

    Parameters
    ----------
    ways : each makes an engine from the plain one, or returns None where it does not apply; the first that
        gives the same values faster is taken
    """

    ways: tuple[Callable[[PythonEngine], Engine | None], ...]

    def fastest(
        self, plain: PythonEngine, seconds: float, seed: int, taken_before: bool = False
    ) -> tuple[Engine, int, float]:
        """The first way that gives the same faster, the evaluations that it took to know, and its seconds.

        Parameters
        ----------
        plain : what evaluates the cost itself
        seconds : that one evaluation by it takes
        seed : of the points at which they are compared
        taken_before : whether an earlier run took one, which is taken again however fast it is
        """
        if not self.ways:
            return plain, 0, seconds
        some, offsets = points_beside(plain, seed)
        expected, made = None, 0
        for way in self.ways:
            engine = way(plain)
            if engine is None:
                continue
            if expected is None:
                expected, made = plain.values(some, offsets), made + offsets.size
            engine.values(some[:1], offsets[:1])  # what is compiled or allocated once
            began = time.perf_counter()
            found = engine.values(some, offsets)
            each = (time.perf_counter() - began) / offsets.size
            each = getattr(engine, "seconds_each", each)
            made += offsets.size + offsets.shape[1]
            at = first_difference(expected, found + engine.origin, plain)
            if at is not None:
                where = plain.parameters.label(int(some[at[0]]))
                shown = OTHERWISE.format(
                    name=engine.name, found=found[at] + engine.origin, expected=expected[at], where=where
                )
                plain.notes += (shown,)
            elif taken_before or each < FASTER * seconds:
                return engine, made, each
        return plain, made, seconds


def points_beside(plain: PythonEngine, seed: int) -> tuple[IndexArray, Values]:
    """Increasing coordinates of all blocks, and offsets (m, 2) for them."""
    rng, parameters = np.random.default_rng(seed), plain.parameters
    each = max(1, min(OF_EACH_BLOCK, MOST // max(1, len(parameters.blocks))))
    drawn = [b.start + rng.choice(b.size, min(each, b.size), False) for b in parameters.blocks if b.size]
    some = np.sort(np.concatenate(drawn)).astype(np.intp)
    x = parameters.take(parameters.leaves, some)
    size = np.where(x == 0, 1.0, np.abs(x))
    return some, (MOVED * size)[:, None] * np.array([-1.0, 1.0])


def first_difference(expected: Values, found: Values, plain: PythonEngine) -> tuple[int, int] | None:
    """Where two ways differ by more than rounding, the worst first; None where they do not.

    Parameters
    ----------
    expected, found : (m, S) values of the cost
    plain : its engine
    """
    times = (plain.epsilon or float(np.finfo(np.float64).eps)) / float(np.finfo(np.float64).eps)
    there = np.abs(expected).max(initial=0.0, where=np.isfinite(expected))
    change: Floats = (np.fmax.reduce(expected, axis=1) - np.fmin.reduce(expected, axis=1))[:, None]
    allowed = times * OF_THE_COST * there + OF_THE_CHANGE * change
    with np.errstate(invalid="ignore"):
        same = (np.abs(found - expected) <= np.nan_to_num(allowed)) | (np.isnan(found) & np.isnan(expected))
    if same.all():
        return None
    k, s = np.unravel_index(int(np.argmin(same)), same.shape)
    return int(k), int(s)
