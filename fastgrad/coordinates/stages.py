"""The stages that a coordinate is measured by, from cheap to careful. `escalation` decides who goes on.

screen    the stencil's values, with the noise and truncation error of coordinates alike; where few are
          alike, and for some of the others, a second scale as well (two_scales.py)
own       four values at an eighth of the step, where the claim looks wrong or values bend unlike the others
          (three in four of the kinks within a step are then out of reach)
wider     six values at a larger step, where the derivative is lost in noise
finer     four values closer still, at an unrelated step, where the claim still looks wrong or a kink showed:
          where both contradict the claim, and meet, it is wrong
ladder    a ladder of steps, on which kinks, ends of the domain and jumps show
confirm   the ladder again at unrelated steps, for what is about to be called wrong

A stage takes positions in the `CoordinateTable`, evaluates, and hands its derivatives and bounds to the
table. No stage goes closer than noise lets it see the difference that it is about.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from fastgrad.arrays import Bools, Floats, IndexArray, Values, root_mean_square
from fastgrad.coordinates.calibration import Scales
from fastgrad.coordinates.four_values import fit_steps, four_values, of_values
from fastgrad.coordinates.ladder_scales import Ladders
from fastgrad.coordinates.plateaus import are_stairs, keep_on_stairs
from fastgrad.coordinates.setting import Setting
from fastgrad.coordinates.table import CONFIRMED, FINER, LADDERED, OWN, WIDER, CoordinateTable
from fastgrad.differences.bounds import (
    OWN_SD,
    by_complex_step,
    by_six_points,
    screened,
    unknown_where_not_finite,
)
from fastgrad.differences.ladder import LEVELS, SURE, TOP, UNRELATED
from fastgrad.differences.plan import Plan
from fastgrad.differences.rulings import NoiseModel, Rulings
from fastgrad.differences.scales import SHARE
from fastgrad.differences.stencils import CENTRAL, FOUR_POINTS, SIX_POINTS
from fastgrad.index_sets import spread_over

DOWN, FURTHER_DOWN = 2.0**-3, 2.0**-6
"""Steps of four values in units of the screen's. A relu network of 64 samples took 4.8 evaluations a
coordinate with four values at the screen's step before the ladder; 3.2 with DOWN and FURTHER_DOWN."""

UP = 2.0 ** np.arange(1, 7)
"""Steps of six values in units of the screen's: the least that noise allows for the resolution is taken."""

TOP_OF_SIX = 2.0**-4
"""The largest step of six values, in units of the size: the farthest is then a quarter of it."""

CLEAR = 4.0
"""A step is not so fine that noise leaves more than this part of the difference that is to be seen."""

REMEASURED = 64
"""Coordinates at which the steepest secant is measured again where no derivative stands out from zero: enough
to meet a typical one, and few beside the two evaluations of every coordinate."""

ABOVE = 2.0**12
"""Where ladders begin, in units of the step at which random directions found another derivative: noise was as
large there as could be, and half the ladder's levels are below."""

BENT = 8.0
"""How much more than the largest seen on coordinates alike values may bend, to be decided by two of them."""

STRAIGHT = 2.0**-10
"""Values that bend by less than this share of the slope have no kink, and no end of a feature, that
counts."""

PIECE = 2**15
"""Coordinates that are screened at a time, so that temporaries stay small (and in the cache)."""


@dataclass(frozen=True)
class Stage:
    """One stage after the screen: what it does, and what it asks for."""

    level: int
    evaluations: int
    """Of one coordinate, where nothing is tried on other scales."""
    measure: Callable[[Setting, CoordinateTable, IndexArray], None]
    of_wrong: bool = True
    """Whether it is for coordinates that look wrong."""
    of_undecided: bool = True
    """Whether it is for undecided ones."""
    of_small: bool = False
    """Whether it is also for those too small to be seen by themselves, where any is undecided: how many there
    are, and how well they are known, decides for all of them."""


