"""Estimate, bound and claim -> agree, disagree or undecided, each coordinate on its own scale.

THE RULE, for coordinate i (g = claimed, d = numeric, e = bound on the error of d, r = what the claim's own
arithmetic may be off by):

    s_i = max(|g_i|, |d_i|)                                  its own scale
    |g_i - d_i| > e_i + r_i + 1e-6 s_i                       disagrees
    rho_i = (|g_i - d_i| + e_i) / s_i <= resolution          agrees: it is right to rho_i of itself

Entries that are zero, or so small that their bound covers them, cannot be right to a share of themselves.

    rho_i = (|g_i - d_i| + e_i) / (rms of s over parameters of its size) <= resolution       agrees on that
    the rest, nine tenths at most: ||(|g - d| + e) x|| <= 2 resolution ||s x||               agree together
    anything else                                                                            undecided

x is each parameter's size, so that g x is its effect on the cost, whatever its unit. Together means: the
error vector of all of these is right to that share of the whole gradient. The report counts them. No
tolerance grows with the size of an array, nor with another entry of it: what differences can tell from the
claim is wrong, however small it is beside others. (docs/numerics.md, Verdict.)

A claimed NaN or inf disagrees; a coordinate without a finite d is undecided. Where the cost does not move
beyond its noise, a claimed zero agrees: its slope is zero to within rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Bools, Floats, IndexArray, norm
from fastgrad.index_sets import distinct

COUNTS = 1e-6
"""The share of an entry that counts as an error at least. A smaller one shows in the resolution: an
approximate constant, say, leaves a gradient that is right to 1e-7."""

RESOLUTION = 1e-2
"""To what share of itself each entry must be seen, unless another is asked for."""

PIECE = 2**14
"""Coordinates that are compared at a time, so that temporaries stay in the cache: 235,000 take 3 ms in place
of 8."""

NEGLIGIBLE = 2.0**-44
"""A claim whose effect is so much less than the largest is zero but for rounding, 256 eps."""

FEWEST_ALIKE = 3
"""Entries alike in size that must be seen before another is judged on their scale."""

LARGEST_SHARE = 0.9
"""The share of the entries, beside those that are claimed zero, that may be judged together only. Of a relu
network in float32 with kinks close by most entries are seen to a tenth of themselves, all of them together
to a hundredth."""

TOGETHER = 2.0
"""The error of these, as a share of the norm of the whole gradient, in units of the resolution. In relu
networks in float32 a few coordinates are so near kinks that noise hides all closer steps; the others are
seen."""

FEW, LARGEST_SHARE_OF_FEW = 32, 0.25
"""That share where there are fewer entries than this: of two or three none, for each of them matters."""

CLEARLY = 1.5
"""A slope stands out clearly if it is so many times its bound."""

Z_OF_ONE = 3.3
"""The quantile that one bound needs, where e has that of all bounds: 1e-3 on both sides."""

FLOOR = 0.1
"""With a fixed tolerance, entries under this share of their block's rms are compared on that scale."""

AGREE, DISAGREE, UNDECIDED = "agree", "disagree", "undecided"

