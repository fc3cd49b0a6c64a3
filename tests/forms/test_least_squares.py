"""check_least_squares: the Jacobian of residuals, and the derivatives of a loss."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import least_squares
from scipy.sparse.linalg import aslinearoperator

import fastgrad
from fastgrad.errors import InputError

T = np.linspace(0.0, 2.0, 12)
Y = 2 * np.exp(-0.7 * T)
X0 = np.array([1.5, -0.5])


def fun(x, t=T, y=Y):
    """Residuals of an exponential."""
    return x[0] * np.exp(x[1] * t) - y


def jac(x, t=T, y=Y):
    """Their Jacobian."""
    return np.stack([np.exp(x[1] * t), x[0] * t * np.exp(x[1] * t)], axis=1)


def wrong(x, t=T, y=Y):
    """It without the factor t."""
    return np.stack([np.exp(x[1] * t), x[0] * np.exp(x[1] * t)], axis=1)


@pytest.mark.parametrize("kind", [np.asarray, np.ndarray.tolist, sparse.csr_array, aslinearoperator])
def test_twins(kind):
    """Dense, sparse and operator Jacobians are checked at x0 and at two more points, right and wrong."""
    reports = fastgrad.check_least_squares(fun, X0, jac=lambda x: kind(jac(x)))
    assert (reports.verdict, list(reports.reports)) == (
        "agree",
        ["jac at x0", "jac at point 1", "jac at point 2"],
    )
    reports = fastgrad.check_least_squares(fun, X0, jac=lambda x: kind(wrong(x)))
    assert reports.verdict == "disagree"
    assert [f.label for f in reports["jac at x0"].wrong] == ["params[1]"]


def test_the_call_is_scipys():
    """args, kwargs and what no derivative depends on are taken as scipy takes them."""
    given = {"args": (T,), "kwargs": {"y": Y}, "ftol": 1e-6, "max_nfev": 50, "x_scale": "jac", "verbose": 0}
    assert least_squares(fun, X0, jac, (-5, 5), "trf", **given).success
    assert fastgrad.check_least_squares(fun, X0, jac, (-5, 5), "trf", **given).passed


def test_bounds():
    """No residual is asked for beyond the bounds, and x0 may lie on one."""

    def inside(x):
        assert (x >= 0).all()
        return np.sqrt(x) + x

    def slope(x):
        with np.errstate(divide="ignore"):
            return np.diag(0.5 / np.sqrt(x) + 1)

    reports = fastgrad.check_least_squares(inside, [1e-2, 4.0], slope, bounds=([0, 0], [9, 4]))
    assert reports.passed
    with pytest.raises(InputError, match=r"x0\[0\] = -1 is not between 0 and 9"):
        fastgrad.check_least_squares(inside, [-1.0, 1.0], slope, bounds=(0, 9))


def soft(z, factor=1.0):
    """The loss soft_l1 with its derivatives, the second times a factor."""
    t = 1 + z
    return np.array([2 * (t**0.5 - 1), t**-0.5, factor * -0.5 * t**-1.5])


def test_loss():
    """Both derivatives of a loss that is a function are checked, also where jac is not."""
    assert fastgrad.check_least_squares(fun, X0, jac, loss=soft, f_scale=0.1).passed
    reports = fastgrad.check_least_squares(fun, X0, loss=partial(soft, factor=2.0))
    assert list(reports.failed) == ["loss'' at x0"]
    assert "jac is not a function" in reports.notes[0]
    with pytest.raises(InputError, match=r"of 12 numbers, shape \(3, 12\); got"):
        fastgrad.check_least_squares(fun, X0, loss=lambda z: z)


# jac, what is said
REFUSED = (
    ("2-point", "there is no derivative to check in this call"),
    ("exact", "jac must be a function .* or one of 2-point, 3-point, cs; got str"),
    (np.ones((12, 2)), r"jac must be a function .* got float64 array of shape \(12, 2\)"),
    (lambda x: np.ones((2, 12)), r"jac at x0: the Jacobian .* must have shape \(12, 2\)"),
)


@pytest.mark.parametrize(("jac", "said"), REFUSED)
def test_refused(jac, said):
    """What is no Jacobian is refused by a sentence."""
    with pytest.raises(InputError, match=said):
        fastgrad.check_least_squares(fun, X0, jac)


def test_unknown_keywords():
    """A keyword that neither scipy nor fastgrad knows is refused."""
    with pytest.raises(TypeError, match="unknown option 'max_nfevs'"):
        fastgrad.check_least_squares(fun, X0, jac, max_nfevs=3)