def screen(setting: Setting, plan: Plan, values: Values) -> CoordinateTable:
    """The first estimates, from the values (m, S) of the whole plan."""
    if plan.stencil.is_complex:
        return _screen_complex(setting, plan, values)
    numeric, bound = np.empty(len(values)), np.empty(len(values))
    size, steepest, moves = np.empty(len(values)), 0.0, False
    for k in range(0, len(values), PIECE):
        piece = slice(k, k + PIECE)
        d, steps, f = plan.displacements[piece], plan.steps[piece], values[piece]
        scales = setting.calibration.scales(plan.indices[piece])
        sigma = scales.noise_at(steps)
        truncation = setting.calibration.hidden.truncation_of(scales.group) / steps
        found = screened(plan.stencil, f, d, setting.f0, steps, sigma, truncation, setting.z)
        numeric[piece], bound[piece] = found
        if plan.stencil is CENTRAL:
            bound[piece][_bends(setting, scales, f, found[0], steps)] = np.inf
        size[piece] = scales.own
        steepest = max(steepest, _steepest(f - setting.f0, d, scales.own))
        moves = moves or _moves(f - setting.f0, sigma, setting.z)
    return CoordinateTable.screened(plan, numeric, bound, size, steepest, moves)


def _bends(setting: Setting, scales: Scales, f: Values, slope: Floats, steps: Floats) -> Bools:
    """Where two values show a kink, or the end of a feature: they bend unlike those of coordinates alike."""
    with np.errstate(all="ignore"):
        bend = np.abs(f[:, 1] - 2 * setting.f0 + f[:, 0])
        usual = BENT * setting.calibration.hidden.bend_of(scales.group)
        noise = 2.45 * setting.z * scales.noise_at(steps)
        return np.asarray((bend > usual + noise) & (bend > STRAIGHT * 2 * steps * np.abs(slope)))


def _moves(changes: Values, sigma: Floats, z: float) -> bool:
    """Whether the cost changes by more than its noise anywhere."""
    with np.errstate(invalid="ignore"):
        return bool((np.abs(changes) > 2 * z * sigma[:, None]).any())


def _screen_complex(setting: Setting, plan: Plan, values: Values) -> CoordinateTable:
    d = plan.stencil.derivative(values, plan.displacements, setting.f0)
    rms = np.zeros(len(setting.parameters.blocks))
    for number, where in setting.parameters.segments(plan.indices):
        rms[number] = root_mean_square(d[where][np.isfinite(d[where])])
    numbers = setting.parameters.block_numbers(plan.indices)
    numeric, bound = unknown_where_not_finite(d, by_complex_step(d, rms[numbers]))
    size = setting.calibration.scales(plan.indices).own
    with np.errstate(all="ignore"):
        steepest = float(np.nanmax(np.abs(numeric) * size, initial=0.0))
    return CoordinateTable.screened(plan, numeric, bound, size, steepest, True)


def remeasure_steepest(setting: Setting, table: CoordinateTable) -> None:
    """If no derivative stands out from zero, measure the steepest secant again at an eighth of the step.

    The verdict lends the steepest secant to such a gradient as its scale. Secants must then not come from
    steps over which the cost explodes: at a minimum they shrink with the step, and the factor 8 makes up for
    that.
    """
    if (np.abs(table.numeric) > table.error_bound).any() or not table.steepest:
        return
    at = spread_over(len(table.numeric), REMEASURED)
    indices, steps = table.plan.indices[at], table.plan.steps[at] / 8
    d = setting.displacements(indices, steps[:, None] * np.array([-1.0, 1.0]))
    table.lower_steepest(8 * _steepest(setting.evaluate(indices, d) - setting.f0, d, table.size[at]))


def _own(setting: Setting, table: CoordinateTable, at: IndexArray) -> None:
    """Four values: at a smaller step than the screen's of what looks wrong or bends, else at the same."""
    down = table.suspect[at] | ~np.isfinite(table.error_bound[at])
    _closer(setting, table, at[down], DOWN, OWN)
    _closer(setting, table, at[~down], 1.0, OWN)


def _finer(setting: Setting, table: CoordinateTable, at: IndexArray) -> None:
    """Four values closer still, at a step that shares no rounding; what both show is confirmed."""
    at = at[table.suspect[at] | table.special[at] | ~np.isfinite(table.error_bound[at])]
    _closer(setting, table, at, UNRELATED * FURTHER_DOWN, FINER)


