"""How a coordinate is measured, from cheap to careful: the stages that refine.py takes what is open through.

screen    the stencil's values, with what its block was seen to be like
own       truncation is this coordinate's own: four values at an eighth of the step for what looks wrong
(of the kinks within a step, three in four are then out of reach), six at a larger step for what
is lost in noise
finer     four values at a sixty-fourth of the step, for what still looks wrong
ladder    a ladder of steps, where kinks, ends of the domain and jumps show
confirm   the ladder again at unrelated steps, for what is about to be called wrong
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fastgrad.arrays import Evaluate, Floats, IndexArray, Values, root_mean_square
from fastgrad.coordinates.calibration import Calibration
from fastgrad.coordinates.ladder_scales import Climb
from fastgrad.coordinates.table import CONFIRMED, FINER, LADDERED, OWN, CoordinateTable
from fastgrad.differences.bounds import (
    by_complex_step,
    by_four_points,
    by_six_points,
    screened,
    unknown_where_not_finite,
)
from fastgrad.differences.kinks import has_kink_at_four_points
from fastgrad.differences.ladder import UNRELATED
from fastgrad.differences.noise import fourth_difference_noise
from fastgrad.differences.plan import Plan
from fastgrad.differences.rulings import NoiseModel
from fastgrad.differences.stencils import FOUR_POINTS, SIX_POINTS
from fastgrad.differences.step_selection import step_cap
from fastgrad.differences.steps import raised, representable
from fastgrad.index_sets import as_run, spread_over
from fastgrad.problem.parameters import Parameters
from fastgrad.verdict.rule import PIECE

AS_IT_IS, DOWN, FURTHER_DOWN = 1.0, 2.0**-3, 2.0**-6
"""Steps of four values in units of the block's. A relu network of 64 samples took 4.8 evaluations a
coordinate, survey included, with four values AS_IT_IS before the ladder; 3.2 with DOWN and FURTHER_DOWN."""

UP, FURTHER_UP = 2.0**2, 2.0**4
"""Steps of six values in units of the block's, where truncation or noise is the wider; cut at its cap."""

TAMED = 64
"""Coordinates that are asked how steep the cost is, where none can be told from zero."""


