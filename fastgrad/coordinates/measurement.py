"""Coordinates measured one by one, each as far as it takes to judge the claimed gradient there.

`strategy` says which coordinates, in one call or in many. `Coordinates` calibrates their blocks, evaluates
the stencil, and takes what is open through the stages. `result` hands on what is known in the end.
"""

from __future__ import annotations

import numpy as np

from fastgrad.arrays import Floats, IndexArray
from fastgrad.coordinates.block_calibration import CALIBRATED, calibrate_blocks
from fastgrad.coordinates.calibration import Calibration
from fastgrad.coordinates.derivatives import Derivatives, Measured
from fastgrad.coordinates.engines import Engines
from fastgrad.coordinates.escalation import escalate
from fastgrad.coordinates.inner_jumps import EVALUATIONS as EVALUATIONS_OF_JUMPS
from fastgrad.coordinates.inner_jumps import largest_jump
from fastgrad.coordinates.live_count import watch_progress
from fastgrad.coordinates.own_calibration import OwnCalibration, calibrate_coordinates
from fastgrad.coordinates.setting import Setting
from fastgrad.coordinates.stages import look_closer, remeasure_steepest, screen
from fastgrad.coordinates.table import CoordinateTable
from fastgrad.coordinates.two_scales import EVERY, learn_from_some, measure_each
from fastgrad.coordinates.undecided import EVALUATIONS_OF_A_QUOTE, QUOTED, Causes
from fastgrad.differences.bounds import HALF_DIFFERENCE_SD, quantile
from fastgrad.differences.plan import make_plan
from fastgrad.differences.rounding import SINGLE_EPSILON
from fastgrad.differences.stencils import CENTRAL
from fastgrad.execution.run import Run
from fastgrad.index_sets import common, holds, positions_of, union, without
from fastgrad.problem.claim import ClaimedGradient
from fastgrad.specification import Specification

DOUBLE_EPSILON = float(np.finfo(np.float64).eps)

JUMPS_LOOKED_FOR = 2
"""Coordinates along which jumps of the cost are looked for."""


