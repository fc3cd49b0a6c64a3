"""Calibration of each block, for engines that propagate changes: noise, step, truncation error at that step.

The coordinates of a layer of a network are alike, for its structure is known. A few of them are measured and
stand for their block (docs/numerics.md, Step and Noise). A coordinate that is unlike them has a difference
that disagrees or a bound that is too wide. It is then measured on its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Evaluate, Floats, IndexArray
from fastgrad.coordinates.calibration import UNSEEN, Hidden, Scales
from fastgrad.coordinates.engines import Engines
from fastgrad.differences.noise import (
    ALIKE,
    HALF,
    POINTS,
    SAFETY_OF_FEW,
    BlockNoise,
    State,
    describe_noise,
    difference_table_noise,
    measure_noise,
)
from fastgrad.differences.rounding import ROUNDING_SD
from fastgrad.differences.stencils import CENTRAL, Stencil
from fastgrad.differences.step_selection import StepChoice, choose_step, step_cap
from fastgrad.differences.steps import default_step, default_steps, raised, representable
from fastgrad.index_sets import distinct
from fastgrad.problem.parameters import Parameters

CALIBRATED = 4
"""Coordinates that a block is calibrated at (docs/numerics.md, Step)."""

CLOSE_BY = 256.0
"""Changes are looked at around the step and at this fraction of it: rounding in proportion to the change is
far less there, and what is not less is a constant."""

ULPS_OF_A_GRAIN = 64
"""Spacing, in ulp, of the nine points around a step from which the rounding of changes is seen."""

FEW_ROUNDINGS = 16.0
"""Roundings allowed for where nine values around a step showed none."""

CHECKED_FOR_A_PROBE = 8
"""A block has a probe for every so many checked coordinates, so that a small one is not looked at for longer
than it is swept."""


@dataclass(frozen=True, eq=False)
class BlockCalibration:
    """What was seen of each block; arrays have an entry for each, those not looked at hold NaN."""

    parameters: Parameters
    constant: Floats
    """Standard deviation of the noise of a value that does not depend on the step."""
    proportional: Floats
    """The part that grows with the offset, for values counted from the cost at the parameters."""
    step: Floats
    """The step that central differences should take."""
    truncation: Floats
    """Truncation error of the screening stencil at its step: UNSEEN times twice the largest seen."""
    hidden: Hidden
    notes: tuple[str, ...]
    single: bool = False
    """Whether the cost was seen to compute in float32."""

    @classmethod
    def of(
        cls, parameters: Parameters, found: Floats, notes: tuple[str, ...] = (), taken: Floats | None = None
    ) -> BlockCalibration:
        """From the four arrays as rows of one; `taken` are the steps that the truncation belongs to."""
        constant, proportional, step, truncation = found
        change = truncation * (step if taken is None else taken)
        changes = dict(enumerate(np.where(np.isnan(change), np.inf, change).tolist()))
        hidden = Hidden(changes, dict.fromkeys(changes, np.inf))
        return cls(parameters, constant, proportional, step, truncation, hidden, notes)

    def scales(self, indices: IndexArray) -> Scales:
        """The scales of some coordinates: those of their blocks."""
        if len(indices):
            first, last = self.parameters.block_numbers(indices[[0, -1]]).tolist()
            if first == last:  # indices increase: nearly always all are of one block
                one = (self.parameters.typical_sizes, self.step, self.constant, self.proportional)
                size, step, constant, proportional = (np.broadcast_to(a[first], len(indices)) for a in one)
                at = np.broadcast_to(np.intp(first), len(indices))
                return Scales(size, size, step, constant, proportional, at)
        at = self.parameters.block_numbers(indices)
        size = self.parameters.typical_sizes[at]
        return Scales(size, size, self.step[at], self.constant[at], self.proportional[at], at)

    def steps(self, indices: IndexArray) -> Floats:
        """The steps alone."""
        return np.asarray(self.step[self.parameters.block_numbers(indices)])

    @property
    def noise(self) -> dict[str, float]:
        """The standard deviation of a value at each block's step, by block name."""
        sigma = self.constant + self.proportional * np.abs(self.step)
        return {b.name: float(s) for b, s in zip(self.parameters.blocks, sigma, strict=True)}

    @property
    def noise_parts(self) -> dict[str, tuple[float, float]]:
        """Its two parts by block name: a constant, and what grows with the offset."""
        pairs = zip(self.constant.tolist(), self.proportional.tolist(), strict=True)
        return {b.name: pair for b, pair in zip(self.parameters.blocks, pairs, strict=True)}

    @property
    def largest_noise(self) -> float:
        """The largest standard deviation of a value that does not depend on the step."""
        return float(np.nanmax(self.constant))


