"""Every derivative in a call of scipy.optimize.minimize, checked by the arguments of that very call.

python examples/scipy_objective.py
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.optimize import NonlinearConstraint, minimize

import fastgrad


def fun(x):
    """A valley of Rosenbrock's."""
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def jac(x):
    """Its gradient."""
    return np.array([-2 * (1 - x[0]) - 400 * x[0] * (x[1] - x[0] ** 2), 200 * (x[1] - x[0] ** 2)])


def hess(x):
    """Its Hessian, with one sign wrong."""
    return np.array([[2 + 1200 * x[0] ** 2 - 400 * x[1], 400 * x[0]], [-400 * x[0], 200.0]])


def main():
    """Print what was found of the call, mend it, and minimise; 0 if the Hessian alone was called wrong."""
    x0, bounds = [0.5, 0.8], [(0, 2)] * 2
    disc = NonlinearConstraint(lambda x: x @ x, 0, 2, jac=lambda x: 2 * x)
    found = fastgrad.check_minimize(fun, x0, jac=jac, hess=hess, bounds=bounds, constraints=disc)
    print(found)
    mended = lambda x: np.tril(hess(x)) + np.tril(hess(x), -1).T  # noqa: E731 - the entry below the diagonal
    again = fastgrad.check_minimize(fun, x0, jac=jac, hess=mended, bounds=bounds, constraints=disc)
    print(again)
    result = minimize(fun, x0, jac=jac, hess=mended, bounds=bounds, constraints=disc, method="trust-constr")
    print(f"minimum {result.fun:.1e} at {np.round(result.x, 4)}")
    return 0 if all(name.startswith("hess") for name in found.failed) and found.failed and again.passed else 1


if __name__ == "__main__":
    sys.exit(main())
