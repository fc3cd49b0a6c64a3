"""Calibration of each coordinate by its own scale: noise from a few coordinates, steps from noise and claim.

The noise is that of the cost, measured along a few coordinates that move it. Sizes and steps follow from the
parameters, the claimed gradient and the noise (differences/scales.py); without a claim, from the effect that
the same few coordinates have. What a step hides is learnt from the coordinates that are measured at two
scales, by `stages`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fastgrad.arrays import FloatArray, Floats, IndexArray
from fastgrad.coordinates.calibration import Hidden, Scales
from fastgrad.coordinates.engines import Engines
from fastgrad.differences.noise import POINTS, ROUNDS, BlockNoise, describe_noise, measure_noise
from fastgrad.differences.rounding import rounding_floor
from fastgrad.differences.scales import SAMPLED, SHARE, own_scale, size_of_zeros, typical_effect
from fastgrad.differences.steps import raised, representable
from fastgrad.index_sets import as_run, distinct, spread_over
from fastgrad.problem.parameters import Parameters

PROBES = 3
"""Coordinates at which the noise is measured: SAFETY holds from three successes (differences/noise.py)."""

MOST_PROBES = 12
"""The most of them, where there are many coordinates, or where noise limits what can be seen."""

NOISY = 2.0**-36
"""Noise of more than this share of the cost limits what can be seen, and is measured at more coordinates."""

CHECKED_FOR_A_PROBE = 64
"""There is one more for every so many coordinates."""

DRAWN_FOR_A_PROBE = 8
"""Coordinates of which one is looked at."""

TRIES = 3
"""How often others are drawn, where none of them moves the cost."""

NOISE_OF_JUMPS = 0.5
"""The noise of a cost that jumps, in units of the largest jump seen: what is left out by the iteration is
between zero and a jump."""

TINY = float(np.finfo(np.float64).tiny)
"""The least distance at which noise is looked for: below it floats are not normal."""

UNMEASURED = 16.0
"""The noise in units of what rounding the cost alone leaves, where there was no budget to measure it."""

FRUGAL = (
    "the budget was too small to measure the noise of the cost: it is taken as 16 times what rounding its "
    "value leaves"
)

Claimed = Callable[[IndexArray], Floats]
"""The claimed derivatives at some coordinates; NaN where nothing is claimed."""


@dataclass(eq=False)
class OwnCalibration:
    """What is known of coordinates, each by its own scale."""

    parameters: Parameters
    claimed: Claimed
    z: float
    sigma: dict[np.dtype[Any], float]
    """The noise of a value, by the dtype of the parameter that is moved."""
    effect: float
    """The typical change of the cost that a parameter makes, moved by its own size."""
    notes: tuple[str, ...] = ()
    single: bool = False
    """Whether the cost was seen to compute in float32."""
    jump: float = 0.0
    """The jumps of the cost near the parameters, which count as noise; 0 where none were looked for, or
    seen."""
    hidden: Hidden = field(default_factory=Hidden)
    _latest: tuple[int, IndexArray, Scales] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._of_zeros = size_of_zeros(self.parameters.spread(SAMPLED))

    def with_jumps(self, jump: float) -> OwnCalibration:
        """The calibration for a cost that jumps by so much."""
        sigma = {dtype: max(noise, NOISE_OF_JUMPS * jump) for dtype, noise in self.sigma.items()}
        note = (
            f"the cost jumps by {jump:.2g} near the parameters, as one does that stops an inner iteration at "
            "a tolerance: that is part of its noise"
        )
        return replace(self, sigma=sigma, jump=jump, notes=(*self.notes, note), hidden=Hidden())

    def scales(self, indices: IndexArray) -> Scales:
        """The scales of some coordinates: the stages of a measurement ask for the same ones several times."""
        before = self._latest
        if before is not None and before[0] == self.hidden.changes and np.array_equal(before[1], indices):
            return before[2]
        found = self._scales(indices)
        self._latest = self.hidden.changes, indices, found
        return found

    def steps(self, indices: IndexArray) -> Floats:
        """The steps alone."""
        return self.scales(indices).step

    def _scales(self, indices: IndexArray) -> Scales:
        numbers = self.parameters.block_numbers(indices)
        x = self.parameters.take(self.parameters.leaves, indices)
        sigma = np.array([self.sigma[block.dtype] for block in self.parameters.blocks])[numbers]
        least = np.full(len(x), self._of_zeros)
        own = own_scale(x, self.claimed(indices), least, sigma, self.effect, self.z)
        step = own.step * self.hidden.stretched_by(own.cell) if self.hidden.stretched else own.step
        for number, where in self.parameters.segments(indices):
            block, leaf = self.parameters.blocks[number], self.parameters.leaves[number]
            step[where] = raised(step[where], leaf[as_run(indices[where] - block.start)])
        return Scales(own.own, own.size, step, sigma, np.zeros(len(x)), own.cell)

    @property
    def noise(self) -> dict[str, float]:
        """The standard deviation of a value, by block name."""
        return {block.name: self.sigma[block.dtype] for block in self.parameters.blocks}

    @property
    def noise_parts(self) -> dict[str, tuple[float, float]]:
        """Its two parts by block name: all of it is constant."""
        return {name: (sigma, 0.0) for name, sigma in self.noise.items()}

    @property
    def largest_noise(self) -> float:
        """The largest standard deviation of a value."""
        return max(self.sigma.values())


def calibrate_coordinates(
    engines: Engines, indices: IndexArray, claimed: Claimed, z: float, seed: int
) -> OwnCalibration:
    """Measure the noise of the cost at a few of the coordinates to be moved.

    Parameters
    ----------
    engines : Engines
    indices : (m,) the coordinates that will be moved
    claimed : Claimed
    z : the quantile of all bounds
    seed : for the choice of coordinates
    """
    parameters = engines.moved
    look = _Look(engines, indices, claimed, np.random.default_rng(seed))
    found = {dtype: look.noise_of(dtype) for dtype in {block.dtype for block in parameters.blocks}}
    seen = [noise.sigma for noise in found.values() if noise is not None and noise.moved]
    some = indices[spread_over(len(indices), SAMPLED)]
    x, g = parameters.take(parameters.leaves, some), claimed(some)
    floor = rounding_floor(max(abs(engines.cost), typical_effect(x, g, 0.0)), engines.epsilon)
    usual = max(seen, default=UNMEASURED * floor if look.frugal else floor)
    sigma = {
        dtype: noise.sigma if noise is not None and noise.moved else usual for dtype, noise in found.items()
    }
    said = (describe_noise(noise, engines.cost) for noise in found.values() if noise is not None)
    notes = tuple(sentence for sentence in said if sentence) + (FRUGAL,) * look.frugal
    most = max(sigma.values())
    effect = typical_effect(x, g, most) or look.effect(most)
    single = any(noise is not None and noise.single_precision for noise in found.values())
    return OwnCalibration(parameters, claimed, z, sigma, effect, notes[:2], single)


class _Look:
    """A first look at the cost, along a few coordinates."""

    def __init__(
        self, engines: Engines, indices: IndexArray, claimed: Claimed, rng: np.random.Generator
    ) -> None:
        self.engines, self.indices, self.claimed, self.rng = engines, indices, claimed, rng
        self.parameters, self.evaluate = engines.moved, engines.in_reals
        self.frugal = self.noisy = False
        self.looked_at = np.empty(0, dtype=np.intp)

    def noise_of(self, dtype: np.dtype[Any]) -> BlockNoise | None:
        """The noise along coordinates of one dtype; None where there are none, or there is no budget."""
        mine = self._of_dtype(dtype)
        found, tried = None, np.empty(0, dtype=np.intp)
        for _ in range(TRIES):
            left = mine[~np.isin(mine, tried)]
            count = min(len(left), self._count(len(mine)))
            if not count:
                break
            probes = np.sort(self._drawn(left, count))
            tried = np.concatenate([tried, probes])
            noise = self._measured(probes)
            if found is None or not found.moved or (noise.moved and noise.sigma > found.sigma):
                found = noise
            if noise.moved and (self.noisy or noise.sigma <= NOISY * abs(self.engines.cost)):
                break
            self.noisy |= bool(noise.moved)
        self.looked_at = distinct(np.concatenate([self.looked_at, tried]))
        return found

    def effect(self, sigma: float) -> float:
        """How much the cost changes when one of a few parameters is moved by its size, from SHARE of that."""
        at = self.looked_at if len(self.looked_at) else self.indices[:1]
        size = self._sizes(at)
        d = np.column_stack([-SHARE * size, SHARE * size])
        for number, where in self.parameters.segments(at):
            block, leaf = self.parameters.blocks[number], self.parameters.leaves[number]
            d[where] = representable(leaf[at[where] - block.start], d[where])
        with np.errstate(all="ignore"):
            changes = np.abs(self.evaluate(at, d) - self.engines.f0).max(axis=1) / SHARE
        changes = changes[np.isfinite(changes) & (changes > sigma / SHARE)]
        return float(np.median(changes)) if len(changes) else 0.0

    def _of_dtype(self, dtype: np.dtype[Any]) -> IndexArray:
        some = self.indices[spread_over(len(self.indices), SAMPLED)]
        same = np.array([block.dtype == dtype for block in self.parameters.blocks])
        return np.asarray(some[same[self.parameters.block_numbers(some)]])

    def _count(self, there: int) -> int:
        """How many coordinates are looked at: fewer where the budget is small."""
        wanted = min(MOST_PROBES, PROBES + there // CHECKED_FOR_A_PROBE)
        if self.noisy:
            wanted = MOST_PROBES
        room = self._room()
        self.frugal |= room == 0
        return min(wanted, room)

    def _room(self) -> int:
        """At how many coordinates there is budget to look."""
        left = self.evaluate.run.budget.left(self.engines.seconds)
        return int(min(left / 2, 2**30)) // (ROUNDS * POINTS)

    def _drawn(self, left: IndexArray, count: int) -> IndexArray:
        """Of some coordinates at random those that are claimed to move the cost most.

        Where values move by less than their rounding the points must be far apart, and kinks between them
        look like noise.
        """
        some = self.rng.permutation(left)[: DRAWN_FOR_A_PROBE * count]
        with np.errstate(all="ignore"):
            effects = np.nan_to_num(
                np.abs(self.claimed(np.sort(some)) * self._sizes(np.sort(some))), posinf=0.0
            )
        return np.sort(some)[np.argsort(-effects, kind="stable")[:count]]

    def _measured(self, probes: IndexArray) -> BlockNoise:
        """The noise along some coordinates; of fewer than PROBES each is looked at at several distances.

        Nine values of one coordinate may look smooth by chance: those of a float32 cost that climb by 13
        units of rounding at each of nine points.
        """
        probes = np.sort(np.resize(probes, max(len(probes), min(PROBES, self._room()))))
        turn = np.arange(len(probes)) - np.searchsorted(probes, probes)
        x = self._x(probes)
        size = self._sizes(probes)
        eps = float(np.finfo(x.dtype).eps)
        around = np.asarray(2.0 ** np.round(np.log2(np.maximum(eps ** (1 / 3) * size, TINY))))
        around = around * 2.0**-turn
        return measure_noise(
            self.evaluate, x, probes, around,
            epsilon=self.engines.epsilon, largest=abs(self.engines.cost), scale=size,
            repeated=bool(turn.any()),
        )  # fmt: skip

    def _x(self, at: IndexArray) -> FloatArray:
        """The parameters at coordinates of one dtype."""
        parts = [
            self.parameters.leaves[number][at[where] - self.parameters.blocks[number].start]
            for number, where in self.parameters.segments(at)
        ]
        return np.concatenate(parts)

    def _sizes(self, at: IndexArray) -> Floats:
        """The size of each parameter; of zeros that of the smallest tenth."""
        size = np.abs(self.parameters.take(self.parameters.leaves, at))
        if (size == 0).any():
            size[size == 0] = size_of_zeros(self.parameters.spread(SAMPLED))
        return size