def calibrate_blocks(
    engines: Engines, indices: IndexArray, seed: int, most: int = CALIBRATED
) -> BlockCalibration:
    """Measure noise, step and truncation error of each block at a few of the coordinates to be moved.

    Parameters
    ----------
    engines : Engines
    indices : (m,) the coordinates that will be moved
    seed : for the choice of coordinates
    most : coordinates of a block that are measured, at most. With 0 it is one of the largest block, whose
        noise is taken for the others. The truncation error of all blocks is then unknown, and each coordinate
        has to show its own
    """
    evaluate, parameters, f0 = engines.in_reals, engines.moved, engines.f0
    stencil, given, epsilon, cost = engines.stencil, engines.given_steps, engines.epsilon, engines.cost
    from_origin = evaluate.engine.origin != 0  # values then round in proportion to their change
    blocks = len(parameters.blocks)
    found = np.full((4, blocks), np.nan)
    exact = np.zeros(blocks, dtype=bool)
    if from_origin:
        found = _calibrate_changes(evaluate, parameters, indices, f0, seed)
        constant, proportional, step, _ = found
        exact = constant <= proportional * step
        if stencil is CENTRAL and not given and exact[np.isfinite(constant)].all():
            return BlockCalibration.of(parameters, found)
    if most == 0:
        return _calibrate_one(engines, indices)
    notes: dict[str, list[str]] = {}
    taken = found[2].copy()
    rng = np.random.default_rng(seed)
    for number, where in parameters.segments(indices):
        block, leaf = parameters.blocks[number], parameters.leaves[number]
        typical = parameters.typical_size(number)
        looked_at = _BlockSample(evaluate, leaf, _draw(indices[where], rng, most), block.start, f0, typical)
        if not exact[number]:
            noise = looked_at.noise(epsilon, 0.0 if from_origin else abs(cost))
            note = None if from_origin else describe_noise(noise, cost)
            if note:
                notes.setdefault(note.partition(":")[2] or note, []).append(f"{block.shown}: {note}")
            choice = looked_at.step(noise.sigma)
            sigma = max(noise.sigma, choice.smallest_visible_change / 2)
            found[:, number] = sigma, 0.0, choice.h, UNSEEN * choice.truncation
            taken[number] = choice.h
        if stencil is not CENTRAL or block.name in given:
            h = given.get(block.name, default_step(leaf, stencil, looked_at.typical))
            found[3, number], taken[number] = UNSEEN * looked_at.truncation(stencil, h), h
    said = tuple(_one_for_all(names) for names in notes.values())
    return BlockCalibration.of(parameters, found, said, taken)


FRUGAL = (
    "the budget was too small to look at each block: the noise is that of one coordinate, steps are those of "
    "each block's size"
)


def _calibrate_one(engines: Engines, indices: IndexArray) -> BlockCalibration:
    """The noise of one coordinate for all blocks, and the default step of each."""
    parameters = engines.moved
    largest, where = max(parameters.segments(indices), key=lambda pair: len(indices[pair[1]]))
    block, leaf = parameters.blocks[largest], parameters.leaves[largest]
    typical = parameters.typical_size(largest)
    one = _BlockSample(engines.in_reals, leaf, indices[where][:1], block.start, engines.f0, typical)
    from_origin = engines.in_reals.engine.origin != 0
    sigma = one.noise(engines.epsilon, 0.0 if from_origin else abs(engines.cost)).sigma
    many = np.ones(len(parameters.blocks))
    steps = default_steps(parameters)
    found = np.array([sigma * many, 0.0 * many, steps, np.inf * many])
    return BlockCalibration.of(parameters, found, (FRUGAL,))


@dataclass(frozen=True, eq=False)
class _BlockSample:
    """A few coordinates of one block, and what can be asked of them."""

    sample: Evaluate
    leaf: npt.NDArray[np.floating]
    indices: IndexArray
    start: int  # of the block
    f0: float
    typical: float  # size of the block

    @property
    def x(self) -> npt.NDArray[np.floating]:
        return self.leaf[self.indices - self.start]

    def noise(self, epsilon: float, largest: float) -> BlockNoise:
        """The noise of values around the default step."""
        around, typ = default_step(self.leaf, CENTRAL, self.typical), self.typical
        return measure_noise(
            self.sample, self.x, self.indices, around, epsilon=epsilon, largest=largest, scale=typ
        )

    def step(self, sigma: float) -> StepChoice:
        """The step at which truncation and noise balance."""
        return choose_step(
            self.sample,
            self.x,
            self.indices,
            default_step(self.leaf, CENTRAL, self.typical),
            f0=self.f0,
            noise_of=lambda h: sigma,
            cap=step_cap(self.typical),
        )

    def truncation(self, stencil: Stencil, h: float) -> float:
        """2 max |D(h) - D(2h)| / (2^p - 1) over the probes: Richardson's estimate of the error of D(h)."""
        if stencil.is_complex:
            return 0.0
        slopes = []
        for step in (h, 2 * h):
            d = representable(self.x, stencil.steps_to_offsets(np.full(len(self.x), step)))
            slopes.append(stencil.derivative(self.sample(self.indices, d), d, self.f0))
        with np.errstate(invalid="ignore"):
            error = np.abs(slopes[0] - slopes[1]) / (2**stencil.order - 1)
        return float(2 * error.max()) if np.isfinite(error).all() else float("inf")