@dataclass(frozen=True, eq=False)
class Stages:
    """The stages over the moved coordinates of one plan.

    sample evaluates in reals, values counted from the engine's origin; parameters are those of what is moved;
    f0 is the cost at the parameters, counted likewise; z the quantile of all bounds.
    """

    sample: Evaluate
    parameters: Parameters
    survey: Calibration
    f0: float
    z: float
    room: Callable[[int], float] = lambda evaluations: float("inf")
    """For how many coordinates there is budget, at so many evaluations for each."""

    def screen(self, plan: Plan, values: Values) -> CoordinateTable:
        """The first estimates, from the values of the whole plan."""
        numbers = self.parameters.block_numbers(plan.indices)
        if plan.stencil.is_complex:
            return self._screen_complex(plan, values, numbers)
        numeric, bound, steepest = np.empty(len(values)), np.empty(len(values)), 0.0
        for k in range(0, len(values), PIECE):
            piece = slice(k, k + PIECE)
            d, steps = plan.displacements[piece], plan.steps[piece]
            sigma, truncation = (
                self.survey.noise_at(numbers[piece], steps),
                self.survey.truncation[numbers[piece]],
            )
            found = screened(plan.stencil, values[piece], d, self.f0, steps, sigma, truncation, self.z)
            numeric[piece], bound[piece] = found
            steepest = max(steepest, _steepest(values[piece] - self.f0, d))
        return CoordinateTable.screened(plan, numeric, bound, steepest)

    def _screen_complex(self, plan: Plan, values: Values, numbers: IndexArray) -> CoordinateTable:
        d = plan.stencil.derivative(values, plan.displacements, self.f0)
        rms = np.zeros(len(self.parameters.blocks))
        for number, where in self.parameters.segments(plan.indices):
            rms[number] = root_mean_square(d[where][np.isfinite(d[where])])
        numeric, bound = unknown_where_not_finite(d, by_complex_step(d, rms[numbers]))
        return CoordinateTable.screened(plan, numeric, bound, float(np.abs(numeric).max(initial=0.0)))

    def tame(self, measured: CoordinateTable) -> None:
        """Where nothing can be told from zero: how steep the cost is, from steps an eighth as large.

        The scale that such a gradient is lent must not come from steps over which the cost explodes: at a
        minimum secants shrink with the step, so that the lent scale is what it was.
        """
        if (np.abs(measured.numeric) > measured.error_bound).any() or not measured.steepest:
            return
        at = spread_over(len(measured.numeric), TAMED)
        indices, steps = measured.plan.indices[at], measured.plan.steps[at] / 8
        d = self._displacements(indices, steps[:, None] * np.array([-1.0, 1.0]))
        measured.steepest = min(measured.steepest, 8 * _steepest(self.sample(indices, d) - self.f0, d))
        measured.version += 1

    def all_own(self, measured: CoordinateTable, at: IndexArray) -> None:
        """Four values at the block's own step, whose fourth differences show the noise once more."""
        self._four_points(measured, at, np.full(len(at), AS_IT_IS), OWN, watch=True)

    def own(self, measured: CoordinateTable, at: IndexArray) -> None:
        """Values of each coordinate's own: four at a smaller step than the screen's, or six at a larger."""
        numbers = self.parameters.block_numbers(measured.plan.indices[at])
        noise = self.z * self.survey.noise_at(numbers, measured.plan.steps[at]) / measured.plan.steps[at]
        factor = np.where(self.survey.truncation[numbers] >= noise, UP, FURTHER_UP)
        down = measured.suspect[at] | ~np.isfinite(measured.error_bound[at])
        self._four_points(measured, at[down], np.full(int(down.sum()), DOWN), OWN)
        self._six_points(measured, at[~down], factor[~down])

    def finer(self, measured: CoordinateTable, at: IndexArray) -> None:
        """Four values closer still; at a step that shares no rounding where these are the last word."""
        factor = np.where(measured.vouched[at], UNRELATED * FURTHER_DOWN, FURTHER_DOWN)
        self._four_points(measured, at, factor, FINER)

    def _four_points(
        self, measured: CoordinateTable, at: IndexArray, factor: Floats, level: int, watch: bool = False
    ) -> None:
        indices = measured.plan.indices[at]
        numbers = self.parameters.block_numbers(indices)
        steps = self._steps(indices, numbers, factor)
        d = self._displacements(indices, steps[:, None] * FOUR_POINTS)
        sigma = self.survey.noise_at(numbers, steps)
        values = self.sample(indices, d)
        if watch:
            for _, where in self.parameters.segments(indices):
                seen = fourth_difference_noise(values[where], self.f0)
                sigma[where] = np.fmax(sigma[where], seen)  # NaN where there are too few
        numeric, bound = by_four_points(values, d, steps, sigma, self.z)
        before, room = measured.numeric[at], measured.error_bound[at]
        kinked = has_kink_at_four_points(values - self.f0, sigma, self.z)
        with np.errstate(invalid="ignore"):
            apart = ~(np.abs(numeric - before) <= bound + room) if level == FINER else np.zeros(len(at), bool)
        measured.special[at] |= kinked | apart
        measured.numeric[at], measured.error_bound[at] = numeric, bound
        measured.level[at] = level

    def ladder(self, measured: CoordinateTable, at: IndexArray) -> None:
        """The step ladder of each coordinate at some positions."""
        self._climb(measured, at, LADDERED)

    def confirm(self, measured: CoordinateTable, at: IndexArray) -> None:
        """The ladder again at steps that share no rounding with those before."""
        first = at[measured.level[at] < LADDERED]  # another sample than the one that went up before
        if len(first):
            self.ladder(measured, first)
        self._climb(measured, at, CONFIRMED)

    def _climb(self, measured: CoordinateTable, at: IndexArray, level: int) -> None:
        for number, where in self.parameters.segments(measured.plan.indices[at]):
            some = at[where]
            climb = self._climb_of(number, measured.plan.indices[some], measured.scale[some])
            if level == LADDERED:
                found, scale = climb.up()
                measured.scale[some] = scale / climb.typical
            else:
                found = climb.confirmed(measured.rulings_on(some))
            measured.store(some, found, level)

    def _climb_of(self, number: int, indices: IndexArray, scale: Floats) -> Climb:
        block, leaf = self.parameters.blocks[number], self.parameters.leaves[number]
        numbers = np.full(len(indices), number)
        noise = NoiseModel(self.survey.constant[numbers], self.survey.proportional[numbers])
        typical = self.parameters.typical_size(number)
        x = leaf[indices - block.start]
        return Climb(self.sample, x, indices, self.f0, typical, scale * typical, noise, self.z)

    def _six_points(self, measured: CoordinateTable, at: IndexArray, factor: Floats) -> None:
        indices = measured.plan.indices[at]
        if not len(indices):
            return
        numbers = self.parameters.block_numbers(indices)
        caps = np.array([step_cap(typical) for typical in self.parameters.typical_sizes])
        least = self._steps(indices, numbers, np.full(len(at), AS_IT_IS))
        steps = np.maximum(np.minimum(self._steps(indices, numbers, factor), caps[numbers]), least)
        d = self._displacements(indices, steps[:, None] * SIX_POINTS)
        sigma = self.survey.noise_at(numbers, steps)
        found = by_six_points(self.sample(indices, d), d, steps, sigma, self.z)
        better = found[1] < measured.error_bound[at]
        measured.numeric[at[better]], measured.error_bound[at[better]] = found[0][better], found[1][better]
        measured.level[at] = OWN

    def _steps(self, indices: IndexArray, numbers: IndexArray, factor: Floats) -> Floats:
        steps = self.survey.step[numbers] * factor
        for number, where in self.parameters.segments(indices):
            x = self.parameters.leaves[number][as_run(indices[where] - self.parameters.blocks[number].start)]
            steps[where] = raised(steps[where], x)
        return steps

    def _displacements(self, indices: IndexArray, offsets: Floats) -> Floats:
        d = np.empty(offsets.shape)
        for number, where in self.parameters.segments(indices):
            block, leaf = self.parameters.blocks[number], self.parameters.leaves[number]
            d[where] = representable(leaf[as_run(indices[where] - block.start)], offsets[where])
        return d


def _steepest(changes: Values, displacements: Values) -> float:
    with np.errstate(all="ignore"):
        secants = np.abs(changes / displacements)
    largest = float(secants.max(initial=0.0))
    return largest if np.isfinite(largest) else float(secants[np.isfinite(secants)].max(initial=0.0))
