"""From cheap to careful: each coordinate is measured as far as it takes to decide it, and no further.

    screen    the stencil's values, with what its block was seen to be like
    own       truncation is this coordinate's own: four values at an eighth of the step for what looks wrong
              (of the kinks within a step, three in four are then out of reach), six at a larger step for what
              is lost in noise
    finer     four values at a sixty-fourth of the step, for what still looks wrong
    ladder    a ladder of steps, where kinks, ends of the domain and jumps show
    confirm   the ladder again at unrelated steps, for what is about to be called wrong

After each stage the verdict says which of the user's coordinates are still open; the moved coordinates that
these depend on go on to the next. Where many of a block are open before the ladder a sample of them goes
first, and all that show a kink or another derivative at another step: if nothing that the sample finds
changes any of their verdicts, the others stay as they are, and the report says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.bounds import (
    by_complex_step,
    by_four_points,
    by_six_points,
    has_kink_at_four_points,
    screened,
    unknown_where_not_finite,
)
from fastgrad.curvature import step_cap
from fastgrad.engines.base import Values
from fastgrad.ladder import NoiseModel, Rulings, adjudicate, confirm
from fastgrad.noise import Sample, fourth_difference_noise
from fastgrad.parameters import IndexArray, Parameters, root_mean_square
from fastgrad.steps import Plan, raised, representable, typical_size
from fastgrad.survey import Survey
from fastgrad.verdict import Comparison

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SCREENED, OWN, FINER, LADDERED, CONFIRMED = range(5)
"""How far a coordinate was measured."""

AS_IT_IS, DOWN, FURTHER_DOWN = 1.0, 2.0**-3, 2.0**-6
"""Steps of four values in units of the block's. A relu network of 64 samples took 4.8 evaluations a
coordinate, survey included, with four values AS_IT_IS before the ladder; 3.2 with DOWN and FURTHER_DOWN."""

UP, FURTHER_UP = 2.0**2, 2.0**4
"""Steps of six values in units of the block's, where truncation or noise is the wider; cut at its cap."""

SAMPLED_FIRST = 16
"""Open coordinates of a block that go on before the others do. If no verdict changes among 16, at most 17% of
the others would have changed, at 95% confidence (Clopper-Pearson, 0 of 16): and they are those that show one
derivative at two steps, and no kink."""

MUCH_SMALLER = 2.0**-10
"""A parameter of less than this share of its block's typical size may live on a scale of its own."""

DEEPER = 2.0**-20
"""Where the second ladder begins if nothing is believed on the first, which ends at 2^-27 (sines at 1e9 wave
once in 2^-27 of their argument)."""

FOUR_POINTS = np.array([-2.0, -1.0, 1.0, 2.0])
SIX_POINTS = np.array([-4.0, -2.0, -1.0, 1.0, 2.0, 4.0])


