"""Which coordinates go on to the next stage: each is measured as far as it takes to decide it, no further.

After each stage the verdict says which of the user's coordinates are still open. The moved coordinates that
these depend on go on to the next. Before a ladder a sample of the open ones of each group goes first, and so
do all that show a kink or another derivative at another step. If nothing that the sample finds changes any of
its verdicts, the others stay as they are, and the report says so. Where there is a budget, the few that are
most clearly wrong are confirmed before anything else is measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Bools, IndexArray
from fastgrad.coordinates.derivatives import Derivatives
from fastgrad.coordinates.plateaus import mark_plateaus
from fastgrad.coordinates.setting import Setting
from fastgrad.coordinates.stages import STAGES, Stage, look_at_own_size
from fastgrad.coordinates.table import FINER, LADDERED, SAMPLED_FIRST, SCREENED, CoordinateTable
from fastgrad.differences.ladder import SURE
from fastgrad.index_sets import distinct, union, without
from fastgrad.verdict.rule import CLEARLY, Comparison

LITTLE = 2.0**-10
"""The claim's own noise is measured where an entry is off by no more than this share of the largest one, in
terms of what a parameter does to the cost when moved by its size. In float32 the sums of a back-propagation
are off by 1e-7 to 1e-6 of theirs."""

CLEAREST = 8
"""Coordinates that are confirmed first where there is a budget: one that is wrong is enough for the
verdict."""


PASSES = 3
"""How often what is open goes through the stages. Whether small entries are undecided depends on how well all
of them are known, so that some show up as open only when others have been measured."""


def escalate(setting: Setting, known: Derivatives, new: slice | IndexArray, seed: int) -> None:
    """Take what is open through the stages, until each coordinate is decided or nothing is left to try.

    Parameters
    ----------
    setting : Setting
    known : what the screen found; its table is updated
    new : positions of the user's coordinates that have not been through the stages before
    seed : of the samples that go first
    """
    count = len(known.indices)
    is_new = np.zeros(count, dtype=bool)
    is_new[new] = True
    left = np.zeros(count, dtype=bool)
    escalation = _Escalation(setting, known, is_new, seed, left, known.table.left_alone)
    _look_at_own_sizes(setting, known, is_new)
    _measure_noise_of_claim(known, is_new)
    if np.isfinite(setting.room(1)):
        escalation.confirm_the_clearest()
    for _ in range(PASSES):
        escalation.through_the_stages()
        if not escalation.few_are_left():
            break
    escalation.look_for_plateaus()


@dataclass(frozen=True, eq=False)
class _Escalation:
    """Some of the user's coordinates on their way through the stages."""

    setting: Setting
    known: Derivatives
    is_new: Bools
    seed: int
    left: Bools
    """Which are left as they are, for a sample of those alike did not change."""
    left_before: int

    @cached_property
    def groups(self) -> IndexArray:
        """The same number for coordinates that are alike; only needed where some are open."""
        return _groups(self.setting, self.known)

    def through_the_stages(self) -> None:
        """Take what is open through all stages once."""
        for stage in STAGES:
            comparison = self.known.judge()
            is_left = (comparison.wrong | comparison.undecided) & self.is_new
            if not is_left.any() and not self._special_small(comparison).any():
                return
            is_open = self._is_open(stage, comparison)
            if is_open.any():
                _suspect(self.known, comparison, np.flatnonzero(comparison.wrong & self.is_new))
                # a claimed NaN needs no measuring
                at = np.flatnonzero(is_open & ~np.isinf(comparison.severity))
                del comparison  # large, and others are made
                self._through(stage, at)

    def few_are_left(self) -> bool:
        """Whether a few are open that have not been through all stages."""
        known, table = self.known, self.known.table
        is_open = known.judge().undecided & self.is_new & ~known.flagged(table.cut)
        on_the_way = is_open & known.flagged(table.level < LADDERED)
        return 0 < int(on_the_way.sum()) <= 2 * SAMPLED_FIRST

    def look_for_plateaus(self) -> None:
        """See whether the cost stands still at fine steps where a claimed zero looks wrong."""
        known, setting = self.known, self.setting
        if known.claim is None or not known.space.is_plain or known.claim.values.any():
            return  # a gradient that is zero in places only is not one of plateaus
        zero = np.flatnonzero(known.judge().wrong & self.is_new & (known.claim.values == 0))
        if len(zero) and setting.room(2) >= len(zero):
            mark_plateaus(setting, known.table, known.needed(zero))

    def confirm_the_clearest(self) -> None:
        """Measure the few coordinates closer that are most clearly wrong."""
        comparison = self.known.judge()
        wrong = np.flatnonzero(comparison.wrong & self.is_new & np.isfinite(comparison.severity))
        if not len(wrong) or not self.known.space.is_plain:
            return
        first = wrong[np.argsort(-comparison.severity[wrong], kind="stable")[:CLEAREST]]
        _suspect(self.known, comparison, first)
        for stage in STAGES:
            if stage.of_wrong and stage.level <= FINER:
                _run(stage, self.setting, self.known.table, np.sort(self.known.needed(first)))

    def _is_open(self, stage: Stage, comparison: Comparison) -> Bools:
        """Which coordinates a stage is for."""
        known, table = self.known, self.known.table
        is_open = comparison.wrong & stage.of_wrong | comparison.undecided & stage.of_undecided
        if stage.of_small and (comparison.undecided & self.is_new).any():
            is_open |= comparison.small
        if stage.of_undecided and stage.level >= FINER:
            is_open |= self._special_small(comparison)
        if stage.level > FINER:
            sure = known.flagged((table.agreed | table.vouched) & ~table.special)
            is_open &= ~(comparison.wrong & (sure | self.left))
        return np.asarray(is_open & self.is_new & ~known.flagged(table.cut))

    def _special_small(self, comparison: Comparison) -> Bools:
        """Small ones that may be at a kink, which is then said, where there are few small ones."""
        small = comparison.small & self.is_new
        if not 0 < int(small.sum()) <= 2 * SAMPLED_FIRST:
            return np.zeros(1, dtype=bool)
        return np.asarray(small & self.known.flagged(self.known.table.special))

    def _through(self, stage: Stage, at: IndexArray) -> None:
        """One stage for some positions: from the second confirmation on for a sample of each group first."""
        known, table, groups = self.known, self.known.table, self.groups
        self.left[at] = False
        first = at
        if stage.level >= FINER:
            alone = (known.flagged(table.special) | self._barely_wrong())[at]
            first = union(_sample_of(at[~alone], groups, self.seed), at[alone])
        before = _status(known.judge(), first)
        _run(stage, self.setting, table, known.needed(first))
        rest = without(at, first)
        if len(rest):
            other = _status(known.judge(), first) != before
            if stage.level == FINER:  # those that are not sure yet go up the ladder, and so may the others
                other |= ~known.flagged(table.agreed & ~table.special)[first]
            changed = distinct(groups[first][other])
            again = rest[np.isin(groups[rest], changed)]
            _run(stage, self.setting, table, known.needed(again))
            self.left[without(rest, again)] = True
        table.left_alone = self.left_before + int(self.left.sum())

    def _barely_wrong(self) -> Bools:
        """What a confirmed ladder's wider bound would make right: others do not speak for it."""
        comparison, bound = self.known.judge(), self.known.estimates().error_bound
        with np.errstate(invalid="ignore"):
            off = comparison.severity * comparison.allowed
            return np.asarray(comparison.wrong & (off <= comparison.allowed + (SURE - 1) * bound))