class Coordinates:
    """What is known of each coordinate, and how more is measured.

    Parameters
    ----------
    spec : Specification
    engines : Engines
    run : Run
    claim : the claimed gradient; without one a coordinate is measured until a claim could be judged there
    """

    def __init__(
        self, spec: Specification, engines: Engines, run: Run, claim: ClaimedGradient | None
    ) -> None:
        self.spec, self.engines, self.run, self.claim = spec, engines, run, claim
        self._calibration: Calibration | None = None
        self._known: Derivatives | None = None

    @property
    def calibration(self) -> Calibration:
        """What the blocks are like."""
        if self._calibration is None:
            raise RuntimeError("nothing was calibrated yet")
        return self._calibration

    @property
    def known(self) -> Derivatives:
        """What is known so far."""
        if self._known is None:
            raise RuntimeError("nothing was measured yet")
        return self._known

    @property
    def z(self) -> float:
        """The quantile of bounds that hold for all coordinates measured so far."""
        return quantile(len(self.known.indices))

    @property
    def noise(self) -> dict[str, float]:
        """The standard deviation of a value at each block's step, by block name."""
        return {} if self._calibration is None else self._calibration.noise

    def calibrate(self, indices: IndexArray, most: int = CALIBRATED) -> None:
        """Calibrate the blocks of some of the user's coordinates, at `most` coordinates of each block."""
        needed, seed = self.engines.space.needed(indices), self.spec.options.seed
        if self.engines.in_reals.engine.knows_layers:
            self._calibration = calibrate_blocks(self.engines, needed, seed, most)
        else:
            z = quantile(len(indices))
            self._calibration = calibrate_coordinates(self.engines, needed, self._claimed, z, seed)

    def _claimed(self, indices: IndexArray) -> Floats:
        """The claimed derivatives at some coordinates that are moved; NaN where nothing is claimed.

        Nothing is claimed of coordinates that are not the user's, such as nodes.
        """
        if self.claim is None or not self.engines.space.is_plain:
            return np.full(len(indices), np.nan)
        return self.claim.at(indices).values

    def measure(self, indices: IndexArray, *, vouched: bool = False, live: bool = False) -> None:
        """Measure some more of the user's coordinates.

        Parameters
        ----------
        indices : (m,) flat indices, increasing
        vouched : whether a random direction led to these
        live : whether the progress bar is told of values as they come
        """
        if self._calibration is None:
            self.calibrate(indices)
        moved, first = self.engines.space.needed(indices), self._known is None
        if self._known is not None:
            moved = without(moved, self._known.table.plan.indices)
        setting = self._setting(len(indices))
        table = None
        if len(moved) or first:
            table = self._screen(setting, moved, live)
            table.vouched[:] = vouched
            moved = table.plan.indices
            if self.engines.space.is_plain and len(moved) < len(indices):  # what was not reached is left out
                indices = common(indices, moved)
        self._take_over(table, indices)
        self._escalate(setting, indices)
        if first and self._allow_for_jumps(setting):
            self.measure(indices, vouched=vouched)

    def leave_out(self, indices: IndexArray) -> None:
        """Forget those of some coordinates that the end of the budget left undecided, and do not look wrong.

        Parameters
        ----------
        indices : (m,) flat indices, increasing
        """
        known = self.known
        cut = known.flagged(known.table.cut) if known.space.is_plain else known.table.cut.any()
        unknown = ~np.isfinite(known.estimates().error_bound) & bool(self.run.budget.stopped)
        gone = known.judge().undecided & (cut | unknown) & holds(indices, known.indices)
        if gone.any():
            kept = ~gone | known.looks_wrong()
            kept[0] |= not kept.any()  # there is no report of nothing
            known.keep(kept)

    def measure_closer(self, positions: IndexArray, off: Floats) -> int:
        """Measure some coordinates closer by; how many have another derivative there.

        Parameters
        ----------
        positions : in the table
        off : (m,) by how much each may be off
        """
        setting, known = self._setting(0), self.known
        changed = look_closer(setting, known.table, positions, off)
        if len(changed):
            escalate(setting, known, changed, self.spec.options.seed)
        return len(changed)

    def slopes(self, positions: IndexArray, fraction: float) -> tuple[Floats, Floats]:
        """Central differences of some coordinates at a part of their steps, and what noise leaves of each.

        Parameters
        ----------
        positions : (m,) in the table
        fraction : of the steps
        """
        setting, plan = self._setting(0), self.known.table.plan
        indices = plan.indices[positions]
        steps = setting.raised(indices, fraction * plan.steps[positions])
        d = setting.displacements(indices, steps[:, None] * np.array([-1.0, 1.0]))
        with np.errstate(all="ignore"):
            found = CENTRAL.derivative(setting.evaluate(indices, d), d, setting.f0)
            return found, HALF_DIFFERENCE_SD * self.calibration.scales(indices).noise_at(steps) / steps

    def settle(self) -> None:
        """Measure the steepest secant once more, where no derivative stands out from zero."""
        plain = self.spec.options.tolerance is None and not self.spec.stencil.is_complex
        if plain and not self.run.budget.stopped:
            remeasure_steepest(self._setting(0), self.known.table)

    def result(self) -> Measured:
        """What is known in the end, having seen that the cost left its parameters alone."""
        known = self.known
        self.engines.finish()
        return Measured(
            indices=known.indices,
            claim=known.claim,
            estimates=known.estimates(),
            comparison=known.judge(),
            causes=Causes.of(
                self.engines.in_reals.engine,
                known.table,
                self._single,
                self._wanted,
                int(min(QUOTED, self._room(EVALUATIONS_OF_A_QUOTE))),
            ),
            noise=self.noise,
            single=self._single,
            notes=self.engines.notes + self.calibration.notes + tuple(self.run.notes) + known.table.notes,
            steps=known.steps(),
            noise_parts=self.calibration.noise_parts if known.space.is_plain else {},
        )

    @property
    def _wanted(self) -> float:
        """To what share of itself each derivative is to be seen: to the tolerance, where there is one."""
        options = self.spec.options
        return options.resolution if options.tolerance is None else max(options.tolerance, DOUBLE_EPSILON)

    @property
    def _single(self) -> bool:
        """Whether the cost computes in float32."""
        return self.calibration.single or self.engines.epsilon > DOUBLE_EPSILON

    def _setting(self, more: int) -> Setting:
        """What stages share, with bounds that hold for so many coordinates more than are known."""
        engines, before = self.engines, 0 if self._known is None else len(self._known.indices)
        z = quantile(before + more)
        return Setting(
            engines.in_reals, engines.moved, self.calibration, engines.f0, z, self._room,
            self._wanted, SINGLE_EPSILON if self._single else engines.epsilon,
        )  # fmt: skip

    def _room(self, evaluations: int) -> float:
        """For how many coordinates there is budget, at so many evaluations for each."""
        budget = self.run.budget
        if not budget.limited and not budget.stopped:
            return float("inf")
        return budget.left(self.engines.in_reals.seconds_each) / evaluations

    def _allow_for_jumps(self, setting: Setting) -> bool:
        """Whether the cost jumps where a claim is off by little, so that all is to be measured anew."""
        calibration, room = self.calibration, 2 * EVALUATIONS_OF_JUMPS
        if not isinstance(calibration, OwnCalibration) or calibration.jump or setting.room(1) < room:
            return False
        suspicious = self.known.a_little_off(JUMPS_LOOKED_FOR)
        jump = self._largest_jump(setting, suspicious)
        if not jump:
            return False
        self._calibration, self._known = calibration.with_jumps(jump), None
        return True

    def _largest_jump(self, setting: Setting, suspicious: IndexArray) -> float:
        """The largest jump of the cost along some of the user's coordinates; 0 where none is found."""
        known = self.known
        off = np.abs(known.judge().severity * known.judge().allowed)
        jumps = (largest_jump(setting, int(known.indices[k]), float(off[k])) for k in suspicious)
        return max(jumps, default=0.0)

    def _screen(self, setting: Setting, moved: IndexArray, live: bool) -> CoordinateTable:
        """The first estimates of moved coordinates, of those that the budget reached."""
        engines, progress, options = self.engines, self.run.progress, self.spec.options
        second = not engines.stencil.is_complex and not engines.in_reals.engine.knows_layers
        each = second and (self.claim is None or len(moved) <= EVERY)
        if second and not each:
            given = bool(engines.given_steps)
            learn_from_some(setting, moved, engines.stencil, given, options.seed)
        steps = self.calibration.steps(moved) if engines.stencil is CENTRAL else None
        plan = make_plan(engines.moved, moved, engines.stencil, self.spec.options.step, steps)
        watch = None
        if live and progress.shown:
            claimed = self.claim.at(moved) if self.claim is not None and engines.space.is_plain else None
            watch = watch_progress(setting, plan, claimed, progress)
        values, reached = engines.by_stencil.as_far_as_possible(plan.indices, plan.displacements, watch)
        if not reached.all() and engines.space.is_plain:
            some = np.flatnonzero(reached) if reached.any() else np.zeros(1, dtype=np.intp)
            plan, values = plan.of(some), values[some]
        table = screen(setting, plan, values)
        if each:
            measure_each(setting, plan, values, table)
        return table

    def _take_over(self, table: CoordinateTable | None, indices: IndexArray) -> None:
        """Add newly screened coordinates to what is known."""
        claim, known = self.claim, self._known
        if known is None:
            assert table is not None
            claimed = None if claim is None else claim.at(indices)
            space, options = self.engines.space, self.spec.options
            self._known = Derivatives(
                space, self.spec.parameters, indices, table, claimed, options.tolerance, options.resolution,
                options.kinks == "subgradient",
                None if claim is None else claim.noise,
            )  # fmt: skip
            return
        known.indices = union(known.indices, indices)
        known.claim = None if claim is None else claim.at(known.indices)
        if table is None:
            known.table.touch()
        else:
            known.table.extend(table)

    def _escalate(self, setting: Setting, indices: IndexArray) -> None:
        known = self.known
        everything = len(indices) == len(known.indices)
        new = slice(None) if everything else positions_of(known.indices, indices)
        escalate(setting, known, new, self.spec.options.seed)
