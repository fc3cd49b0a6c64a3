"""Detectors of right numbers in wrong places: transposed, reordered, flipped, shifted, permuted.

Notation: as in evidence.py; H = the claimed gradient moved back to where it would be right. All of these
detectors need a block of which every entry was checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations

import numpy as np

from fastgrad.arrays import Floats
from fastgrad.diagnosis.evidence import Evidence, Explanation
from fastgrad.diagnosis.places import joined

FEWEST_MOVED = 2
"""The fewest entries that a rearrangement moves: two that change places."""

FEWEST_EXPLAINED = 3
"""The fewest wrong entries that a shift must explain where the entries at the edge are left out."""

MOST_AXES = 4
"""The most axes of a block of which all orders and flips are tried. Of four axes there are 24 and 15."""

SHARE_APART = 0.5
"""The smallest share of sorted values that must differ from the next by more than t. Sorted values of any
two samples from one distribution agree if t is large."""


def rearranged(block: Evidence) -> Explanation | None:
    """The claimed gradient has its axes in another order, or is flipped."""
    if not _may_be_moved(block):
        return None
    for text, H in _rearrangements(block.claimed.reshape(block.shape)):
        if _puts_right(block, H.reshape(-1)):
            kind = text.split()[0].rstrip(":")
            return Explanation(kind, text)
    return None


def _rearrangements(g: Floats) -> Iterator[tuple[str, Floats]]:
    """Each rearrangement in words, with the claimed gradient put back."""
    if g.ndim > MOST_AXES:
        return
    for order in permutations(range(g.ndim)):
        if order != tuple(range(g.ndim)):
            yield from _reordered(g, order)
    for count in range(1, g.ndim + 1):
        for axes in combinations(range(g.ndim), count):
            if all(g.shape[axis] > 1 for axis in axes):
                words = joined([str(axis) for axis in axes])
                many = "axes" if count > 1 else "axis"
                yield (
                    f"flipped: claimed is numeric in reverse along {many} {words}; look for [::-1], or a "
                    "convolution for a correlation",
                    np.flip(g, axes),
                )


def _reordered(g: Floats, order: tuple[int, ...]) -> Iterator[tuple[str, Floats]]:
    """One order of the axes: transposed where the shape allows it, else reshaped before or after."""
    shape, back = g.shape, np.argsort(order)
    turned = tuple(shape[axis] for axis in order)
    if turned == shape and g.ndim == 2:
        yield "transposed: claimed = numeric.T; look at the order of the two factors of the product", g.T
    elif turned == shape:
        yield f"axes in the wrong order: claimed = numeric.transpose{order}", g.transpose(back)
    else:
        read, written = ("(C against F)", "(F against C)") if g.ndim == 2 else ("", "")
        yield _order(f"numeric.transpose{order}.reshape{shape}", read), g.reshape(turned).transpose(back)
        yield (
            _order(f"numeric.reshape{turned}.transpose{tuple(map(int, back))}", written),
            g.transpose(order).reshape(shape),
        )


def _order(formula: str, letters: str) -> str:
    of = f" {letters}" if letters else ""
    return f"reshaped in the wrong order{of}: claimed = {formula}; look at reshape, ravel and flatten"


def shifted(block: Evidence) -> Explanation | None:
    """The claimed gradient is shifted by some entries, in flat order or along an axis, cyclically or not."""
    if not _may_be_moved(block):
        return None
    views: list[tuple[str, tuple[int, ...], int]] = [
        (" in flat order" if len(block.shape) > 1 else "", (block.size,), 0)
    ]
    if sum(n > 1 for n in block.shape) > 1:
        along = [(f" along axis {axis}", block.shape, axis) for axis, n in enumerate(block.shape) if n > 1]
        views = along + views
    found = (_shifted_along(block, *view) for view in views)
    return next((explanation for explanation in found if explanation is not None), None)


def _shifted_along(block: Evidence, where: str, shape: tuple[int, ...], axis: int) -> Explanation | None:
    """A shift along one axis of the block, seen in some shape.

    Parameters
    ----------
    block : Evidence
    where : the axis in words
    shape : the block's shape, or (size,) for its flat order
    axis : of that shape
    """
    g = block.claimed.reshape(shape)
    d = np.where(block.known, block.numeric, 0.0).reshape(shape)
    lag = _lag(g, d, axis)
    if lag == 0:
        return None
    H = np.roll(g, -lag, axis).reshape(-1)
    short = lag if 2 * lag <= shape[axis] else lag - shape[axis]
    entries = f"{abs(short)} {'entry' if abs(short) == 1 else 'entries'} {'on' if short > 0 else 'back'}"
    text, look = (
        f"shifted: claimed is numeric moved {entries}{where}",
        f"look at an index that is off by {abs(short)}",
    )
    if _puts_right(block, H):
        return Explanation("shifted", f"{text}, cyclically (np.roll by {short}): {look}")
    edge = np.zeros(shape, dtype=bool)
    wrapped = slice(shape[axis] - short, None) if short > 0 else slice(0, -short)
    np.moveaxis(edge, axis, 0)[wrapped] = True
    beside_edge = ~edge.reshape(-1)
    inner = block.only(beside_edge)
    if _puts_right(inner, H[beside_edge]) and inner.wrong.sum() >= FEWEST_EXPLAINED:
        return Explanation("shifted", f"{text}, but for the edge: {look}")
    return None


def _lag(g: Floats, d: Floats, axis: int) -> int:
    """The shift s for which the circular correlation of np.roll(d, s) with g is largest."""
    scale = max(float(np.abs(g).max()), float(np.abs(d).max()))
    n = g.shape[axis]
    spectrum = np.fft.rfft(g / scale, axis=axis) * np.conj(np.fft.rfft(d / scale, axis=axis))
    rest = tuple(other for other in range(g.ndim) if other != axis)
    return int(np.argmax(np.fft.irfft(spectrum.sum(axis=rest), n)))


def permuted(block: Evidence) -> Explanation | None:
    """The claimed gradient has the right numbers in another order, which has no name."""
    if not _may_be_moved(block) or not block.known.all():
        return None
    facts = block.facts
    order = np.argsort(facts.d, kind="stable")
    d, t = facts.d[order], facts.t[order]
    if not (np.abs(np.sort(facts.g) - d) <= t).all():
        return None
    apart = np.diff(d) > t[1:] + t[:-1]
    if apart.sum() < SHARE_APART * len(apart) or facts.visible(facts.g - facts.d) < FEWEST_MOVED:
        return None
    return Explanation(
        "permuted",
        "permuted: claimed has the same numbers as numeric, in another order; look at sorting, shuffling "
        "and index arrays",
    )


def _may_be_moved(block: Evidence) -> bool:
    return block.explicable and block.whole and block.size > 1


def _puts_right(block: Evidence, H: Floats) -> bool:
    """Whether H explains the block, and differs visibly from the claimed gradient."""
    facts, H = block.facts, H[block.known]
    return facts.explains(H) and facts.visible(H - facts.g) >= FEWEST_MOVED