@dataclass(eq=False)
class Measured:
    """What is known of each moved coordinate, and how far it was measured: arrays of length m."""

    plan: Plan
    numeric: Floats
    error_bound: Floats
    steepest: float
    level: npt.NDArray[np.int8]
    reason: npt.NDArray[np.int8]
    """A ladder.Reason; it means something where level is LADDERED or more."""
    kink: Bools
    """The estimate is the interval of subgradients between two slopes."""
    suspect: Bools
    """A claim that depends on it looked wrong."""
    special: Bools
    """Its values show a kink, or do not lead to one derivative at two steps: nobody stands for it."""
    scale: Floats
    """Where its ladder begins, in units of its block's typical size: 1, or what `_elsewhere` found."""
    version: int = 0
    """How often anything was measured anew."""
    left_alone: int = 0
    """Open coordinates of the user's that stayed as they were, for a sample of their block did."""
    ruled: list[tuple[IndexArray, Rulings]] = field(default_factory=list)

    @classmethod
    def screened(cls, plan: Plan, numeric: Floats, bound: Floats, steepest: float) -> Measured:
        """Estimates from the stencil alone."""
        m = len(plan.indices)
        blank = np.zeros(m, dtype=np.int8)
        no = np.zeros(m, dtype=bool)
        return cls(plan, numeric, bound, steepest, blank.copy(), blank, no, no.copy(), no.copy(), np.ones(m))

    def store(self, at: IndexArray, found: Rulings, level: int) -> None:
        """Take over the ladder's rulings on the coordinates at some positions."""
        kinked = found.kink & np.isfinite(found.lower) & np.isfinite(found.upper)
        middle, half = (found.lower + found.upper) / 2, (found.upper - found.lower) / 2
        self.numeric[at] = np.where(kinked, middle, found.numeric)
        self.error_bound[at] = np.where(kinked, half, found.error_bound)
        self.reason[at], self.kink[at], self.level[at] = found.reason, kinked, level
        self.ruled.append((at, found))

    def rulings_on(self, at: IndexArray) -> Rulings:
        """What the ladder said of the coordinates at some positions, all of which went up it."""
        where = np.empty(len(self.numeric), dtype=np.intp)
        joined = Rulings.joined([found for _, found in self.ruled])
        where[np.concatenate([positions for positions, _ in self.ruled])] = np.arange(len(joined.numeric))
        return joined.at(where[at])

    @property
    def notes(self) -> tuple[str, ...]:
        """What the report should say of how coordinates were measured."""
        if not self.left_alone:
            return ()
        return (
            f"{self.left_alone:,} coordinates that were not found right were measured by a few values only: "
            f"{SAMPLED_FIRST} like them in each block were measured by a ladder of steps, and none changed "
            "its verdict",
        )


