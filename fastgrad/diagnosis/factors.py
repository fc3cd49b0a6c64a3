"""Detector of a constant factor, and what the factor means: g = k d, so that d = c g with c = 1 / k.

`named` is also called by penalties.py.

Notation: as in evidence.py; N = the length of an axis of the user's data, n = the length of an axis of the
block.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations

from fastgrad.diagnosis.evidence import SPARE, Evidence, Explanation, Number
from fastgrad.diagnosis.fits import slope

KNOWN_WELL_ENOUGH = 1e-2
"""The largest relative uncertainty of a factor that is given a meaning: 2 could else be 2.02."""

FACTOR_TEXT = "claimed = {0} * numeric in every entry"

UNNAMED_FACTOR = (
    "a constant factor: look for a scale that is in only one of the two, such as the weight of a term, a "
    "learning rate or the 1 / (1 - p) of dropout"
)


def factor(block: Evidence, lengths: Sequence[int] = (), spare: int = SPARE) -> Explanation | None:
    """The claim is a constant times the gradient.

    Parameters
    ----------
    block : Evidence
    lengths : of the axes of the user's data: the factor may be one of them
    spare : a factor without a meaning must be visible in more than so many coordinates
    """
    facts = block.facts
    if not block.explicable:
        return None
    c = slope(facts.g, facts.d, facts.t)
    if c is None or not facts.visible((c.value - 1) * facts.g):
        return None
    k, why = named(c, block.shape, lengths)
    if not why and (facts.visible((c.value - 1) * facts.g) <= spare or c.low * c.high <= 0):
        return None
    return Explanation(
        "sign" if k.value == -1 else "factor", FACTOR_TEXT, (k,), detail=f": {why or UNNAMED_FACTOR}"
    )


def inverse(c: Number) -> Number:
    """1 / c, for a c that cannot be 0."""
    if c.low * c.high <= 0:
        return Number(-math.inf, math.inf)
    return Number(1 / c.high, 1 / c.low)


def named(c: Number, shape: tuple[int, ...], lengths: Sequence[int]) -> tuple[Number, str]:
    """k = 1 / c and what it means, in words: the simplest two meanings that fit; "" if none does.

    Parameters
    ----------
    c : Number
    shape : of the block
    lengths : of the axes of the user's data
    """
    if c.width > KNOWN_WELL_ENOUGH:
        return inverse(c), ""
    if c.low <= -1 <= c.high:
        return Number(-1.0, -1.0), "a minus sign is missing, or one too many"
    for sign, start in ((1, ""), (-1, "the sign is wrong, and ")):
        found = [(k, why) for k, why in _known_factors(shape, lengths) if c.low <= sign / k <= c.high]
        if found:
            k = sign * found[0][0]
            return Number(k, k), start + "; or ".join(dict.fromkeys(why for _, why in found[:2]))
    return inverse(c), ""


def _known_factors(shape: tuple[int, ...], lengths: Sequence[int]) -> Iterator[tuple[float, str]]:
    """Values of k that have a meaning, and the meaning, simplest first."""
    yield 2.0, "the 1/2 of a square is missing, or a term is added twice"
    yield 0.5, "the 2 of the derivative of a square is missing, or its 1/2 is in the gradient only"
    data = [N for N in dict.fromkeys(int(n) for n in lengths) if N > 1]
    for N in data:
        yield float(N), f"a sum over the {N} entries along an axis of the data where the loss takes the mean"
        yield (
            1 / N,
            f"a mean over the {N} entries along an axis of the data where the loss takes the sum, "
            f"or {N} divided by twice",
        )
    for N in data:
        if N != 2:
            why = f"with {N} entries along an axis of the data, a mean in one and"
            yield 2 / N, f"2/{N}: {why} the 2 of a square in the gradient only"
            yield N / 2, f"{N}/2: {why} the 1/2 of a square in the loss only"
    for axis, n in enumerate(shape):
        if n > 1:
            yield float(n), f"{n} is the length of axis {axis} of the block: summed where a mean is due?"
            yield 1 / n, f"1/{n}, with {n} the length of axis {axis} of the block: a mean where a sum is due?"
    for N, M in combinations(data, 2):
        why = f"{N} * {M} entries along two axes of the data"
        yield float(N * M), f"a sum over {why} where the loss takes the mean"
        yield 1 / (N * M), f"a mean over {why} where the loss takes the sum"
