"""The noise of the claimed gradient's own arithmetic, measured by ECNoise on the gradient function itself.

The gradient is called at seven points x + k h s around the parameters, s random signs times 8/8 to 12/8,
and the third and fourth differences of each entry along k show its noise (differences/noise.py has the
notation). A move of 2^-46 of a parameter is enough for float64. A gradient that computes in float32 inside
does not see it: it gives the same numbers, and is asked again at moves of 2^-20 and, for what is still the
same, of 2^-12.

A gradient may also give the same numbers for being constant between kinks (absolute errors, hinges, ReLU
under a linear loss). Nothing of it moves at 2^-20, and where it jumps then, or at 2^-12, that is a kink and
no rounding. So jumps of entries that stand still count only where most entries move. The rounding of what
does not move cannot be seen. Where a block consists of numbers of float32, or of such numbers over a count,
it is taken to be that of a claim that is given as values.

It is measured only where the claim looks wrong by little, for it takes 7 to 21 calls of the gradient.
(docs/numerics.md, Claim.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import comb, sqrt

import numpy as np

from fastgrad.arrays import Bools, FloatArray, Floats, IndexArray
from fastgrad.differences.rounding import SINGLE_EPSILON
from fastgrad.differences.scales import size_of_zeros, typical_effect
from fastgrad.problem.claim import NOISES, ClaimedGradient, holds_float32
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.working_copy import WorkingCopy

POINTS = 7
"""Points along a random direction."""

ORDERS = (3, 4)
"""Differences that show noise: curvature has left those of third order."""

FINE, COARSE, WIDE = 2.0**-46, 2.0**-20, 2.0**-12
"""Moves in units of a parameter: of float64, of float32, and of float32 where an entry has lost most of its
digits to cancellation, so that it stays the same under COARSE ones."""

LAST_DIGIT = 2.0**-23
"""The last digit of float32, in units of a number."""

STANDS_STILL, JUMP = 2, 2.0**-5
"""Steps of six over which an entry stays the same, and its jump as a share of itself, where that is of a
kink. Rounding leaves less, but where nearly all of an entry cancels."""

GRID = 0.289
"""Standard deviation of what rounding to a grid leaves, 1 / sqrt(12), in units of its spacing. Few of seven
points may lie on either side of a rounding, so that their scatter says less."""

MOST_COUNTED = 2**16
"""The largest count by which a sum in float32 is looked for to be divided."""

SAME = 0.5
"""Where more than this share of the entries stays the same under FINE moves, COARSE ones are made."""

MOVING = 0.5
"""Where less than this share of the entries move, the gradient is constant between kinks."""

LARGEST = 2**22
"""Parameters up to which the noise is measured: it takes seven gradients in memory."""

Gradient = Callable[[], Sequence[FloatArray]]
"""The claimed gradient at the working copy, a flat array for each block."""


class ClaimNoise:
    """Measures the noise of a gradient function once, when it is asked.

    Parameters
    ----------
    gradient : Gradient
    working : the private copy of the parameters that it is called with
    has_time : whether there is time for so many calls; always, if it is not given
    """

    def __init__(
        self, gradient: Gradient, working: WorkingCopy, has_time: Callable[[int], bool] = lambda calls: True
    ) -> None:
        self.gradient, self.working, self.has_time = gradient, working, has_time
        self.parameters: Parameters = working.parameters
        self._noise: list[Floats] | None = None
        self._as_values: ClaimedGradient | None = None
        self.calls = 0
        self.left_out = False
        """Whether there was no time to measure it."""

    @property
    def is_measured(self) -> bool:
        """Whether it was measured, or tried."""
        return self.calls > 0

    def measure(self) -> None:
        """Measure it, if there are not too many parameters."""
        if self.is_measured or self.parameters.size > LARGEST:
            return
        self.left_out = not self.has_time(POINTS)
        if self.left_out:
            return
        answers = self._answers(FINE)
        if answers is not None and _same(answers) > SAME:
            answers = self._answers(COARSE)
            if answers is not None and _moves(answers) and any(_stays(table).any() for table in answers):
                self._take(answers, self._answers(WIDE))
                return
        if answers is not None:
            self._take(answers)

    def _take(self, answers: list[Floats], wide: list[Floats] | None = None) -> None:
        """Take the noise from gradients, and that of entries that stay the same from wider moves."""
        rounds = _moves(answers)
        tables = answers
        if wide is not None:
            pairs = zip(answers, wide, strict=True)
            tables = [np.where(_stays(near), far, near) for near, far in pairs]
        self._noise = [np.where(_unseen(table, rounds), np.nan, noise_along(table)) for table in tables]
        self._as_values = ClaimedGradient(self.parameters, [table[POINTS // 2] for table in answers], None)

    def at(self, indices: IndexArray) -> Floats | None:
        """(m,) the noise at some coordinates; None where it was not measured."""
        if self._noise is None or self._as_values is None:
            return None
        noise = self.parameters.take(self._noise, indices)
        unseen = np.isnan(noise)
        if not unseen.any():
            return noise
        single = np.array([_is_single(leaf) for leaf in self._as_values.leaves])
        rounded = unseen & single[self.parameters.block_numbers(indices)]
        noise = np.where(unseen, 0.0, noise)
        if rounded.any():
            as_values = replace(
                self._as_values.at(indices), epsilons=tuple(np.where(single, SINGLE_EPSILON, 0.0).tolist())
            )
            noise[rounded] = (as_values.rounding(indices, self.parameters) / NOISES)[rounded]
        return noise

    def _answers(self, move: float) -> list[Floats] | None:
        """The gradients (7, size) of each block; None where one cannot be had."""
        if not self.has_time(POINTS):
            self.left_out = True
            return None
        leaves = self.parameters.leaves
        try:
            here = self._answer([np.zeros(len(x)) for x in leaves])
            by = _offsets(leaves, here, move)
            found = [
                here if k == 0 else self._answer([k * of_leaf for of_leaf in by])
                for k in range(-(POINTS // 2), POINTS // 2 + 1)
            ]
        except Exception:  # a point may be outside the domain
            return None
        finally:
            for leaf, x in zip(self.working.flat_leaves, leaves, strict=True):
                leaf[:] = x
        return [np.array(of_block) for of_block in zip(*found, strict=True)]

    def _answer(self, by: Sequence[Floats]) -> list[Floats]:
        """The gradient where each leaf is moved."""
        for leaf, x, of_leaf in zip(self.working.flat_leaves, self.parameters.leaves, by, strict=True):
            leaf[:] = x + of_leaf.astype(x.dtype)
        self.calls += 1
        return [np.array(leaf, dtype=np.float64) for leaf in self.gradient()]


def _offsets(leaves: Sequence[FloatArray], gradient: Sequence[Floats], move: float) -> list[Floats]:
    """Signed moves of each leaf, in units of the own size of each parameter.

    That of a zero is what gives it the typical effect, at most the size of the smallest others.
    """
    rng, found = np.random.default_rng(0), []
    x, g = (np.concatenate(parts).astype(np.float64) for parts in (leaves, gradient))
    least, effect = size_of_zeros(x), typical_effect(x, g, 0.0)
    for leaf, of_leaf in zip(leaves, gradient, strict=True):
        own = np.abs(leaf.astype(np.float64))
        with np.errstate(all="ignore"):
            natural = np.fmin(effect / np.abs(of_leaf), least) if effect else least
        size = np.where(own > 0, own, natural)
        by = max(move, 8 * float(np.finfo(leaf.dtype).eps)) * size
        found.append(by * rng.choice((-1.0, 1.0), len(leaf)) * rng.integers(8, 13, len(leaf)) / 8)
    return found


def noise_along(table: Floats) -> Floats:
    """The noise (n,) of each entry of seven gradients (7, n) at equally spaced points.

    An entry that stands still and jumps by more than some roundings is one of a cost with kinks, not of
    noise.

    Examples
    --------
    >>> line = np.arange(7.0)[:, None] * [1.0, 1.0]
    >>> wobble = 1e-6 * np.array([0, 1, 0, -1, 1, -1, 0.0])
    >>> found = noise_along(line + wobble[:, None] * [0, 1])
    >>> bool(found[0] == 0), bool(1e-7 < found[1] < 3e-6)
    (True, True)
    """
    noise = np.zeros(table.shape[1])
    with np.errstate(invalid="ignore"):
        steps = np.abs(np.diff(table, axis=0))
        largest = np.abs(table).max(axis=0)
        still = _stands_still(steps)
        kinked = still & (steps.max(axis=0) > JUMP * largest)
        spacing = np.min(steps, axis=0, where=steps > 0, initial=np.inf)
    noise = np.where(still & np.isfinite(spacing), GRID * spacing, noise)
    for order in ORDERS:
        differences = np.diff(table, n=order, axis=0)
        with np.errstate(all="ignore"):
            noise = np.fmax(
                noise, np.sqrt(np.square(differences).mean(axis=0)) / sqrt(comb(2 * order, order))
            )
    return np.where(kinked, np.minimum(noise, LAST_DIGIT * largest), noise)


def _unseen(table: Floats, rounds: bool) -> Bools:
    """(n,) the entries whose rounding does not show: they do not move, or, unless it `rounds`, have kinks.

    What is claimed to be zero is no sum that was rounded.
    """
    with np.errstate(invalid="ignore"):
        steps = np.diff(table, axis=0)
    unseen = (steps == 0).all(axis=0) if rounds else _stands_still(steps)
    return np.asarray(unseen & (table[POINTS // 2] != 0))


def _is_single(leaf: FloatArray) -> bool:
    """Whether a block consists of numbers of float32, or of the quotients of such numbers by one count."""
    if holds_float32(leaf):
        return True
    some = leaf[np.isfinite(leaf) & (leaf != 0)]
    if not len(some):
        return False
    counts = np.arange(1.0, MOST_COUNTED + 1)
    near = np.ones(len(counts), dtype=bool)
    for value in some[:3]:
        near &= _is_near_float32(value * counts)
    times = [some * count for count in counts[near][:1]]
    return bool(times) and bool(_is_near_float32(times[0]).all()) and holds_float32(_to_float32(times[0]))


def _is_near_float32(values: Floats) -> Bools:
    """Which are numbers of float32 but for one rounding in float64."""
    return np.asarray(np.abs(values - _to_float32(values)) <= 2.0**-52 * np.abs(values))


def _to_float32(values: Floats) -> Floats:
    with np.errstate(all="ignore"):
        return values.astype(np.float32).astype(np.float64)


def _stands_still(steps: Floats) -> Bools:
    """(n,) the entries of which some of six steps (6, n) are zero."""
    return np.asarray((steps == 0).sum(axis=0) >= STANDS_STILL)


def _stays(table: Floats) -> Bools:
    """(n,) the entries of seven gradients (7, n) that are the same at all points, and not zero."""
    return np.asarray((table == table[0]).all(axis=0) & (table[0] != 0))


def _moves(answers: list[Floats]) -> bool:
    """Whether most of the entries that are not zero move at nearly each step."""
    moving, count = 0, 0
    for table in answers:
        some = (table != 0).any(axis=0)
        count += int(some.sum())
        with np.errstate(invalid="ignore"):
            moving += int((some & ~_stands_still(np.abs(np.diff(table, axis=0)))).sum())
    return moving >= MOVING * count


def _same(answers: list[Floats]) -> float:
    """The share of the entries that are the same at all points."""
    same = sum(int((table == table[0]).all(axis=0).sum()) for table in answers)
    return float(same / sum(table.shape[1] for table in answers))
