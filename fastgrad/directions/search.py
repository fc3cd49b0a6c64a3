"""From a random direction that is not clean to the coordinates that are wrong, without visiting the others.

A region of the parameters whose slope differs from the claim is halved. One half is measured along the same
signs, and the other is what is left, for the slope is a sum over coordinates. So a region that is not clean
has a half that is not. Where the signal is large enough beside its bound, two slopes along the same signs,
one of them with coordinate number p of P times w_p, read the index off:

    r = v_j e_j,    r_W = w_j v_j e_j,    w_p = 2 (p + 1/2) / P - 1    =>    j = (r_W / r + 1) P / 2 - 1/2

if one coordinate of the region is wrong. An integer says that it may be so; the judge says whether it is.
What was found keeps still in later probes: to correct the claim instead would add up the errors of the
corrections (docs/numerics.md, Search; Hwang 1972 on group testing: k log2(n / k) + O(k) tests, here about
five for each).

`strategy.sampled` makes a `Search`. Its `Certifier` asks for probes until enough in a row are clean; its
`Localiser` follows one that is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.directions.certificate import PROBES
from fastgrad.directions.probes import Prober, Slope
from fastgrad.engines.directional import component_at
from fastgrad.index_sets import distinct
from fastgrad.problem.regions import Region

LARGEST_LISTING = 64
"""Coordinates that are singled out before localisation stops: a sample tells more of so many
(docs/numerics.md, Search)."""

PILED_UP = 3.0
"""A slope found by subtraction is measured anew when its bound is so many times that of a measured one."""

READABLE = 0.25
"""How far a read index may be from the true one, by the bounds, for the reading to be tried."""

WITHIN = 3.0
"""How many times its uncertainty, or 0.02 of a coordinate, a reading may be from an integer. Where several
coordinates are wrong the reading is an average of their indices. Most such averages are no integers, and need
no judge."""

SMALL = 8
"""Halves of at most so many coordinates are counted, block by block, as clean or not. Where twenty of two
thousand coordinates are wrong most such halves are clean. (Of halves of 64, which are reached only where
several are wrong, most are not.)"""

DENSE = 0.75
"""A larger share than this of halves that are not clean means that most coordinates of the block are
wrong."""

ENOUGH_HALVES = 16
"""Halves that are counted before their share is believed."""

FORGIVING = 8
"""Coordinates that were singled out and cleared, from which on errors too small to count are passed over. A
claim that was rounded to float32 has such errors everywhere. They are passed over too once a failed probe led
to nothing."""

CLOSER_MEASUREMENTS = 4
"""Times in one descent that both halves are measured more closely, where neither shows what both together do:
signals near the bound. Each may take a ladder, and most regions of a claim rounded to float32 are like
that."""

ASTRAY = 100
"""Regions that are halved without singling out a coordinate before a failed probe is given up. One wrong
coordinate among 1e8 is found after 27 at most; of a claim in float32 thousands of regions are not clean."""

IN_VAIN = 3
"""Probes whose slope no difference could tell, after which no more are made."""

FRUITLESS = 3
"""Failed probes in a row that led to nothing: their cause is not a few coordinates."""

EVALUATIONS_OF_A_PROBE = 6
"""A probe is measured at six points."""


@dataclass(frozen=True)
class Ruled:
    """What the judge says of a coordinate: whether it is wrong, true less claimed, and the bound of that."""

    wrong: bool
    error: float
    bound: float


Judge = Callable[[int], Ruled]
"""Judge a coordinate by its flat index."""

Allowed = Callable[[int], bool]
"""Whether so many more evaluations can be made."""


@dataclass(eq=False)
class Certifier:
    """Probes until enough in a row are clean.

    Parameters
    ----------
    prober : Prober
    allowed : Allowed
    probes : how many in a row must be clean
    """

    prober: Prober
    allowed: Allowed
    probes: int = PROBES
    clean: list[Slope] = field(init=False, default_factory=list)
    failed: Slope | None = field(init=False, default=None)
    """A probe that is not clean, and is to be followed."""
    unknown: int = field(init=False, default=0)
    """Probes whose slope no difference could tell."""
    stopped: bool = field(init=False, default=False)
    """Whether the budget ended."""
    clean_from: int = field(init=False, default=0)
    """Evaluations along directions before the probes that are clean."""
    runs: int = field(init=False, default=1)
    """How often so many clean probes in a row were tried for."""

    @property
    def enough(self) -> bool:
        """Whether as many probes in a row are clean as were asked for."""
        return len(self.clean) >= self.probes

    @property
    def blind(self) -> bool:
        """Whether probes are made in vain, for differences cannot tell their slopes."""
        return self.unknown >= IN_VAIN

    def begin_again(self) -> None:
        """Forget the clean probes: what stands still, or the region, is not what it was."""
        self.clean, self.clean_from = [], self.prober.evaluate.evaluations
        self.runs += 1

    def probe(self, region: Region, still: IndexArray, passes: Callable[[Slope], bool]) -> None:
        """Make probes in a region, some coordinates still, until enough are clean or one is not."""
        while region.size and not (self.enough or self.failed or self.stopped or self.blind):
            count = min(self.prober.workers, self.probes - len(self.clean))
            if not self.allowed(EVALUATIONS_OF_A_PROBE * count):
                self.stopped = True
                return
            before = self.prober.drawn
            fresh = [self.prober.fresh(region, still) for _ in range(count)]
            for k, slope in enumerate(self.prober.measure(fresh)):
                if not np.isfinite(slope.bound):
                    self.unknown += 1
                elif passes(slope):
                    self.clean.append(slope)
                else:
                    self.failed = slope
                    self.prober.drawn = before + k + 1  # those after it were in vain, and come again
                    break
            if self.unknown and not self.allowed(1):  # a slope may be unknown for the budget ended
                self.stopped = True


@dataclass(eq=False)
class Localiser:
    """Follows failed probes down to single coordinates.

    Parameters
    ----------
    prober : Prober
    judge : Judge
    allowed : Allowed
    region : where errors are looked for; blocks that are full of them are taken out
    """

    prober: Prober
    judge: Judge
    allowed: Allowed
    region: Region
    found: list[int] = field(init=False, default_factory=list)
    """Flat indices of coordinates that are wrong."""
    cleared: list[int] = field(init=False, default_factory=list)
    """Flat indices of coordinates that were singled out, and not found wrong."""
    dense: list[int] = field(init=False, default_factory=list)
    """Numbers of blocks that are full of errors: a sample tells more of them."""
    fruitless: int = field(init=False, default=0)
    """Failed probes in a row that led to nothing."""
    stopped: bool = field(init=False, default=False)
    """Whether the budget ended."""
    _not_clean: dict[int, list[bool]] = field(init=False, default_factory=dict)
    """For each block, which of its small halves were not clean."""
    _closer_left: int = field(init=False, default=CLOSER_MEASUREMENTS)
    _ruled: dict[int, Ruled] = field(init=False, default_factory=dict)

    @property
    def singled_out(self) -> int:
        """How many coordinates were judged."""
        return len(self.found) + len(self.cleared)

    @property
    def lost(self) -> bool:
        """Whether probes fail for what no single coordinates account for."""
        return self.fruitless >= FRUITLESS

    @property
    def forgiving(self) -> bool:
        """Whether errors too small to count are everywhere, and are passed over."""
        return len(self.cleared) >= FORGIVING or self.fruitless > 0

    def passes(self, slope: Slope) -> bool:
        """Whether a slope is clean, or where errors too small to count are everywhere, small enough."""
        if slope.clean or not self.forgiving:
            return slope.clean
        return slope.room <= 2 * slope.bound + self.prober.tolerance(slope.direction.region)

    def follow(self, root: Slope) -> None:
        """Follow a failed probe down; many coordinates singled out end the search in their blocks."""
        before = self.singled_out + len(self.dense)
        self._descend(root)
        nothing = self.singled_out + len(self.dense) == before
        self.fruitless = self.fruitless + 1 if nothing else 0
        if self.singled_out >= LARGEST_LISTING:
            self._give_up(self.region)

    def _descend(self, root: Slope) -> None:
        stack, astray, self._closer_left = [root], 0, CLOSER_MEASUREMENTS
        while stack and not self.stopped and astray < ASTRAY:
            if not self.allowed(4):
                self.stopped = True
                return
            slope = stack.pop()
            region = slope.direction.region
            if any(r.block in self.dense for r in region.rectangles):
                continue
            if slope.bound > PILED_UP * root.bound:
                slope = self.prober.quick(slope.direction, root)
            if self.passes(slope):
                continue
            if region.size == 1:
                self._rule(region.flat_index(0))
                continue
            before = self.singled_out
            if before >= LARGEST_LISTING:
                return
            slope = self._read_off(slope, root)
            astray = astray + 1 if self.singled_out == before else 0
            if not slope.clean:
                stack.extend(self._halved(slope, root))

    def _halved(self, slope: Slope, root: Slope) -> tuple[Slope, Slope]:
        """The slopes of the two halves of a region; the one to follow first comes last."""
        first, second = slope.direction.region.halves()
        left = self.prober.quick(replace(slope.direction, region=first), root)
        rest = replace(slope.direction, region=second)
        right = replace(left, direction=rest, r=slope.r - left.r, bound=slope.bound + left.bound)
        unclear = self.passes(left) and self.passes(right)  # both together did not pass
        if unclear and self._closer_left and self.allowed(2 * EVALUATIONS_OF_A_PROBE):
            self._closer_left -= 1
            left, right = self.prober.measure([left.direction, rest])
        self._count_halves(left, right)
        return right, left

    def _count_halves(self, *halves: Slope) -> None:
        """Give a block up if most of its small halves are not clean."""
        regions = [half.direction.region for half in halves]
        blocks = {r.block for region in regions for r in region.rectangles}
        if len(blocks) > 1 or max(region.size for region in regions) > SMALL:
            return
        seen = self._not_clean.setdefault(blocks.pop(), [])
        seen += [not half.clean for half in halves]
        if len(seen) >= ENOUGH_HALVES and np.mean(seen[-ENOUGH_HALVES:]) > DENSE:
            self._give_up(regions[0])

    def _give_up(self, region: Region) -> None:
        """Search no further in the blocks of a region in which wrong coordinates were found."""
        blocks = {r.block for r in region.rectangles}
        if len(blocks) > 1:  # only those that are full of them
            numbers = self.prober.engine.parameters.block_numbers(np.array(sorted(self.found + self.cleared)))
            blocks &= {int(k) for k in np.flatnonzero(np.bincount(numbers) >= LARGEST_LISTING // 8)}
        self.dense += sorted(blocks)
        self.region = Region(tuple(r for r in self.region.rectangles if r.block not in blocks))

    def _read_off(self, slope: Slope, root: Slope) -> Slope:
        """The slope without the coordinate whose index is read off, if that coordinate is wrong."""
        region = slope.direction.region
        if slope.bound / abs(slope.r) * region.size > READABLE:
            return slope
        against = self.prober.quick(replace(slope.direction, ruler=True), root)
        position = (against.r / slope.r + 1) * region.size / 2 - 0.5
        blur = (against.bound + slope.bound) / abs(slope.r) * region.size / 2
        nearest = round(position)
        if not 0 <= nearest < region.size or abs(position - nearest) > max(WITHIN * blur, 0.02):
            return slope
        index = region.flat_index(nearest)
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


@dataclass(eq=False)
class Search:
    """Probes, and where one is not clean the search for its cause, until enough in a row are clean."""

    certifier: Certifier
    localiser: Localiser
    without: IndexArray = field(default_factory=lambda: np.empty(0, dtype=np.intp))
    """Flat indices of coordinates that are known already, and keep still."""
    last_failed: Slope | None = field(init=False, default=None)

    @property
    def certified(self) -> bool:
        """Whether as many probes in a row are clean as were asked for."""
        return self.certifier.enough and self.localiser.region.size > 0

    @property
    def stopped(self) -> bool:
        """Whether the budget ended."""
        return self.certifier.stopped or self.localiser.stopped

    @property
    def still(self) -> IndexArray:
        """The flat indices of all coordinates that keep still: those known before, and those singled out."""
        singled_out = np.array([*self.localiser.found, *self.localiser.cleared], dtype=np.intp)
        return distinct(np.concatenate([self.without, singled_out]))

    @property
    def evaluations(self) -> int:
        """Evaluations along directions so far."""
        return self.certifier.prober.evaluate.evaluations

    def start_over(self, region: Region, without: IndexArray) -> None:
        """Go on in another region, with other coordinates still."""
        self.localiser.region, self.without = region, without
        self.certifier.failed = None
        self.certifier.begin_again()

    def until_failure(self) -> None:
        """Make probes until enough are clean, or one is not."""
        if not self.stopped and not self.localiser.lost:
            self.certifier.probe(self.localiser.region, self.still, self.localiser.passes)

    def run(self) -> None:
        """Follow what fails down, until enough probes are clean, or nothing more can be done."""
        self.until_failure()
        while self.certifier.failed is not None and not self.stopped:
            root, self.certifier.failed = self.certifier.failed, None
            self.last_failed = root
            self.localiser.follow(root)
            self.certifier.begin_again()
            self.until_failure()
