"""Detectors of a projection, or another map of the whole gradient, that only the cost or only the claim has.

A cost that takes x / |x|, softmax(x) or x - mean(x) has the Jacobian of that in its gradient: it removes a
part of the gradient, such as the part along x. Notation: as in evidence.py, and for a group of entries (a
block, each of its rows or columns)

    A = diag(a) - u v^T            one of the MAPS below
    d = A g    the claim lacks the map
    g = A d    the claim has the map, and the cost has not

No number is fitted, but each group must be known as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from fastgrad.arrays import Floats
from fastgrad.diagnosis.coincidence import is_coincidence
from fastgrad.diagnosis.evidence import Evidence, Explanation, Number

FEWEST_CHANGED = 2
"""The fewest entries that a map must change visibly."""

ROUNDING = 2.0**-46
"""The rounding error of a claim in float64, as a share of the entry: A g may be off by more than g."""

Parts = tuple[Floats, Floats, Floats]


@dataclass(frozen=True)
class Map:
    """A map of the gradient, with what is said of a claim that lacks it, and of one that has it alone."""

    kind: str
    parts: Callable[[Floats], Parts]
    """a, u and v for x, each (groups, n) or such that they can be broadcast to it."""
    lacks: str
    has: str


def _along_x(x: Floats) -> Parts:
    return np.ones_like(x), x, x / _dot(x, x)


def _along_ones(x: Floats) -> Parts:
    ones = np.ones_like(x)
    return ones, ones, ones / x.shape[1]


def _unit_vector(x: Floats) -> Parts:
    length = np.sqrt(_dot(x, x))
    return np.ones_like(x) / length, x / length, x / length**2


def _share(x: Floats) -> Parts:
    total = x.sum(axis=1, keepdims=True)
    ones = np.ones_like(x) / total
    return ones, ones, x / total


def _softmax(x: Floats) -> Floats:
    s = np.exp(x - x.max(axis=1, keepdims=True))
    return np.asarray(s / s.sum(axis=1, keepdims=True))


def _through_softmax(x: Floats) -> Parts:
    s = _softmax(x)
    return s, s, s


def _log_softmax(x: Floats) -> Parts:
    return np.ones_like(x), _softmax(x), np.ones_like(x)


def _softmax_off_diagonal(x: Floats) -> Parts:
    s = _softmax(x)
    return 1 / (1 - s), s, 1 / (1 - s)


def _logits(x: Floats) -> Parts:
    return x, x, x


ALONG_X = Map(
    "projection",
    _along_x,
    "claimed has a part along the parameters x that numeric has not, and is right but for it: the cost "
    "does not depend on their length, as after x / |x|, and the claim lacks the projection g - x (x.g) / "
    "|x|^2",
    "claimed is numeric without its part along the parameters x, d - x (x.d) / |x|^2: it is projected to the "
    "tangent of a sphere (a unit norm), the cost is not",
)
MAPS = (
    ALONG_X,
    Map(
        "projection",
        _along_ones,
        "claimed has a mean that numeric has not, and is right but for it: the cost does not change if a "
        "constant is added to all parameters (softmax, centring), and the claim lacks the subtraction g - "
        "mean(g)",
        "claimed is numeric without its mean, d - mean(d): it is centred, the cost is not",
    ),
    Map(
        "normalisation",
        _unit_vector,
        "numeric = (claimed - x (x.claimed) / |x|^2) / |x|, x being the parameters: the claim is the "
        "gradient by the unit vector x / |x|, the Jacobian of that is missing",
        "claimed = (numeric - x (x.numeric) / |x|^2) / |x|, x being the parameters: the Jacobian of x / "
        "|x| is there twice, or where none is due",
    ),
    Map(
        "normalisation",
        _share,
        "numeric = (claimed - mean of claimed with weights x) / sum(x), x being the parameters: the claim "
        "is the gradient by the shares x / sum(x), the Jacobian of that is missing",
        "claimed = (numeric - mean of numeric with weights x) / sum(x), x being the parameters: the "
        "Jacobian of the shares x / sum(x) is there twice, or where none is due",
    ),
    Map(
        "softmax",
        _through_softmax,
        "numeric = s (claimed - s.claimed), s = softmax(x) of the parameters: the claim is the gradient by "
        "s, the Jacobian of the softmax is missing",
        "claimed = s (numeric - s.numeric), s = softmax(x) of the parameters: the Jacobian of the softmax "
        "is there twice, or where none is due",
    ),
    Map(
        "softmax",
        _log_softmax,
        "numeric = claimed - softmax(x) sum(claimed), x being the parameters: what softmax or log-sum-exp "
        "divides by is taken as constant (the off-diagonal terms of the Jacobian are missing)",
        "claimed = numeric - softmax(x) sum(numeric), x being the parameters: the Jacobian of log "
        "softmax(x) is there twice, or where none is due",
    ),
    Map(
        "softmax",
        _softmax_off_diagonal,
        "claimed has the terms s (1 - s) of the Jacobian of s = softmax(x) alone, x being the parameters: "
        "the off-diagonal terms -s_i s_j are missing",
        "",
    ),
    Map(
        "softmax",
        _logits,
        "numeric = x (claimed - x.claimed), x being the parameters: a Jacobian of softmax is missing",
        "claimed = x (numeric - x.numeric), x being the parameters: it is the derivative by the logits of "
        "which x is the softmax",
    ),
)
"""The maps, simplest first."""

OR_L2_EXTRA = (
    "; or, as claimed - numeric = {0} * parameters, the claim has an L2 term with lambda = {0} that the loss "
    "has not"
)
OR_L2_MISSING = (
    "; or, as numeric - claimed = {0} * parameters, an L2 term with lambda = {0} is missing beside a loss "
    "that does not depend on the length of the parameters"
)


def projection(block: Evidence) -> Explanation | None:
    """The claim lacks a map of the gradient that the cost has, or has one that the cost has not."""
    if not (block.explicable and block.whole and block.known.all()):
        return None
    if block.facts.visible(block.facts.g - block.facts.d) < FEWEST_CHANGED:
        return None
    if is_coincidence(block.facts, np.arange(len(block.facts.d)), 2 * len(MAPS), fitted=1):
        return None
    groupings = [_Grouped(block, over) for over in _ways(block.shape)]
    found = (g.explanation(m) for m in MAPS for g in groupings)
    return next((e for e in found if e is not None), None)


def _ways(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The axes over which a group extends: all, a single one, all but one."""
    axes = tuple(range(len(shape)))
    single, but_one = ([(a,) for a in axes], [tuple(b for b in axes if b != a) for a in axes])
    for over in dict.fromkeys(chain([axes], single, but_one)):
        if np.prod([shape[a] for a in over]) > 1:
            yield over


