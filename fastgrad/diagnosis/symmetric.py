"""Detectors of the conventions for symmetric and triangular matrices.

Differences move one entry at a time. A formula for a symmetric matrix often moves (i, j) and (j, i) together,
gives one triangle only, or the mean of both.

Notation: as in evidence.py, as matrices; M = one of the maps below.

    G = M(D)    the claim follows a convention that the cost does not
    D = M(G)    the cost does: it reads one triangle, or takes the mean of both

No number is fitted. The maps have no negative terms, so that M(T) bounds the error of M(D).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fastgrad.arrays import Floats
from fastgrad.diagnosis.evidence import Evidence, Explanation
from fastgrad.diagnosis.projections import FEWEST_CHANGED, ROUNDING

SYMMETRIC = 1e-9
"""The largest difference of X and X^T, as a share of the largest entry, for which X counts as symmetric."""


def transposed(D: Floats) -> Floats:
    """Of each of a stack of matrices."""
    return np.swapaxes(D, -1, -2)


def doubled(D: Floats) -> Floats:
    """The entries off the diagonal times 2."""
    return np.asarray(D * (2 - np.eye(D.shape[-1])))


def halved(D: Floats) -> Floats:
    """The entries off the diagonal by 2."""
    return np.asarray(D * (1 + np.eye(D.shape[-1])) / 2)


def folded(D: Floats) -> Floats:
    """Entries (i, j) and (j, i) added up."""
    return np.asarray(D + transposed(D) * (1 - np.eye(D.shape[-1])))


def mean(D: Floats) -> Floats:
    """The mean of the matrix and its transpose."""
    return (D + transposed(D)) / 2


def folded_lower(D: Floats) -> Floats:
    """The lower triangle, with what belongs to the upper one added."""
    return np.tril(folded(D))


def folded_upper(D: Floats) -> Floats:
    """The upper triangle, with what belongs to the lower one added."""
    return np.triu(folded(D))


@dataclass(frozen=True)
class Convention:
    """A map of a matrix, with what is said of a claim that follows it, and of a cost that does."""

    M: Callable[[Floats], Floats]
    claimed: str
    numeric: str
    of_triangular: bool = False
    """Whether it is looked for in triangular matrices too."""


ONE_AT_A_TIME = "differences move one entry at a time, the other triangle stays"
PAIRS = "a convention for symmetric matrices, in which (i, j) and (j, i) move together; " + ONE_AT_A_TIME
READS = "the cost reads the {0} triangle alone (numeric is 0 in the other one)"

CONVENTIONS = (
    Convention(
        doubled, f"claimed is numeric with the entries off the diagonal doubled, and right on it: {PAIRS}", ""
    ),
    Convention(
        halved,
        "claimed is numeric with the entries off the diagonal halved, and right on it: the cost takes each "
        "pair (i, j), (j, i) for twice of one entry, the claim for one",
        "",
    ),
    Convention(
        np.tril,
        "claimed is numeric in the lower triangle and 0 above the diagonal: the cost reads both triangles",
        READS.format("lower") + ", and the claim, right there, is not 0 in the other",
        of_triangular=True,
    ),
    Convention(
        np.triu,
        "claimed is numeric in the upper triangle and 0 below the diagonal: the cost reads both triangles",
        READS.format("upper") + ", and the claim, right there, is not 0 in the other",
        of_triangular=True,
    ),
    Convention(
        folded_lower,
        "claimed is numeric + numeric.T below the diagonal, and 0 above it: the lower triangle stands for "
        "both, but the cost reads both",
        READS.format("lower")
        + ", and its entries are those of claimed + claimed.T: the claim is for a full matrix",
    ),
    Convention(
        folded_upper,
        "claimed is numeric + numeric.T above the diagonal, and 0 below it: the upper triangle stands for "
        "both, but the cost reads both",
        READS.format("upper")
        + ", and its entries are those of claimed + claimed.T: the claim is for a full matrix",
    ),
    Convention(
        folded,
        f"claimed = numeric + numeric.T, but for the diagonal: {PAIRS}",
        "numeric = claimed + claimed.T, but for the diagonal: the cost takes each entry for (j, i) too, "
        "the claim does not",
    ),
    Convention(
        mean,
        "claimed = (numeric + numeric.T) / 2: it is made symmetric, but the cost does not treat (i, j) and "
        "(j, i) alike; does it read one triangle?",
        "numeric = (claimed + claimed.T) / 2: the cost makes its matrix symmetric, the claim does not",
    ),
)
"""The conventions, simplest first."""


def symmetric(block: Evidence) -> Explanation | None:
    """The claim is right by a convention for symmetric or triangular matrices, the cost by another."""
    facts = block.facts
    if not (block.explicable and block.whole and block.known.all()):
        return None
    if facts.visible(facts.g - facts.d) < FEWEST_CHANGED or not _is_square(block.shape):
        return None
    X, G, D, T = (v.reshape(block.shape) for v in (facts.x, facts.g, facts.d, facts.t))
    is_symmetric = bool((np.abs(X - transposed(X)) <= SYMMETRIC * np.abs(X).max()).all())
    is_triangular = np.array_equal(X, np.tril(X)) or np.array_equal(X, np.triu(X))
    rounding = max(facts.rounding, ROUNDING) * np.abs(G)
    for c in CONVENTIONS:
        if not (is_symmetric or (is_triangular and c.of_triangular)):
            continue
        if (np.abs(G - c.M(D)) <= c.M(T)).all():
            return Explanation("symmetric", c.claimed)
        if c.numeric and (np.abs(D - c.M(G)) <= T + c.M(rounding)).all():
            return Explanation("symmetric", c.numeric)
    return None


def _is_square(shape: tuple[int, ...]) -> bool:
    return len(shape) >= 2 and shape[-1] == shape[-2] > 1


def packed(block: Evidence) -> Explanation | None:
    """A triangle as a vector, of which the entries off the diagonal are doubled or halved."""
    facts = block.facts
    if not (block.explicable and block.whole and block.known.all() and len(block.shape) == 1):
        return None
    n = int((8 * block.size + 1) ** 0.5) // 2
    if n * (n + 1) // 2 != block.size or facts.visible(facts.g - facts.d) < FEWEST_CHANGED:
        return None
    for how, rows, columns in (
        ("lower triangle by rows", *np.tril_indices(n)),
        ("upper triangle by rows", *np.triu_indices(n)),
    ):
        for word, k in (("doubled", 2.0), ("halved", 0.5)):
            scale = np.where(rows == columns, 1.0, k)
            if (np.abs(facts.g - scale * facts.d) <= scale * facts.t).all():
                return Explanation(
                    "symmetric",
                    f"claimed is numeric with the entries off the diagonal {word}, if this is a symmetric "
                    f"{n} x {n} matrix packed as its {how}: each stands for (i, j) and (j, i), in one of "
                    "the two only",
                )
    return None