def _look_at_own_sizes(setting: Setting, known: Derivatives, is_new: Bools) -> None:
    """Look closer at parameters that were moved by more than themselves, and show no slope."""
    table = known.table
    hidden = table.far & (table.size > 0) & (np.abs(table.numeric) <= CLEARLY * table.error_bound)
    if hidden.any() and known.space.is_plain:
        at = known.needed(np.flatnonzero(known.flagged(hidden) & is_new))
        at = at[table.level[at] == SCREENED]
        if len(at) and setting.room(2) >= len(at):
            look_at_own_size(setting, table, at)


def _measure_noise_of_claim(known: Derivatives, is_new: Bools) -> None:
    """Measure the claim's own noise, where it looks wrong by so little that this may be all."""
    if known.claim is None or known.noise is None or known.noise.is_measured:
        return
    wrong = np.flatnonzero(known.judge().wrong & is_new)
    g, d, size = known.claim.values, known.estimates().numeric, known.sizes()
    with np.errstate(all="ignore"):
        effects = np.abs(g * size)
        largest = np.max(effects, where=np.isfinite(effects), initial=0.0)
        little = np.abs(g[wrong] - d[wrong]) * size[wrong] <= LITTLE * largest
    if little.any():
        known.noise.measure()
        if known.noise.left_out:  # no time to tell the rounding of the claim from an error
            known.table.cut_off(known.needed(wrong[little]))
            return
        known.claim = replace(known.claim, measured=known.noise.at(known.indices))
        known.table.touch()


