"""Detector of a projection to the tangent space of orthogonal matrices: SO(3), Stiefel manifolds.

Notation: as in evidence.py, as matrices; X = the parameters, a matrix with orthonormal columns. The gradient
D of a function of all matrices becomes that of a function of orthogonal ones by

    D - X (X^T D + D^T X) / 2     in the metric of the space around
    D - X D^T X                   in the canonical metric; twice the first if X is square
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fastgrad.arrays import Floats
from fastgrad.diagnosis.evidence import Evidence, Explanation
from fastgrad.diagnosis.projections import FEWEST_CHANGED, ROUNDING

ORTHOGONAL = 1e-6
"""The largest entry of X^T X - 1 for which X counts as orthogonal."""

Project = Callable[[Floats, Floats, float], Floats]
"""project(X, D, sign): the projection with sign -1; with +1 and absolute values the bound on its error."""


def _around(X: Floats, D: Floats, sign: float) -> Floats:
    Xt, Dt = np.swapaxes(X, -1, -2), np.swapaxes(D, -1, -2)
    return np.asarray(D + sign * X @ (Xt @ D + Dt @ X) / 2)


def _canonical(X: Floats, D: Floats, sign: float) -> Floats:
    return np.asarray(D + sign * X @ np.swapaxes(D, -1, -2) @ X)


PROJECTIONS: tuple[tuple[str, Project], ...] = (
    ("{0} - X (X.T {0} + {0}.T X) / 2", _around),
    ("{0} - X {0}.T X", _canonical),
)


def tangent(block: Evidence) -> Explanation | None:
    """The claim is projected to the tangent space at an orthogonal matrix, or the cost is."""
    facts = block.facts
    if not (block.explicable and block.whole and block.known.all() and _is_orthogonal(block)):
        return None
    if facts.visible(facts.g - facts.d) < FEWEST_CHANGED:
        return None
    X, G, D, T = (v.reshape(block.shape) for v in (facts.x, facts.g, facts.d, facts.t))
    rounding = max(facts.rounding, ROUNDING) * np.abs(G)
    for formula, project in PROJECTIONS:
        if (np.abs(G - project(X, D, -1.0)) <= project(np.abs(X), T, 1.0)).all():
            return Explanation(
                "tangent",
                f"claimed = {formula.format('numeric')}, X being the parameters, an orthogonal matrix: it "
                "is projected to the tangent space of these (a rotation, SO(n), Stiefel), the cost is "
                "not; compare the projected numeric gradient with it",
            )
        if (np.abs(D - project(X, G, -1.0)) <= T + project(np.abs(X), rounding, 1.0)).all():
            return Explanation(
                "tangent",
                f"numeric = {formula.format('claimed')}, X being the parameters, an orthogonal matrix: the "
                "cost makes its matrix orthogonal, and the claim lacks the projection to the tangent space",
            )
    return None


def _is_orthogonal(block: Evidence) -> bool:
    shape = block.shape
    if len(shape) < 2 or not 2 <= shape[-1] <= shape[-2]:
        return False
    X = block.facts.x.reshape(shape)
    return bool((np.abs(np.swapaxes(X, -1, -2) @ X - np.eye(shape[-1])) <= ORTHOGONAL).all())
