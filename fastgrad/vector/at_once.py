"""Whether a claimed Jacobian is right beyond doubt, seen from one central difference of each entry.

A yes needs two evaluations of F for each group of columns. Anything that leaves a doubt is a no, and means
that a check has to look: a kink within the step, noise, an entry that cannot be seen, or one that is wrong.

    d = [F_k(x + h e_i) - F_k(x - h e_i)] / 2 h        b = [F_k(x + h e_i) - 2 F_k(x) + F_k(x - h e_i)] / h
    r = ROUNDINGS eps (|F_k| + |d x_i|) / h            s = rms of d over all entries

    |d - J_ki| <= RIGHT max(|d|, |J_ki|) + r           the claim is right
    r <= SEEN |d|  or  r <= SMALL s                    the entry is seen, or is small beside the others
    |b| <= BENT max(|d|, s) + r                        there is no kink within h
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fastgrad.arrays import Floats, IndexArray
from fastgrad.problem.parameters import Parameters
from fastgrad.vector.claims import Claim
from fastgrad.vector.each_entry import MOST_ENTRIES, RIGHT, ROUNDINGS, STEP, full
from fastgrad.vector.guard import SINGLE

SEEN = 1e-2
"""The resolution that a check asks for (options.resolution)."""

SMALL = 1e-6
"""What an entry may be off by in units of a typical one, as small as what a check calls right."""

BENT = 2.0**-10
"""The change of slope from one side to the other, in units of the slope: smooth functions are near 2^-17."""

TOGETHER = 64
"""Points that are evaluated at a time."""

Evaluate = Callable[[Floats], Floats]
"""Displacements (k, n) -> F (k, m)"""


def is_right(claim: Claim, evaluate: Evaluate | None = None) -> bool:
    """Whether all entries of a claimed Jacobian are seen to be right.

    Parameters
    ----------
    claim : Claim
    evaluate : F at many points; None to call it for each

    Examples
    --------
    >>> from fastgrad.options import Options
    >>> from fastgrad.vector.claims import TransposedProduct
    >>> from fastgrad.vector.projection import VectorProblem
    >>> vector = VectorProblem(np.sin, np.arange(1.0, 4.0), (), Options())
    >>> right, wrong = (TransposedProduct(lambda x, u, c=c: c * u * np.cos(x), vector) for c in (1.0, 1.001))
    >>> is_right(right), is_right(wrong)
    (True, False)
    """
    vector = claim.vector
    moved, y, size = vector.moved, vector.outputs.values, vector.parameters.size
    if moved.epsilon > SINGLE:
        return False
    groups = vector.groups(claim.pattern()) or full(len(y), size)
    if groups is None or groups.pattern.nnz > MOST_ENTRIES:
        return False
    pattern = groups.pattern
    claimed = claim.on(pattern, len(y) + 1)
    if claimed is None:
        return False
    rows, columns = np.asarray(pattern.indices), np.repeat(np.arange(size), np.diff(pattern.indptr))
    h = np.maximum(moved.sizes, _typical(vector.parameters)) * STEP
    after, before = _both_sides(evaluate or _one_by_one(moved), groups.numbers, h)
    at, x = (groups.numbers[columns], rows), np.concatenate(vector.parameters.leaves)
    with np.errstate(all="ignore"):
        return _all_right(claimed, after[at], before[at], y[rows], h[columns], np.abs(x[columns]))


def _all_right(claimed: Floats, after: Floats, before: Floats, y: Floats, h: Floats, x: Floats) -> bool:
    """Whether the conditions above hold of entries (e,)."""
    d, b = (after - before) / (2 * h), (after - 2 * y + before) / h
    s = np.sqrt(np.mean(d**2))
    r = ROUNDINGS * np.finfo(np.float64).eps * (np.abs(y) + np.abs(d) * x) / h
    right = np.abs(d - claimed) <= RIGHT * np.maximum(np.abs(d), np.abs(claimed)) + r
    seen = (r <= SEEN * np.abs(d)) | (r <= SMALL * s)
    smooth = np.abs(b) <= BENT * np.maximum(np.abs(d), s) + r
    return bool((right & seen & smooth).all())


def _typical(parameters: Parameters) -> Floats:
    """(n,) the typical size of each parameter's block, as a power of two: small entries take larger steps."""
    each = 2.0 ** np.rint(np.log2(parameters.typical_sizes))
    return np.repeat(each, [block.size for block in parameters.blocks])


def _both_sides(evaluate: Evaluate, numbers: IndexArray, h: Floats) -> tuple[Floats, Floats]:
    """(groups, m) F with the columns of each group moved up, and down."""
    sides: list[list[Floats]] = [[], []]
    count = int(numbers.max()) + 1
    for start in range(0, count, TOGETHER):
        group = np.arange(start, min(start + TOGETHER, count))
        by = np.where(numbers == group[:, None], h, 0.0)
        for side, sign in zip(sides, (1.0, -1.0), strict=True):
            side.append(evaluate(sign * by))
    return np.concatenate(sides[0]), np.concatenate(sides[1])


def _one_by_one(moved: Callable[[Floats], Floats]) -> Evaluate:
    return lambda by: np.array([moved(one) for one in by])