def _closer(setting: Setting, table: CoordinateTable, at: IndexArray, factor: float, level: int) -> None:
    """Four values at `factor` times the screen's step, or as close as noise lets the difference be seen."""
    if not len(at):
        return
    indices, screened_at = table.plan.indices[at], table.plan.steps[at]
    scales = setting.calibration.scales(indices)
    before, room = table.numeric[at], table.error_bound[at]
    with np.errstate(all="ignore"):
        noise = CLEAR * setting.z * OWN_SD * scales.noise_at(screened_at)
        needed = noise / np.fmax(table.doubt[at], setting.resolution * np.abs(before) / CLEAR)
        least = np.where(np.isfinite(needed), needed, 0.0)
    most = screened_at * (UNRELATED if level == FINER else 1.0)
    steps = setting.raised(indices, np.clip(least, screened_at * factor, most))
    found = four_values(setting, indices, steps)
    with np.errstate(invalid="ignore"):
        meet = np.abs(found.numeric - before) <= found.error_bound + room
    table.special[at] |= found.kinked | (~meet if level == FINER else False)
    take = ~(meet & (room < found.error_bound) & (table.level[at] >= OWN))
    clear = table.doubt[at] > CLEAR * np.fmax(found.error_bound, room)
    table.agreed[at] = meet & clear & ~found.kinked & (table.level[at] >= OWN)
    table.level[at] = level
    table.accept(at[take], found.numeric[take], found.error_bound[take], level, steps[take])
    fit_steps(setting, table, at, steps, found, level)


def look_closer(setting: Setting, table: CoordinateTable, at: IndexArray, off: Floats) -> IndexArray:
    """Measure coordinates closer by, whose derivative may be off by so much; those that have another.

    What is found there takes the place of what was known: values far away tell nothing of a narrow feature.

    Parameters
    ----------
    setting : Setting
    table : CoordinateTable
    at : (m,) positions in it
    off : (m,) by how much each derivative may be off
    """
    indices, before, room = table.plan.indices[at], table.numeric[at], table.error_bound[at]
    scales = setting.calibration.scales(indices)
    with np.errstate(all="ignore"):
        needed = CLEAR * setting.z * OWN_SD * scales.noise_at(table.plan.steps[at]) / off
    most = UNRELATED * DOWN * table.plan.steps[at]
    steps = setting.raised(indices, np.minimum(np.nan_to_num(needed, nan=np.inf), most))
    d = setting.displacements(indices, steps[:, None] * FOUR_POINTS)
    f = setting.evaluate(indices, d)
    found = of_values(setting, indices, steps, f, d, may_be_quiet=False)
    with np.errstate(invalid="ignore"):
        meet = np.abs(found.numeric - before) <= SURE * (found.error_bound + room)
    stairs = are_stairs(setting, table, at, steps, f)
    keep_on_stairs(setting, table, at[stairs], steps[stairs])
    meet |= stairs
    other = np.flatnonzero(~meet & np.isfinite(found.numeric))
    changed = at[other]
    begin = np.minimum(table.plan.steps[changed], ABOVE * steps[other])
    table.scale[changed] = begin / (TOP * scales.size[other])
    table.plan.steps[changed] = steps[other]
    table.special[changed], table.agreed[changed] = True, False
    table.level[changed] = OWN
    table.accept(changed, found.numeric[other], found.error_bound[other], OWN, steps[other])
    return changed


def look_at_own_size(setting: Setting, table: CoordinateTable, at: IndexArray) -> None:
    """Measure coordinates at steps of their own size, where these move the cost.

    A parameter of 1e-40 whose slope is lost in noise is moved by far more than itself. If the cost has its
    shape at 1e-40, nothing of that is seen there.

    Parameters
    ----------
    setting : Setting
    table : CoordinateTable
    at : (m,) positions in it, that were measured at steps wider than the parameter and show no slope
    """
    indices, own = table.plan.indices[at], table.size[at]
    d = setting.displacements(indices, own[:, None] * np.array([-SHARE, SHARE]))
    sigma = setting.calibration.scales(indices).noise_at(table.plan.steps[at])
    with np.errstate(invalid="ignore"):
        changes = np.abs(setting.evaluate(indices, d) - setting.f0).max(axis=1)
        moves = changes > 2 * setting.z * sigma
    at, indices, own = at[moves], indices[moves], own[moves]
    if not len(at):
        return
    table.plan.steps[at] = setting.raised(indices, SHARE * own)
    table.scale[at] = own / setting.calibration.scales(indices).size
    table.accept(at, np.full(len(at), np.nan), np.full(len(at), np.inf))


