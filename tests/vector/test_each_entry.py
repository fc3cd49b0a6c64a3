"""Small entries in columns of large ones."""

import numpy as np
import pytest
from vector_cases import DENSE, A

import fastgrad


def mixed(x):
    """One output is a billion times smaller than the others."""
    y = DENSE.function(x)
    y[7] *= 1e-9
    return y


def mixed_jacobian(x):
    """Of `mixed`."""
    J = DENSE.jacobian(x)
    J[7] *= 1e-9
    return J


def test_right():
    """Right entries are not suspected for long: the check agrees."""
    assert fastgrad.check_jacobian(mixed, mixed_jacobian, DENSE.x).verdict == "agree"


@pytest.mark.parametrize("kind", ["jacobian", "vjp"])
def test_small_beside_large(kind):
    """An entry that is off by 1% is found though its column hides it: it is 1e-7 of the sum."""
    scale = np.ones(40)
    scale[3] = 1e7

    def function(x):
        return scale * (A @ x) + 1e7 * x[:40].sum() * (np.arange(40) != 9)

    J = scale[:, None] * A + 1e7 * (np.arange(40) != 9)[:, None] * (np.arange(50) < 40)
    wrong = J.copy()
    wrong[9, 5] *= 1.01
    x = DENSE.x
    given = {"jacobian": wrong, "vjp": lambda x, u: wrong.T @ u}[kind]

    report = getattr(fastgrad, f"check_{kind}")(function, given, x)

    assert report.verdict == "disagree"
    assert [(e.output_index, e.flat_index) for e in report.entries] == [(9, 5)]


def test_headline():
    """Where only such an entry is wrong, the first line names it."""

    def function(x):
        return np.array([1e3 * x[0] + 1e-4 * x[1], 1e3 * x[1], 1e3 * x[0] * x[1]])

    def jacobian(x):
        return np.array([[1e3, 1.1e-4], [0.0, 1e3], [1e3 * x[1], 1e3 * x[0]]])

    report = fastgrad.check_jacobian(function, jacobian, np.array([1.0, 1.0]))

    assert report.verdict == "disagree"
    assert "d output[0] / d params[1] is claimed to be 0.00011, numeric 0.0001" in str(report).splitlines()[0]
