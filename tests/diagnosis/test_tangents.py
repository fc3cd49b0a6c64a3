"""Gradients that are projected to the tangent space of orthogonal matrices."""

from __future__ import annotations

import numpy as np
import pytest
from diagnosis_cases import block, diagnosed, kinds, put

from fastgrad.diagnosis.diagnose import diagnose

RNG = np.random.default_rng(3)


def orthogonal(n, p):
    """An orthogonal matrix, and a gradient at it."""
    return np.linalg.qr(RNG.normal(size=(n, p)))[0], RNG.normal(size=(n, p))


def around(X, D):
    """The projection in the metric of the space around."""
    return D - X @ (X.T @ D + D.T @ X) / 2


def canonical(X, D):
    """The gradient in the canonical metric."""
    return D - X @ D.T @ X


@pytest.mark.parametrize(
    ("project", "formula"),
    [(around, "{0} - X (X.T {0} + {0}.T X) / 2"), (canonical, "{0} - X {0}.T X")],
)
@pytest.mark.parametrize(("n", "p"), [(3, 3), (5, 2)])
def test_projected(project, formula, n, p):
    """A claim in the tangent space is named with its formula, and so is a cost that projects."""
    X, D = orthogonal(n, p)
    (claim,) = diagnose([block("R", project(X, D), D, x=X)])
    (cost,) = diagnose([block("R", D, project(X, D), x=X)])

    assert claim.sentence.startswith(
        f"R: claimed = {formula.format('numeric')}, X being the parameters, an orth"
    )
    assert cost.sentence.startswith(
        f"R: numeric = {formula.format('claimed')}, X being the parameters, an orth"
    )


def test_not_orthogonal():
    """At other matrices nothing is called a tangent."""
    X, D = RNG.normal(size=(2, 3, 3))
    assert kinds(block("R", around(X, D), D, x=X)) == ["unexplained"]


def test_one_entry_off():
    """Neither is a gradient with one entry that does not fit."""
    X, D = orthogonal(3, 3)
    assert kinds(block("R", put(around(X, D), (1, 2), 9.0), D, x=X)) == ["unexplained"]


def test_rotation_end_to_end():
    """The Riemannian gradient of a function of rotations, checked against differences in all directions."""
    X, A = orthogonal(3, 3)
    (said,) = diagnosed(lambda R: np.sum(A * np.sin(R)), lambda R: around(R, A * np.cos(R)), X)
    assert "projected to the tangent space of these (a rotation, SO(n), Stiefel)" in said
