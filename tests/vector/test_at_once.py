"""Whether a claim is right beyond doubt."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.options import Options
from fastgrad.vector.at_once import is_right
from fastgrad.vector.claims import TransposedProduct, WholeMatrix
from fastgrad.vector.projection import VectorProblem

A = np.random.default_rng(0).normal(size=(50, 40))
X = np.random.default_rng(1).normal(size=40)


def dense(x):
    """tanh(A x)."""
    return np.tanh(A @ x)


def jacobian(x):
    """Its Jacobian."""
    return (1 - np.tanh(A @ x) ** 2)[:, None] * A


def claimed(change=None, function=dense, x=X):
    """The claim of it, changed."""
    J = jacobian(x) if function is dense else np.diag(np.cos(x))
    if change is not None:
        change(J)
    return WholeMatrix(J, VectorProblem(function, x, (), Options()))


def test_right():
    """A dense Jacobian, and an elementwise one by products."""
    assert is_right(claimed())
    vector = VectorProblem(np.sin, X, (), Options())
    assert is_right(TransposedProduct(lambda x, u: u * np.cos(x), vector))


@pytest.mark.parametrize("share", [1e-5, 1.0, np.nan])
def test_one_wrong_entry(share):
    """One entry of ordinary size that is off, or no number, leaves a doubt."""

    def change(J):
        J.reshape(-1)[np.argsort(np.abs(J), axis=None)[len(J.flat) // 2]] *= 1 + share

    assert not is_right(claimed(change))


def test_a_small_entry():
    """An entry that is claimed to be zero and is not, on the scale of the others, leaves a doubt."""

    def change(J):
        J[7, 3] = 0.0

    assert not is_right(claimed(change))


def test_kinks():
    """A kink within the step leaves a doubt, though the central difference is what is claimed."""
    x = np.array([1.0, 0.0, -2.0])
    vector = VectorProblem(np.abs, x, (), Options())
    assert not is_right(WholeMatrix(np.diag([1.0, 0.0, -1.0]), vector))
    smooth = VectorProblem(np.abs, x + 0.5, (), Options())
    assert is_right(WholeMatrix(np.diag([1.0, 1.0, -1.0]), smooth))


def test_noise():
    """What is computed in single precision is left to a check, whatever dtype it comes in."""
    noisy = lambda x: np.tanh(A.astype(np.float32) @ x.astype(np.float32)).astype(np.float64)  # noqa: E731
    assert not is_right(WholeMatrix(jacobian(X), VectorProblem(noisy, X, (), Options())))


def test_many_at_a_time():
    """Points are evaluated in batches where there is a way."""
    sizes = []

    def evaluate(by):
        sizes.append(len(by))
        return np.array([dense(X + one) for one in by])

    assert is_right(claimed(), evaluate)
    assert sizes == [40, 40]