class _Grouped:
    """The facts of a block, (groups, n) each.

    Parameters
    ----------
    block : Evidence
    over : the axes over which a group extends
    """

    def __init__(self, block: Evidence, over: tuple[int, ...]) -> None:
        self.block, self.over = block, over
        facts = block.facts
        self.g, self.d, self.t, self.x = (self._rows(v) for v in (facts.g, facts.d, facts.t, facts.x))
        self.g_error = max(facts.rounding, ROUNDING) * np.abs(self.g)

    def _rows(self, v: Floats) -> Floats:
        others = [a for a in range(len(self.block.shape)) if a not in self.over]
        turned = v.reshape(self.block.shape).transpose([*others, *self.over])
        return turned.reshape(int(np.prod([self.block.shape[a] for a in others])), -1)

    def explanation(self, m: Map) -> Explanation | None:
        """What the map explains, in words."""
        A = m.parts(self.x)
        if (np.abs(self.d - _apply(A, self.g)) <= self.t + _bound(A, self.g_error)).all():
            return self._said(m, m.lacks, self.g, self.g_error, OR_L2_EXTRA)
        if m.has and (np.abs(self.g - _apply(A, self.d)) <= _bound(A, self.t)).all():
            return self._said(m, m.has, self.d, self.t, OR_L2_MISSING)
        return None

    def _said(self, m: Map, text: str, v: Floats, error: Floats, or_l2: str) -> Explanation | None:
        """The explanation, with the coefficient of x where it could be that of an L2 term."""
        if m is not ALONG_X:
            return Explanation(m.kind, self._where() + text)
        xx = _dot(self.x, self.x)
        beta, off = _dot(self.x, v) / xx, _dot(np.abs(self.x), error) / xx
        low, high = beta - off, beta + off
        if len(beta) > 1 and low.max() <= high.min():  # the same in all groups
            return None
        number = Number(float(low[0, 0]), float(high[0, 0]))
        if len(beta) > 1 or number.value < 0:
            return Explanation(m.kind, self._where() + text)
        return Explanation(m.kind, text, (number,), detail=or_l2)

    def _where(self) -> str:
        """The groups in words; empty if the block is one."""
        shape = self.block.shape
        if len(self.over) == len(shape):
            return ""
        if len(shape) == 2:
            return f"in each {'row' if self.over == (1,) else 'column'}, "
        if len(self.over) == 1:
            return f"along axis {self.over[0]}, "
        [kept] = set(range(len(shape))) - set(self.over)
        return f"for each index of axis {kept}, "


def _dot(v: Floats, w: Floats) -> Floats:
    """v . w for each group, (groups, 1)."""
    return np.asarray((v * w).sum(axis=1, keepdims=True))


def _apply(A: Parts, v: Floats) -> Floats:
    """A v for each group."""
    a, u, w = A
    return np.asarray(a * v - u * _dot(w, v))


def _bound(A: Parts, t: Floats) -> Floats:
    """The largest |A v| for |v| <= t, or a little more."""
    a, u, w = A
    return np.asarray(np.abs(a) * t + np.abs(u) * _dot(np.abs(w), t))