def _groups(setting: Setting, known: Derivatives) -> IndexArray:
    """A number for each of the user's coordinates, the same for those that are alike."""
    if known.space.is_plain:
        return setting.calibration.scales(known.indices).group
    return known.parameters.block_numbers(known.indices)


def _suspect(known: Derivatives, comparison: Comparison, wrong: IndexArray) -> None:
    """Put down which rows a claim depends on that looks wrong, and by how much."""
    table, rows = known.table, known.needed(wrong)
    table.suspect[rows] = True
    if known.space.is_plain:
        with np.errstate(invalid="ignore"):
            off = comparison.severity[wrong] * comparison.allowed[wrong]
        table.doubt[rows] = np.where(np.isfinite(off), off, 0.0)


def _run(stage: Stage, setting: Setting, table: CoordinateTable, at: IndexArray) -> None:
    """One stage at some positions, as far as there is budget; suspects come first."""
    at = at[(table.level[at] < stage.level) & ~table.cut[at]]
    room = _room(stage, setting, bool(table.suspect[at].any()))
    if len(at) > room:
        at = at[np.argsort(~table.suspect[at], kind="stable")]
        table.cut_off(at[int(room) :])
        at = at[: int(room)]
    if len(at):
        stage.measure(setting, table, at)
    if setting.room(1) < 1:  # the budget may have ended on the way
        table.cut_off(at)


def _room(stage: Stage, setting: Setting, suspects: bool) -> float:
    """For how many coordinates a stage has budget, if one that looks wrong is to go through all after it."""
    later = sum(after.evaluations for after in STAGES if after.level > stage.level) * suspects
    alone = setting.room(stage.evaluations)
    return alone if alone < 1 else max(1.0, (setting.room(1) - later) / stage.evaluations)


def _sample_of(at: IndexArray, groups: IndexArray, seed: int) -> IndexArray:
    """SAMPLED_FIRST positions of each group at random, or all where there are hardly more."""
    rng = np.random.default_rng(seed)
    chosen = []
    for group in distinct(groups[at]):
        members = at[groups[at] == group]
        few = len(members) <= 2 * SAMPLED_FIRST
        chosen.append(members if few else rng.choice(members, SAMPLED_FIRST, replace=False))
    return np.sort(np.concatenate(chosen)) if chosen else at


def _status(comparison: Comparison, at: IndexArray) -> npt.NDArray[np.int8]:
    """The verdict at some positions as a number: 0 agree, 1 undecided, 2 wrong."""
    return (2 * comparison.wrong[at] + comparison.undecided[at]).astype(np.int8)
