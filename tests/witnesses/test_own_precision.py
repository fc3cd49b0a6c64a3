"""A gradient in its own precision beside the same one in double precision."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.problem.parameters import Parameters
from fastgrad.witnesses.own_precision import in_own_precision

AT = np.random.default_rng(0).normal(size=400).astype(np.float32).astype(np.float64)
EPS = float(np.finfo(np.float32).eps)


def precise(x):
    """The gradient of sum(sin(x)^2)."""
    return 2 * np.sin(x) * np.cos(x)


def rounded(x):
    """To single precision and back."""
    return x.astype(np.float32).astype(np.float64)


def compared(own, gradient=precise, at=AT):
    """What is found of a gradient of one block."""
    return in_own_precision(own, gradient, Parameters(at), "float32", EPS, rounded)


def in_single(x):
    """The same in single precision."""
    return precise(x.astype(np.float32))


def test_right():
    """What is computed in single precision is apart by rounding, and nothing is wrong."""
    found = compared(in_single)
    assert not found.wrong.any()
    assert 1e-9 < found.apart < 1e-6


@pytest.mark.parametrize("share", [1e-3, 1.0, np.nan])
def test_wrong(share):
    """The twin: one entry that is off by a thousandth of itself, or is no number, is found."""
    factor = np.ones(400)
    factor[7] += share
    assert np.flatnonzero(compared(lambda x: in_single(x) * factor).wrong).tolist() == [7]


def test_cancellation():
    """An entry that loses its digits is apart by its own noise, which is measured; a wrong one is not."""

    def cancelling(x, dtype):
        big = x.astype(dtype) * dtype(1e4) + dtype(1.0)
        return (big - x.astype(dtype) * dtype(1e4)) * np.cos(x).astype(dtype)

    exact = lambda x: np.cos(x)  # noqa: E731
    assert not compared(lambda x: cancelling(x, np.float32), exact).wrong.any()
    wrong = compared(lambda x: cancelling(x, np.float32) + np.float32(0.5), exact)
    assert wrong.wrong.mean() > 0.5


def test_zeros():
    """A gradient of zeros in both is the same; rounding in place of a zero is apart by its noise."""
    assert compared(np.zeros_like, np.zeros_like).apart == 0.0
    noise = lambda x: (x.astype(np.float32) / 3 * 3 - x.astype(np.float32)) * 1e-3  # noqa: E731
    assert not compared(noise, np.zeros_like).wrong.any()