def _calibrate_changes(
    sample: Evaluate, parameters: Parameters, indices: IndexArray, f0: float, seed: int
) -> Floats:
    """The four rows of a Calibration for values counted from the cost at the parameters, in one call.

    Where changes are propagated as changes they round in proportion to the offset, so that no step is much
    better than another: the default one, at which truncation is far below what counts, is not tuned. (The
    tuned survey took half of a whole check of a 64-32-10 network.) Elsewhere a change is a difference of two
    values that were not computed in quite the same way: its noise is a constant, as near the parameters as
    at the step, and what is left there beside slope and curvature is noise too.
    """
    rng = np.random.default_rng(seed)
    steps = default_steps(parameters)
    segments = list(parameters.segments(indices))
    probes = np.concatenate([_draw(indices[where], rng) for _, where in segments])
    numbers = parameters.block_numbers(probes)
    x = [parameters.leaves[b][i - parameters.blocks[b].start] for b, i in zip(numbers, probes, strict=True)]
    h = raised(steps[numbers], np.array(x))
    near, far = (_table_offsets(around, x) for around in (h / CLOSE_BY, h))
    offsets = np.concatenate([near, far, h[:, None] * np.array([-2.0, -1.0, 1.0, 2.0])], axis=1)
    values = sample(probes, offsets)
    f = values[:, 2 * POINTS :] - f0  # at -2h, -h, h, 2h
    slope, bend = (8 * (f[:, 2] - f[:, 1]) - (f[:, 3] - f[:, 0])) / (12 * h), (f[:, 2] + f[:, 1]) / (2 * h**2)
    expected = f0 + (slope + bend * near[:, HALF]) * near[:, HALF]
    left_over = np.abs(np.nan_to_num(values[:, HALF] - expected))
    close, away = np.split(_noise_seen(np.concatenate(np.split(values[:, : 2 * POINTS], 2, axis=1))), 2)
    constant = np.maximum(close, SAFETY_OF_FEW * left_over)
    growing = np.where(away > ALIKE * constant, away, ROUNDING_SD * np.spacing(np.abs(values[:, -2]))) / h
    # A block whose probes move nothing may hold others that do: they round like the rest of the gradient.
    still = ~f.any(axis=1)
    roundings = FEW_ROUNDINGS * ROUNDING_SD * float(np.finfo(np.float64).eps)
    growing[still] = np.maximum(growing[still], roundings * np.nan_to_num(np.abs(slope)).max(initial=0.0))
    with np.errstate(all="ignore"):
        error = np.abs((f[:, 2] - f[:, 1]) / 2 - (f[:, 3] - f[:, 0]) / 4) / (3 * h)
    found = np.full((4, len(steps)), np.nan)
    for number in distinct(numbers):
        here = numbers == number
        worst = float(np.max(error[here]))
        truncation = 2 * UNSEEN * worst if np.isfinite(worst) else np.inf
        found[:, number] = np.max(constant[here]), np.max(growing[here]), steps[number], truncation
    return found


def _table_offsets(around: Floats, x: Any) -> Floats:
    """Nine points around an offset of each coordinate, some ulp apart."""
    grain = ULPS_OF_A_GRAIN * np.maximum(
        np.spacing(np.abs(x).astype(np.float64) + around), np.spacing(around)
    )
    return np.asarray(around[:, None] + grain[:, None] * np.arange(-HALF, HALF + 1))


def _noise_seen(values: Floats) -> Floats:
    """The noise of each row of nine values, allowing for few roundings where none was seen."""
    sigma, state = difference_table_noise(values)
    floor = ROUNDING_SD * np.spacing(np.abs(np.nan_to_num(values[:, HALF])))
    return np.maximum(np.where(state == State.OK, SAFETY_OF_FEW * sigma, FEW_ROUNDINGS * floor), floor)


def _draw(indices: IndexArray, rng: np.random.Generator, most: int = CALIBRATED) -> IndexArray:
    count = int(np.clip(len(indices) // CHECKED_FOR_A_PROBE, 1, most))
    return np.sort(rng.choice(indices, count, replace=False))


def _one_for_all(sentences: list[str]) -> str:
    others = len(sentences) - 1
    return sentences[0] + (f" (and {others} more block{'s' * (others > 1)} alike)" if others else "")
