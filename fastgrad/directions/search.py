"""From a probe that fails to the coordinates that are wrong, without visiting the others.

A part of the parameters whose slope differs from the claim is halved; one half is measured along the same
signs, the other is what is left (the slope is a sum over coordinates), so that a part that is not clean has a
half that is not. Where the signal is large enough beside its bound, the ratio of two slopes along one set of
signs, plain and times a ruler, reads the index off:

    r = v_j e_j,    r_W = w_j v_j e_j,    w_p = 2 (p + 1/2) / P - 1    =>    j = (r_W / r + 1) P / 2 - 1/2

if one coordinate of the part is wrong (an integer says that it may be so, the judge says whether it is). What
was found keeps still in later probes: to correct the claim instead would add up the errors of corrections
(numerics, section 6; Hwang 1972 on group testing: k log2(n / k) + O(k) tests, here about five for each).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.directions.probes import PROBES, Prober, Slope
from fastgrad.engines.directional import Direction, component_at
from fastgrad.index_sets import distinct
from fastgrad.problem.regions import Region

MANY = 64
"""Coordinates after which localisation stops: damage so dense is better seen by a sample (numerics, section
6)."""

PILED_UP = 3.0
"""A slope found by subtraction is measured anew when its bound is so many times that of a measured one."""

READABLE = 0.25
"""How far a read index may be from the true one, by the bounds, for the reading to be tried."""

WITHIN = 3.0
"""How many times its uncertainty, or 0.02 of a coordinate, a reading may be from an integer: where several
coordinates are wrong it is an average of theirs, which is none in most cases, and needs no judge."""

SMALL = 8
"""Halves of this size or less are watched, block by block: most are clean where twenty of two thousand
coordinates are wrong. (Of halves of 64, looked into only where several are wrong, most are not clean.)"""

DENSE = 0.75
"""A larger share than this of halves that are not clean means that most coordinates are wrong."""

ENOUGH_HALVES = 16
"""Halves that are looked at before their share is believed."""

FORGIVING = 8
"""Coordinates that were singled out and cleared, from which on errors too small to count are passed over (as
they are once a failed probe led to nothing): a claim that was rounded to float32 has them everywhere."""

CLOSE_LOOKS = 4
"""Times that two halves are measured more closely, where neither shows what both together do: signals near
the bound. Each may take a ladder; of a claim rounded to float32 most parts are like that."""

ASTRAY = 100
"""Parts that are looked at without singling out a coordinate before a failed probe is given up. One
wrong coordinate among 1e8 is found after 27 at most; of a claim in float32 thousands are not clean."""

IN_VAIN = 3
"""Probes that tell nothing after which no more are made."""

FRUITLESS = 3
"""Failed probes in a row that led to nothing: their cause is not a few coordinates."""


@dataclass(frozen=True)
class Ruled:
    """What the judge says of a coordinate: whether it is wrong, true less claimed, and the bound of that."""

    wrong: bool
    error: float
    bound: float


Judge = Callable[[int], Ruled]
"""Judge a coordinate by its flat index."""


@dataclass(eq=False)
class Search:
    """Probes until enough are clean; what they lead to on the way.

    prober measures; judge rules on single coordinates; part is where errors are looked for; without are
    coordinates known already; allowed says whether so many more evaluations can be made.
    """

    prober: Prober
    judge: Judge
    part: Region
    without: IndexArray
    allowed: Callable[[int], bool]
    probes: int = PROBES
    clean: list[Slope] = field(default_factory=list)
    failed: Slope | None = None  # a probe that is to be followed
    found: list[int] = field(default_factory=list)  # wrong
    cleared: list[int] = field(default_factory=list)  # singled out, and not found wrong
    dense: list[int] = field(default_factory=list)  # blocks given up: a sample tells more
    fruitless: int = 0
    stopped: bool = False  # out of budget
    last_failed: Slope | None = None
    unknown: int = 0  # probes whose slope no difference could tell
    ended_in: list[Region] = field(default_factory=list)  # where most coordinates are wrong
    clean_from: int = 0  # evaluations along directions before the probes that are clean
    runs: int = 1  # of probes that were to be clean in a row
    _halves: dict[int, list[bool]] = field(default_factory=dict)  # by block: which were not clean
    _looks_left: int = CLOSE_LOOKS
    _ruled: dict[int, Ruled] = field(default_factory=dict)

    @property
    def certified(self) -> bool:
        """Whether as many probes in a row are clean as were asked for."""
        return len(self.clean) >= self.probes and self.part.size > 0

    @property
    def blind(self) -> bool:
        """Whether probes were asked for in vain: no difference could tell their slopes."""
        return self.unknown >= IN_VAIN

    @property
    def lost(self) -> bool:
        """Whether probes fail for what no single coordinates account for."""
        return self.fruitless >= FRUITLESS

    @property
    def forgiving(self) -> bool:
        """Whether errors too small to count are everywhere, and are passed over."""
        return len(self.cleared) >= FORGIVING or self.fruitless > 0

    def until_failure(self) -> None:
        """Probe until enough are clean, or one is not."""
        while self._goes_on and self.part.size:
            count = min(self.prober.workers, self.probes - len(self.clean))
            if not self.allowed(6 * count):
                self.stopped = True
                return
            before = self.prober.drawn
            for k, slope in enumerate(self.prober.measure([self._fresh() for _ in range(count)])):
                if not np.isfinite(slope.bound):
                    self.unknown += 1
                    continue
                if not self._passes(slope):
                    self.failed = slope
                    self.prober.drawn = before + k + 1  # those after it were in vain, and come again
                    break
                self.clean.append(slope)

    @property
    def _goes_on(self) -> bool:
        if self.unknown and not self.allowed(1):
            self.stopped = True
        over = self.certified or self.failed is not None or self.stopped or self.lost or self.blind
        return not over

    def run(self) -> None:
        """Follow what fails down, until all probes are clean, or nothing more can be done."""
        self.until_failure()
        while self.failed is not None and not self.stopped:
            before = len(self.found) + len(self.cleared) + len(self.dense)
            root, self.failed = self.failed, None
            self.last_failed = root
            self._descend(root)
            nothing = len(self.found) + len(self.cleared) + len(self.dense) == before
            self.fruitless = self.fruitless + 1 if nothing else 0
            self.begin_again()
            if len(self.found) + len(self.cleared) >= MANY:
                self._give_up(self.part)
            self.until_failure()

    def begin_again(self) -> None:
        """Forget the probes that were clean: what stands still, or where is looked, is not what it was."""
        self.clean, self.clean_from = [], self.prober.sample.evaluations
        self.runs += 1

    def _fresh(self) -> Direction:
        return self.prober.fresh(self.part, self._still())

    def _still(self) -> IndexArray:
        return distinct(np.concatenate([self.without, self.found, self.cleared]).astype(np.intp))

    def _descend(self, root: Slope) -> None:
        stack, astray, self._looks_left = [root], 0, CLOSE_LOOKS
        while stack and not self.stopped and astray < ASTRAY:
            if not self.allowed(4):
                self.stopped = True
                return
            slope = stack.pop()
            part = slope.direction.part
            if any(r.block in self.dense for r in part.rectangles):
                continue
            if slope.bound > PILED_UP * root.bound:
                slope = self.prober.quick(slope.direction, root)
            if self._passes(slope):
                continue
            if part.size == 1:
                self._rule(part.flat_index(0))
                continue
            singled_out = len(self.found) + len(self.cleared)
            if singled_out >= MANY:
                return
            slope = self._read_off(slope, root)
            astray = astray + 1 if len(self.found) + len(self.cleared) == singled_out else 0
            if not slope.clean:
                stack.extend(self._halved(slope, root))

    def _passes(self, slope: Slope) -> bool:
        if slope.clean or not self.forgiving:
            return slope.clean
        return slope.room <= 2 * slope.bound + self.prober.tolerance(slope.direction.part)

    def _halved(self, slope: Slope, root: Slope) -> tuple[Slope, Slope]:
        """The two halves of a part, the one to look at first last."""
        first, second = slope.direction.part.halves()
        left = self.prober.quick(replace(slope.direction, part=first), root)
        rest = replace(slope.direction, part=second)
        right = replace(left, direction=rest, r=slope.r - left.r, bound=slope.bound + left.bound)
        unclear = self._passes(left) and self._passes(right)  # not both can be
        if unclear and self._looks_left and self.allowed(12):
            self._looks_left -= 1
            left, right = self.prober.measure([left.direction, rest])
        self._watch(left, right)
        return right, left

    def _watch(self, *halves: Slope) -> None:
        """See whether most small halves of a block are not clean: then the block is given up."""
        parts = [half.direction.part for half in halves]
        blocks = {r.block for part in parts for r in part.rectangles}
        if len(blocks) > 1 or max(part.size for part in parts) > SMALL:
            return
        seen = self._halves.setdefault(blocks.pop(), [])
        seen += [not half.clean for half in halves]
        if len(seen) >= ENOUGH_HALVES and np.mean(seen[-ENOUGH_HALVES:]) > DENSE:
            self._give_up(parts[0])

    def _give_up(self, part: Region) -> None:
        """Look no further in the blocks of a part in which wrong coordinates were found."""
        blocks = {r.block for r in part.rectangles}
        if len(blocks) > 1:  # only those that are full of them
            numbers = self.prober.engine.parameters.block_numbers(np.array(sorted(self.found + self.cleared)))
            blocks &= {int(k) for k in np.flatnonzero(np.bincount(numbers) >= MANY // 8)}
        self.dense += sorted(blocks)
        self.part = Region(tuple(r for r in self.part.rectangles if r.block not in blocks))

    def _read_off(self, slope: Slope, root: Slope) -> Slope:
        """The slope without the coordinate that the ruler points at, if it is wrong."""
        part = slope.direction.part
        if slope.bound / abs(slope.r) * part.size > READABLE:
            return slope
        against = self.prober.quick(replace(slope.direction, ruler=True), root)
        position = (against.r / slope.r + 1) * part.size / 2 - 0.5
        blur = (against.bound + slope.bound) / abs(slope.r) * part.size / 2
        nearest = round(position)
        if not 0 <= nearest < part.size or abs(position - nearest) > max(WITHIN * blur, 0.02):
            return slope
        index = part.flat_index(nearest)
        if index in self._ruled or np.isin(index, slope.direction.without):
            return slope
        ruled = self._rule(index)
        if not ruled.wrong:
            return slope
        v = component_at(self.prober.engine, slope.direction, index)
        return replace(slope, r=slope.r - v * ruled.error, bound=slope.bound + abs(v) * ruled.bound)

    def _rule(self, index: int) -> Ruled:
        if index not in self._ruled:
            self._ruled[index] = self.judge(index)
            (self.found if self._ruled[index].wrong else self.cleared).append(index)
        return self._ruled[index]