RULE = (
    "disagrees if |claimed - numeric| > allowed = bound + the claim's own rounding + {:g} * max(|claimed|, "
    "|numeric|), and agrees if it is seen to {:g} of itself"
)
RULE_TOLERANCE = (
    "agrees by a fixed tolerance if |claimed - numeric| <= {:g} * max(|claimed|, |numeric|, 0.1 * block "
    "rms), and disagrees if it is off by more than that, its bound and the claim's own rounding together"
)


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of m coordinates; each (m,) unless said otherwise."""

    claimed: Floats
    numeric: Floats
    error_bound: Floats
    rounding: Floats
    """r: what the claim's own arithmetic may be off by; (m,) or (1,)."""
    size: Floats
    """The size of each parameter."""
    alike: IndexArray
    """The same number for parameters of one size."""
    kink: Bools | None = None
    """Whether the estimate is the middle between the slopes on the two sides of a kink, and the bound
    reaches to them; None for nowhere."""
    far: Bools | None = None
    """Whether a coordinate was measured at steps wider than the parameter itself: its own scale is lost in
    noise, and a slope of zero there may be that of waves; None for nowhere."""
    steepest: float = 0.0
    """The largest change of the cost that was seen, in units of an effect."""
    moves: bool = True
    """Whether the cost was seen to change by more than its noise."""
    z: float = 1.0
    """The quantile in the bounds: errors of several coordinates add up like their standard deviations."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """The verdict on each coordinate, the difference that was allowed it, and how well it was seen."""

    wrong: Bools  # (m,)
    undecided: Bools  # (m,)
    allowed: Floats  # (m,)
    severity: Floats  # (m,) |claimed - numeric| / allowed; inf for a claimed NaN or inf
    rho: Floats  # (m,) to what share of itself the claim was seen to be right; inf where it is not known
    alike: Bools  # (m,) judged on the scale of parameters of its size
    together: Bools  # (m,) judged together with others only
    subgradient: Bools  # (m,) at a kink, where the claim lies between the slopes on its sides
    share: float  # to what share of the whole gradient these are right together; 0 without any
    rule: str

    @property
    def verdict(self) -> str:
        """The verdict over all coordinates: one wrong is enough, then one undecided."""
        return overall(int(self.wrong.sum()), int(self.undecided.sum()))

    @property
    def states(self) -> npt.NDArray[np.uint8]:
        """(m,) 0 for the coordinates that agree, 1 for the undecided, 2 for the wrong."""
        return np.where(self.wrong, np.uint8(2), self.undecided.astype(np.uint8))

    @property
    def small(self) -> Bools:
        """(m,) the coordinates that are too small to be seen by themselves."""
        return np.asarray(self.alike | self.together)

    @property
    def by_itself(self) -> Bools:
        """(m,) the coordinates that were seen to a share of themselves, and are not wrong."""
        return np.asarray(~self.wrong & ~self.undecided & ~self.small & ~self.subgradient)


def overall(wrong: int, undecided: int) -> str:
    """The verdict on a set of coordinates from how many are wrong and undecided."""
    return DISAGREE if wrong else UNDECIDED if undecided else AGREE


def compare(known: Evidence, resolution: float = RESOLUTION, subgradients_pass: bool = False) -> Comparison:
    """Apply the rule to each coordinate.

    Parameters
    ----------
    known : Evidence
    resolution : to what share each entry must be seen
    subgradients_pass : whether a claim between the slopes on the two sides of a kink agrees

    Examples
    --------
    >>> one = np.ones(2)
    >>> known = Evidence(one, one * [1, 1.1], 1e-9 * one, 0 * one, one, np.zeros(2, dtype=np.intp))
    >>> found = compare(known)
    >>> found.wrong.tolist(), bool(found.rho[0] < 1e-8)
    ([False, True], True)
    """
    counts, m = min(COUNTS, resolution), len(known.claimed)
    allowed, severity, rho, scale, difference = np.empty((5, m))
    wrong = np.empty(m, dtype=bool)
    for k in range(0, m, PIECE):
        some = slice(k, k + PIECE)
        each = _each_by_itself(known, some, counts)
        wrong[some], allowed[some], severity[some], rho[some], scale[some], difference[some] = each
    kink = np.zeros(m, dtype=bool) if known.kink is None else known.kink & ~wrong
    rest = np.flatnonzero(~(wrong | (rho <= resolution) | kink))
    undecided, alike, together = np.zeros((3, m), dtype=bool)
    undecided |= kink & (not subgradients_pass)
    share = 0.0
    if len(rest):
        g = np.where(np.isfinite(known.claimed), known.claimed, 0.0)
        small = _Small(known, g, scale, difference, resolution)
        on_scale = small.on_the_scale_of_others(rest, ~wrong & (rho <= resolution))
        settled = on_scale <= resolution
        alike[rest[settled]] = True
        left = rest[~settled]
        if len(left):
            enough, share = small.enough_together(left)
            together[left[enough]], undecided[left[~enough]] = True, True
    rule = RULE.format(counts, resolution)
    return Comparison(wrong, undecided, allowed, severity, rho, alike, together, kink, share, rule)


def _each_by_itself(
    known: Evidence, some: slice, counts: float
) -> tuple[Bools, Floats, Floats, Floats, Floats, Floats]:
    """Of some coordinates wrong, allowed, severity, rho, s and |g - d|."""
    claimed, d, e = known.claimed[some], known.numeric[some], known.error_bound[some]
    rounding = known.rounding if len(known.rounding) == 1 else known.rounding[some]
    finite = np.isfinite(claimed)
    every = bool(finite.all())
    g = claimed if every else np.where(finite, claimed, 0.0)
    with np.errstate(all="ignore"):
        size_of_d = np.abs(d)
        scale = np.fmax(np.abs(g), size_of_d)
        difference = np.abs(g - d)
        allowed = e + rounding + counts * scale
        wrong = difference > allowed
        severity = np.where(difference == 0, 0.0, difference / allowed)
        rho = (difference + e) / scale
        if not every:
            wrong, severity, rho = (
                wrong | ~finite,
                np.where(finite, severity, np.inf),
                np.where(finite, rho, np.inf),
            )
        if known.far is not None and (far := known.far[some]).any():
            unclear = far & (size_of_d <= CLEARLY * e) & finite
            rho = np.where(unclear & wrong, np.inf, rho)
            wrong = wrong & ~unclear
        rho[np.isnan(rho)] = np.inf
    return wrong, allowed, severity, rho, scale, difference


@dataclass(frozen=True, eq=False)
class _Small:
    """How entries are judged that cannot be seen to a share of themselves."""

    known: Evidence
    g: Floats
    scale: Floats
    difference: Floats
    resolution: float

    def on_the_scale_of_others(self, rest: IndexArray, seen: Bools) -> Floats:
        """rho of some entries on the scale of those seen among parameters of their size; inf without such."""
        groups, found = self.known.alike, np.full(len(rest), np.inf)
        for group in distinct(groups[rest]):
            others = self.scale[seen & (groups == group)]
            if len(others) >= FEWEST_ALIKE:
                mine = groups[rest] == group
                rms = float(np.sqrt(np.mean(np.square(others / others.max())))) * float(others.max())
                at = rest[mine]
                found[mine] = (self.difference[at] + self.known.error_bound[at]) / rms
        return np.where(np.isnan(found), np.inf, found)

    def enough_together(self, left: IndexArray) -> tuple[Bools, float]:
        """Which of some entries are right together, and to what share of the whole gradient."""
        e, nothing = self.known.error_bound[left], self._claims_nothing(left)
        bounded = np.isfinite(e) & np.isfinite(self.difference[left])
        if not self.known.moves and not self._resolved().any():  # a slope of zero, to within rounding
            return nothing & bounded, 0.0
        whole, enough = self._whole(), np.zeros(len(left), dtype=bool)
        if whole == 0:
            return enough, 0.0
        with np.errstate(all="ignore"):
            share = self._unit_sizes()[left] / whole
            off, room = self.difference[left] * share, e * share
            each = np.where(bounded & np.isfinite(off + room), off + room, np.inf)
        chosen = self._smallest(each, nothing)
        together = self._norms(off[chosen], room[chosen])
        chosen = chosen[together <= TOGETHER * self.resolution]  # a prefix: norms only grow
        chosen = _without_ties(chosen, each, nothing)
        enough[chosen] = True
        return enough, float(self._norms(off[chosen], room[chosen])[-1]) if len(chosen) else 0.0

    def _claims_nothing(self, left: IndexArray) -> Bools:
        """Which of some entries are claimed zero, but for rounding."""
        with np.errstate(over="ignore", invalid="ignore"):
            effects = self.scale * self._unit_sizes()
            claimed = np.abs(self.g[left]) * self._unit_sizes()[left]
        largest = np.max(effects, where=np.isfinite(effects), initial=0.0)
        return np.asarray((self.g[left] == 0) | (claimed <= NEGLIGIBLE * largest))

    def _smallest(self, each: Floats, nothing: Bools) -> IndexArray:
        """Positions of as many of the smallest as may be judged together, and of all claimed zeros."""
        share = LARGEST_SHARE if len(self.g) >= FEW else LARGEST_SHARE_OF_FEW
        order = np.argsort(each, kind="stable")
        few = np.cumsum(~nothing[order]) <= int(share * len(self.g))
        return np.asarray(order[(few | nothing[order]) & np.isfinite(each[order])])

    def _norms(self, off: Floats, room: Floats) -> Floats:
        """For the first k entries each, how far their errors may be from zero together.

        That is the norm of what is off, that of independent errors of sd e / Z, and Z_OF_ONE sd of the
        largest of them more (a norm is 1-Lipschitz in normal errors).
        """
        with np.errstate(all="ignore"):
            spread = np.sqrt(np.cumsum(np.square(room))) / max(self.known.z, 1.0)
            largest = np.maximum.accumulate(room) * min(1.0, Z_OF_ONE / max(self.known.z, 1.0))
            found = np.sqrt(np.cumsum(np.square(off))) + spread + largest
        return np.where(np.isnan(found), np.inf, found)

    def _resolved(self) -> Bools:
        return np.asarray(np.abs(self.known.numeric) > self.known.error_bound)

    def _unit_sizes(self) -> Floats:
        """The sizes in units of the largest, so that no effect leaves the range."""
        return self.known.size / self._largest_size

    @property
    def _largest_size(self) -> float:
        return float(2.0 ** np.floor(np.log2(float(np.max(self.known.size, initial=0.0)) or 1.0)))

    def _whole(self) -> float:
        """The norm of the effects of all entries that stand out from zero; else how much the cost moves."""
        found = norm((np.abs(self.known.numeric) * self._unit_sizes())[self._resolved()])
        return found if found > 0 and np.isfinite(found) else self.known.steepest / self._largest_size


def _without_ties(chosen: IndexArray, each: Floats, nothing: Bools) -> IndexArray:
    """Those chosen that are less far off than any that was not: equal entries are judged alike."""
    rest = np.ones(len(each), dtype=bool)
    rest[chosen] = False
    least = np.min(each, where=rest, initial=np.inf)
    return np.asarray(chosen[(each[chosen] < least) | nothing[chosen]])


def compare_by_tolerance(
    known: Evidence, block_rms: Floats, tolerance: float, subgradients_pass: bool = False
) -> Comparison:
    """Apply a fixed relative tolerance in the place of the resolution.

    A claim within it agrees. One outside of it is wrong only where its bound says so too: the derivative may
    be anywhere within the bound. Between the two it is undecided.

    Parameters
    ----------
    known : Evidence
    block_rms : (m,) the rms of the numeric derivatives of each coordinate's block
    tolerance : the relative difference that is allowed
    subgradients_pass : whether a claim between the slopes on the two sides of a kink agrees

    Examples
    --------
    >>> one = np.ones(3)
    >>> known = Evidence(one * [1.0, 1.2, 2.0], one, 0.3 * one, 0 * one, one, np.zeros(3, dtype=np.intp))
    >>> found = compare_by_tolerance(known, one, 0.1)
    >>> found.wrong.tolist(), found.undecided.tolist()
    ([False, False, True], [False, True, False])
    """
    finite = np.isfinite(known.claimed)
    g, d, e = np.where(finite, known.claimed, 0.0), known.numeric, known.error_bound
    with np.errstate(all="ignore"):
        scale = np.fmax(np.fmax(np.abs(g), np.abs(d)), FLOOR * block_rms)
        difference, fixed = np.abs(g - d), tolerance * scale
        allowed = fixed + e + known.rounding
        wrong = (difference > allowed) | ~finite
        if known.far is not None:
            wrong &= ~(known.far & (np.abs(d) <= CLEARLY * e) & finite)
        severity = np.where(difference == 0, 0.0, difference / allowed)
        rho = np.where(difference == 0, 0.0, difference / scale)
        agrees = (difference <= fixed) & ~wrong
    none = np.zeros(len(g), dtype=bool)
    kink = none if known.kink is None else known.kink & ~wrong & ~agrees
    undecided = ~wrong & ~agrees & ~(kink & subgradients_pass)
    return Comparison(
        wrong,
        undecided,
        allowed,
        np.where(finite, severity, np.inf),
        np.where(np.isfinite(rho), rho, np.inf),
        none,
        none,
        kink,
        0.0,
        RULE_TOLERANCE.format(tolerance),
    )
