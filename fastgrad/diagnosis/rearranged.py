"""The right numbers in the wrong places: transposed, reordered, flipped, shifted, permuted.

Notation: as in evidence.py; H = the claim put back to where it would be right. All need the whole block.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations

import numpy as np

from fastgrad.arrays import Floats
from fastgrad.diagnosis.evidence import Evidence, Explanation
from fastgrad.diagnosis.places import joined

MOVED = 2
"""Entries that must have moved: two that change places are as few as can be."""

FREE = 3
"""Entries beside those at the edge that a shift without wrapping round must explain."""

AXES = 4
"""Axes of a block whose orders and flips are all tried: 24 and 15 of them."""

RESOLVED = 0.5
"""The share of sorted values that must differ from the next by more than is allowed, before equal sorted
values say anything: two samples of one distribution are alike within wide bounds."""


def rearranged(block: Evidence) -> Explanation | None:
    """The claim is the gradient in another order of axes, or flipped."""
    if not _may_be_moved(block):
        return None
    for text, H in _rearrangements(block.claimed.reshape(block.shape)):
        if _puts_right(block, H.reshape(-1)):
            kind = text.split()[0].rstrip(":")
            return Explanation(kind, text)
    return None


def _rearrangements(g: Floats) -> Iterator[tuple[str, Floats]]:
    """What is said, with the claim put back."""
    shape = g.shape
    if g.ndim > AXES:
        return
    for order in permutations(range(g.ndim)):
        if order == tuple(range(g.ndim)):
            continue
        back = np.argsort(order)
        turned = tuple(shape[axis] for axis in order)
        if turned == shape:
            if g.ndim == 2:
                yield (
                    "transposed: claimed = numeric.T; look at the order of the two factors of the product",
                    g.T,
                )
            else:
                yield f"axes in the wrong order: claimed = numeric.transpose{order}", g.transpose(back)
            continue
        read, written = ("(C against F)", "(F against C)") if g.ndim == 2 else ("", "")
        yield _order(f"numeric.transpose{order}.reshape{shape}", read), g.reshape(turned).transpose(back)
        yield (
            _order(f"numeric.reshape{turned}.transpose{tuple(map(int, back))}", written),
            g.transpose(order).reshape(shape),
        )
    for count in range(1, g.ndim + 1):
        for axes in combinations(range(g.ndim), count):
            if all(shape[axis] > 1 for axis in axes):
                words = joined([str(axis) for axis in axes])
                many = "axes" if count > 1 else "axis"
                yield (
                    f"flipped: claimed is numeric in reverse along {many} {words}; look for [::-1], or a "
                    "convolution for a correlation",
                    np.flip(g, axes),
                )


def _order(formula: str, letters: str) -> str:
    of = f" {letters}" if letters else ""
    return f"reshaped in the wrong order{of}: claimed = {formula}; look at reshape, ravel and flatten"


def shifted(block: Evidence) -> Explanation | None:
    """The claim is the gradient moved along by some entries, flat or along an axis, cyclic or not."""
    if not _may_be_moved(block):
        return None
    views: list[tuple[str, tuple[int, ...], int]] = [("", (block.size,), 0)]
    if sum(n > 1 for n in block.shape) > 1:
        views = [
            (f" along axis {axis}", block.shape, axis) for axis, n in enumerate(block.shape) if n > 1
        ] + views
    d = np.where(block.known, block.numeric, 0.0)
    for words, shape, axis in views:
        g = block.claimed.reshape(shape)
        lag = _lag(g, d.reshape(shape), axis)
        if lag == 0:
            continue
        H = np.roll(g, -lag, axis).reshape(-1)
        short = lag if 2 * lag <= shape[axis] else lag - shape[axis]
        entries = f"{abs(short)} {'entry' if abs(short) == 1 else 'entries'} {'on' if short > 0 else 'back'}"
        where = words or (" in flat order" if len(block.shape) > 1 else "")
        if _puts_right(block, H):
            text = f"shifted: claimed is numeric moved {entries}{where}, cyclically (np.roll by {short})"
            return Explanation("shifted", f"{text}: look at an index that is off by {abs(short)}")
        edge = np.zeros(shape, dtype=bool)
        wrapped = slice(shape[axis] - short, None) if short > 0 else slice(0, -short)
        np.moveaxis(edge, axis, 0)[wrapped] = True
        inner = block.only(~edge.reshape(-1))
        if _puts_right(inner, H[~edge.reshape(-1)]) and inner.wrong.sum() >= FREE:
            text = f"shifted: claimed is numeric moved {entries}{where}, but for the edge"
            return Explanation("shifted", f"{text}: look at an index that is off by {abs(short)}")
    return None


def _lag(g: Floats, d: Floats, axis: int) -> int:
    """The s for which np.roll(d, s) is most like g, by their circular correlation."""
    scale = max(float(np.abs(g).max()), float(np.abs(d).max()))
    n = g.shape[axis]
    spectrum = np.fft.rfft(g / scale, axis=axis) * np.conj(np.fft.rfft(d / scale, axis=axis))
    rest = tuple(other for other in range(g.ndim) if other != axis)
    return int(np.argmax(np.fft.irfft(spectrum.sum(axis=rest), n)))


def permuted(block: Evidence) -> Explanation | None:
    """The claim has the numbers of the gradient, in no order that has a name."""
    if not _may_be_moved(block) or not block.known.all():
        return None
    facts = block.facts
    order = np.argsort(facts.d, kind="stable")
    d, t = facts.d[order], facts.t[order]
    if not (np.abs(np.sort(facts.g) - d) <= t).all():
        return None
    apart = np.diff(d) > t[1:] + t[:-1]
    if apart.sum() < RESOLVED * len(apart) or facts.visible(facts.g - facts.d) < MOVED:
        return None
    return Explanation(
        "permuted",
        "permuted: claimed has the same numbers as numeric, in another order; look at sorting, shuffling "
        "and index arrays",
    )


def _may_be_moved(block: Evidence) -> bool:
    return block.explicable and block.whole and block.size > 1


def _puts_right(block: Evidence, H: Floats) -> bool:
    """Whether the claim put back is right, and was not before."""
    facts, H = block.facts, H[block.known]
    return facts.explains(H) and facts.visible(H - facts.g) >= MOVED
