"""What a constant factor may mean: g = k d, and k is a number that has a name.

Detectors call `named` with the interval of c = 1 / k that they have fitted, and what is `Known` beside the
blocks.

Notation: N = the length of an axis of the user's data, n = the length of an axis of the block, J = the cost
at the parameters. The gradient of F(J) is F'(J) times that of J: a claim that is the gradient of another
function than the cost, such as of an output that the cost is the log or the square of, has such a factor.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from fastgrad.diagnosis.coincidence import CHANCE
from fastgrad.diagnosis.evidence import Number

KNOWN_WELL_ENOUGH = 1e-2
"""The largest relative uncertainty of a factor that is given a meaning: 2 could else be 2.02."""

UNNAMED_FACTOR = (
    "a constant factor: look for a scale that is in only one of the two, such as the weight of a term, a "
    "learning rate or the 1 / (1 - p) of dropout"
)


@dataclass(frozen=True)
class Known:
    """What is known beside the blocks."""

    lengths: Sequence[int] = ()
    """Of the axes of the user's data: a factor may be one of them."""
    cost: float | None = None
    """J, the cost at the parameters: a factor may be a function of it."""


NOTHING = Known()


def inverse(c: Number) -> Number:
    """1 / c, for a c that cannot be 0."""
    if c.low * c.high <= 0:
        return Number(-math.inf, math.inf)
    return Number(1 / c.high, 1 / c.low)


def named(c: Number, shape: tuple[int, ...], known: Known = NOTHING) -> tuple[Number, str]:
    """k = 1 / c and what it means, in words: the simplest two meanings that fit; "" if none does.

    Parameters
    ----------
    c : Number
    shape : of the block
    known : Known
    """
    if c.width > KNOWN_WELL_ENOUGH:
        return inverse(c), ""
    if c.low <= -1 <= c.high:
        return Number(-1.0, -1.0), "a minus sign is missing, or one too many"
    for sign, start in ((1, ""), (-1, "the sign is wrong, and ")):
        found = [(k, why) for k, why in _usual(shape, known.lengths) if c.low <= sign / k <= c.high]
        if found:
            k = sign * found[0][0]
            return Number(k, k), start + "; or ".join(dict.fromkeys(why for _, why in found[:2]))
    unusual = [(k, why) for k, why in (*_units(), *_functions_of_cost(known.cost)) if k]  # 0: it underflowed
    if c.width * len(unusual) <= CHANCE:
        for k, why in unusual:
            if c.low <= 1 / k <= c.high:
                return Number(k, k), why
    return inverse(c), ""


def _usual(shape: tuple[int, ...], lengths: Sequence[int]) -> Iterator[tuple[float, str]]:
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


def _units() -> Iterator[tuple[float, str]]:
    """Values of k between two units."""
    for number, of, text in (
        (math.log(2), "ln 2", "bits for nats, or a log to base 2 for a natural one"),
        (math.log(10), "ln 10", "a log to base 10 for a natural one, or decibels"),
        (math.pi / 180, "pi/180", "degrees for radians"),
    ):
        yield number, f"this is {of}: {text}"
        yield 1 / number, f"this is 1/({of}): {text}"


def _functions_of_cost(cost: float | None) -> Iterator[tuple[float, str]]:
    """F'(J), and of what function the claim is the gradient then."""
    if cost is None or not math.isfinite(cost) or cost == 0:
        return
    J, output = cost, "the gradient of the output, not of the loss"
    if J > 0:
        for sign in (1.0, -1.0):
            yield (
                sign / math.sqrt(2 * J),
                f"this is the gradient of r, if the cost is r^2 / 2: {output}",
            )
            yield (
                sign / (2 * math.sqrt(J)),
                f"this is the gradient of r, if the cost is r^2: {output}",
            )
        yield 2 * J, "this is the gradient of the square of the cost: a root is forgotten"
    if abs(J) < math.log(1e300):
        for k, F in ((math.exp(J), "exp(cost)"), (-math.exp(-J), "exp(-cost)")):
            yield k, f"this is the gradient of {F}: that of a likelihood or probability, not of its log"
    for k, F in ((1 / J, "log(cost)"), (-1 / J, "-log(cost)")):
        yield k, f"this is the gradient of {F}: a log that only the gradient has"