@dataclass(frozen=True, eq=False)
class Stages:
    """The stages over the moved coordinates of one plan.

    sample evaluates in reals, values counted from the engine's origin; parameters are those of what is moved;
    f0 is the cost at the parameters, counted likewise; z the quantile of all bounds.
    """

    sample: Sample
    parameters: Parameters
    survey: Survey
    f0: float
    z: float

    def screen(self, plan: Plan, values: Values) -> Measured:
        """The first estimates, from the values of the whole plan."""
        numbers = self.parameters.block_numbers(plan.indices)
        if plan.stencil.is_complex:
            return self._screen_complex(plan, values, numbers)
        sigma = self.survey.noise_at(numbers, plan.steps)
        numeric, bound = screened(
            plan.stencil,
            values,
            plan.displacements,
            self.f0,
            plan.steps,
            sigma,
            self.survey.truncation[numbers],
            self.z,
        )
        return Measured.screened(plan, numeric, bound, _steepest(values - self.f0, plan.displacements))

    def _screen_complex(self, plan: Plan, values: Values, numbers: IndexArray) -> Measured:
        d = plan.stencil.derivative(values, plan.displacements, self.f0)
        rms = np.zeros(len(self.parameters.blocks))
        for number, where in self.parameters.segments(plan.indices):
            rms[number] = root_mean_square(d[where][np.isfinite(d[where])])
        numeric, bound = unknown_where_not_finite(d, by_complex_step(d, rms[numbers]))
        return Measured.screened(plan, numeric, bound, float(np.abs(numeric).max(initial=0.0)))

    def all_own(self, measured: Measured, at: IndexArray) -> None:
        """Four values at the block's own step, whose fourth differences show the noise once more."""
        self._four_points(measured, at, np.full(len(at), AS_IT_IS), OWN, watch=True)

    def own(self, measured: Measured, at: IndexArray) -> None:
        """Values of each coordinate's own: four at a smaller step than the screen's, or six at a larger."""
        numbers = self.parameters.block_numbers(measured.plan.indices[at])
        noise = self.z * self.survey.noise_at(numbers, measured.plan.steps[at]) / measured.plan.steps[at]
        factor = np.where(self.survey.truncation[numbers] >= noise, UP, FURTHER_UP)
        down = measured.suspect[at] | ~np.isfinite(measured.error_bound[at])
        self._four_points(measured, at[down], np.full(int(down.sum()), DOWN), OWN)
        self._six_points(measured, at[~down], factor[~down])

    def finer(self, measured: Measured, at: IndexArray) -> None:
        """Four values closer still."""
        self._four_points(measured, at, np.full(len(at), FURTHER_DOWN), FINER)

    def _four_points(
        self, measured: Measured, at: IndexArray, factor: Floats, level: int, watch: bool = False
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

    def ladder(self, measured: Measured, at: IndexArray) -> None:
        """The step ladder of each coordinate at some positions."""
        self._climb(measured, at, LADDERED)

    def confirm(self, measured: Measured, at: IndexArray) -> None:
        """The ladder again at steps that share no rounding with those before."""
        first = at[measured.level[at] < LADDERED]  # another sample than the one that went up before
        if len(first):
            self.ladder(measured, first)
        self._climb(measured, at, CONFIRMED)

    def _climb(self, measured: Measured, at: IndexArray, level: int) -> None:
        for number, where in self.parameters.segments(measured.plan.indices[at]):
            some = at[where]
            indices = measured.plan.indices[some]
            block, leaf = self.parameters.blocks[number], self.parameters.leaves[number]
            numbers = np.full(len(some), number)
            given: dict[str, Any] = {
                "scale": measured.scale[some] * typical_size(leaf),
                "noise": NoiseModel(self.survey.constant[numbers], self.survey.proportional[numbers]),
                "z": self.z,
            }
            x = leaf[indices - block.start]
            if level == LADDERED:
                found = adjudicate(self.sample, x, indices, self.f0, **given)
                found = self._elsewhere(measured, some, found, x, indices, given)
            else:
                found = confirm(self.sample, x, indices, self.f0, measured.rulings_on(some), **given)
                found = self._confirmed_elsewhere(found, x, indices, given)
                small = np.flatnonzero((x != 0) & (np.abs(x) < typical_size(leaf) * MUCH_SMALLER))
                if len(small):
                    own = self._at_scale(np.abs(x[small]), x, indices, given, small)
                    found = found.replaced(small, found.at(small).no_better_than(own))
            measured.store(some, found, level)

    def _elsewhere(
        self,
        measured: Measured,
        some: IndexArray,
        found: Rulings,
        x: npt.NDArray[Any],
        indices: IndexArray,
        given: dict[str, Any],
    ) -> Rulings:
        """Where nothing was believed, or a kink was seen: on scales that are not the block's.

        A cost may wave many times within any step that is usual for a parameter of that size. Far smaller
        steps are tried, and for a parameter far smaller than its block's those of its own size.
        """
        typical = given["scale"]
        for scale in (typical * DEEPER, np.abs(x).astype(np.float64)):
            unclear = found.kink | ~np.isfinite(found.error_bound)
            at = np.flatnonzero(unclear & (scale > 0) & (scale < typical * MUCH_SMALLER))
            if len(at):
                there = self._at_scale(scale[at], x, indices, given, at)
                clear = np.isfinite(there.error_bound) & ~there.kink
                found = found.replaced(at[clear], there.at(np.flatnonzero(clear)))
                measured.scale[some[at[clear]]] = scale[at[clear]] / typical[at[clear]]
        return found

    def _confirmed_elsewhere(
        self, found: Rulings, x: npt.NDArray[Any], indices: IndexArray, given: dict[str, Any]
    ) -> Rulings:
        """Where two ladders contradict each other: two more, far below both."""
        lost = np.flatnonzero(~np.isfinite(found.error_bound) & ~found.kink)
        if not len(lost):
            return found
        below = {**given, "scale": given["scale"][lost] * DEEPER, "noise": given["noise"].of(lost)}
        first = adjudicate(self.sample, x[lost], indices[lost], self.f0, **below)
        return found.replaced(lost, confirm(self.sample, x[lost], indices[lost], self.f0, first, **below))

    def _at_scale(
        self,
        scale: npt.NDArray[Any],
        x: npt.NDArray[Any],
        indices: IndexArray,
        given: dict[str, Any],
        at: IndexArray,
    ) -> Rulings:
        """The ladder on another scale, for some of the coordinates."""
        other = {**given, "scale": scale.astype(np.float64), "noise": given["noise"].of(at)}
        return adjudicate(self.sample, x[at], indices[at], self.f0, **other)

    def _six_points(self, measured: Measured, at: IndexArray, factor: Floats) -> None:
        indices = measured.plan.indices[at]
        if not len(indices):
            return
        numbers = self.parameters.block_numbers(indices)
        caps = np.array([step_cap(typical_size(leaf)) for leaf in self.parameters.leaves])
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
            x = self.parameters.leaves[number][indices[where] - self.parameters.blocks[number].start]
            steps[where] = raised(steps[where], x)
        return steps

    def _displacements(self, indices: IndexArray, offsets: Floats) -> Floats:
        d = np.empty(offsets.shape)
        for number, where in self.parameters.segments(indices):
            block, leaf = self.parameters.blocks[number], self.parameters.leaves[number]
            d[where] = representable(leaf[indices[where] - block.start], offsets[where])
        return d


Stage = Callable[[Measured, IndexArray], None]


def refine(
    stages: Stages,
    measured: Measured,
    judge: Callable[[], Comparison],
    needed: Callable[[IndexArray], IndexArray],
    groups: IndexArray,
    seed: int,
    thorough: bool = False,
) -> None:
    """Take what is open through the stages, until each coordinate is decided or nothing is left to try.

    Parameters
    ----------
    stages : Stages
    measured : what the screen found; updated in place
    judge : the verdict on the user's coordinates, from `measured` as it stands
    needed : the positions in `measured` that some of the user's coordinates depend on
    groups : (user's coordinates,) the number of the block of each
    seed : of the samples that go first
    thorough : whether every coordinate gets a bound of its own, where the block's would do to judge a claim
    """
    left = np.zeros(len(groups), dtype=bool)
    if thorough:
        _run(stages.all_own, OWN, measured, np.arange(len(measured.numeric)))
    steps: tuple[tuple[Stage, int], ...] = (
        (stages.own, OWN),
        (stages.finer, FINER),
        (stages.ladder, LADDERED),
        (stages.confirm, CONFIRMED),
    )
    for stage, level in steps:
        comparison = judge()
        only_wrong = level in (FINER, CONFIRMED)
        is_open = comparison.wrong if only_wrong else comparison.wrong | comparison.undecided
        if not is_open.any():
            if only_wrong and comparison.undecided.any():
                continue
            return
        measured.suspect[needed(np.flatnonzero(comparison.wrong))] = True
        at = np.flatnonzero(is_open & ~np.isinf(comparison.severity))  # a claimed NaN needs no measuring
        left[at] = False
        first = at
        if level > FINER:
            alone = _is_special(at, measured, needed)
            first = np.union1d(_sample_of(at[~alone], groups, seed), at[alone])
        _run(stage, level, measured, needed(first))
        rest = np.setdiff1d(at, first)
        if len(rest) == 0:
            continue
        changed = np.unique(groups[first][_status(judge())[first] != _status(comparison)[first]])
        again = rest[np.isin(groups[rest], changed)]
        _run(stage, level, measured, needed(again))
        left[np.setdiff1d(rest, again)] = True
        measured.left_alone = int(left.sum())


def _run(stage: Stage, level: int, measured: Measured, at: IndexArray) -> None:
    at = at[measured.level[at] < level]
    if len(at):
        stage(measured, at)
        measured.version += 1


def _sample_of(at: IndexArray, groups: IndexArray, seed: int) -> IndexArray:
    rng = np.random.default_rng(seed)
    chosen = []
    for group in np.unique(groups[at]):
        members = at[groups[at] == group]
        few = len(members) <= 2 * SAMPLED_FIRST
        chosen.append(members if few else rng.choice(members, SAMPLED_FIRST, replace=False))
    return np.sort(np.concatenate(chosen)) if chosen else at


def _is_special(at: IndexArray, measured: Measured, needed: Callable[[IndexArray], IndexArray]) -> Bools:
    """Which of the user's coordinates depend on a moved one that is special, where one moves for each."""
    moved = needed(at)
    return measured.special[moved] if len(moved) == len(at) else np.zeros(len(at), dtype=bool)


def _status(comparison: Comparison) -> npt.NDArray[np.int8]:
    return (2 * comparison.wrong + comparison.undecided).astype(np.int8)


def _steepest(changes: Values, displacements: Values) -> float:
    with np.errstate(all="ignore"):
        secants = np.abs(changes) / np.abs(displacements)
    return float(secants[np.isfinite(secants)].max(initial=0.0))