def _wider(setting: Setting, table: CoordinateTable, at: IndexArray) -> None:
    """Six values at the least step at which noise lets the derivative be seen, up to a part of the size."""
    table.level[at] = WIDER
    at = at[~table.suspect[at] & np.isfinite(table.error_bound[at])]
    indices = table.plan.indices[at]
    scales = setting.calibration.scales(indices)
    steps, sigma = table.plan.steps[at], scales.noise_at(table.plan.steps[at])
    with np.errstate(all="ignore"):
        wanted = CLEAR * setting.z * OWN_SD * sigma / (setting.resolution * np.abs(table.numeric[at]))
    choice = np.searchsorted(UP, np.nan_to_num(wanted / steps, nan=np.inf))
    steps = np.minimum(steps * UP[np.minimum(choice, len(UP) - 1)], TOP_OF_SIX * scales.size)
    wide = steps >= UP[0] * table.plan.steps[at]
    at, indices, steps = at[wide], indices[wide], steps[wide]
    if not len(at):
        return
    steps = setting.raised(indices, 2.0 ** np.floor(np.log2(steps)))
    d = setting.displacements(indices, steps[:, None] * SIX_POINTS)
    sigma = setting.calibration.scales(indices).noise_at(steps)
    numeric, bound = by_six_points(setting.evaluate(indices, d), d, setting.f0, steps, sigma, setting.z)
    with np.errstate(invalid="ignore"):
        meet = np.abs(numeric - table.numeric[at]) <= bound + table.error_bound[at]
    better = meet & (bound < table.error_bound[at])
    table.accept(at[better], numeric[better], bound[better], WIDER, steps[better])


def _ladder(setting: Setting, table: CoordinateTable, at: IndexArray) -> None:
    """The step ladder of each coordinate."""
    for ladders, some in _ladders(setting, table, at):
        found, scale = ladders.measured()
        table.scale[some] = scale / ladders.size
        table.accept_rulings(some, _kept_where_better(table, some, found), LADDERED)


def _kept_where_better(table: CoordinateTable, at: IndexArray, found: Rulings) -> Rulings:
    """What ladders found, or what is known of a right coordinate, where that is narrower and meets it."""
    numeric, bound = table.numeric[at], table.error_bound[at]
    with np.errstate(invalid="ignore"):
        meet = np.abs(found.numeric - numeric) <= found.error_bound + bound
    keep = meet & (bound < found.error_bound) & ~found.kink & ~table.suspect[at] & ~table.special[at]
    return replace(
        found,
        numeric=np.where(keep, numeric, found.numeric),
        error_bound=np.where(keep, bound, found.error_bound),
    )


def _confirm(setting: Setting, table: CoordinateTable, at: IndexArray) -> None:
    """The ladder again at steps that share no rounding with those before."""
    first = at[table.level[at] < LADDERED]  # not all were measured by a ladder before
    if len(first):
        _ladder(setting, table, first)
    for ladders, some in _ladders(setting, table, at):
        table.accept_rulings(some, ladders.confirmed(table.rulings_on(some)), CONFIRMED)


def _ladders(setting: Setting, table: CoordinateTable, at: IndexArray) -> list[tuple[Ladders, IndexArray]]:
    """The ladders of coordinates of one dtype each, and the positions of these coordinates."""
    found = []
    segments = list(setting.parameters.segments(table.plan.indices[at]))
    for dtype in {setting.parameters.blocks[number].dtype for number, _ in segments}:
        mine = [(n, where) for n, where in segments if setting.parameters.blocks[n].dtype == dtype]
        some = np.concatenate([at[where] for _, where in mine])
        indices = table.plan.indices[some]
        x = np.concatenate([
            setting.parameters.leaves[n][table.plan.indices[at[where]] - setting.parameters.blocks[n].start]
            for n, where in mine
        ])  # fmt: skip
        scales = setting.calibration.scales(indices)
        noise = NoiseModel(scales.constant, scales.proportional)
        scale = table.scale[some] * scales.size
        ladders = Ladders(setting.evaluate, x, indices, setting.f0, scales.size, scale, noise, setting.z)
        found.append((ladders, some))
    return found


STAGES = (
    Stage(OWN, 4, _own, of_small=True),
    Stage(WIDER, 6, _wider, of_wrong=False, of_small=True),
    Stage(FINER, 4, _finer, of_small=True),
    Stage(LADDERED, 2 * LEVELS, _ladder),
    Stage(CONFIRMED, 2 * LEVELS, _confirm, of_undecided=False),
)
"""All stages after the screen, in order."""


def _steepest(changes: Values, displacements: Values, size: Floats) -> float:
    """The largest finite secant, as an effect: times the size of its parameter."""
    with np.errstate(all="ignore"):
        secants = np.abs(changes / displacements) * size[:, None]
    return float(secants.max(initial=0.0, where=np.isfinite(secants)))
