"""Truths by other ways than a written gradient: differences in 60 digits, and the complex step."""

from __future__ import annotations

import mpmath
import numpy as np
from scipy import special

from fastgrad.problem.parameters import Parameters

DIGITS = 60
"""Digits of the numbers in which costs are differenced."""

STEP = 1e-20
"""Of the size of a parameter: a central difference is off by 1e-40 by its step, and by 1e-40 by 60 digits."""

EXACT = mpmath.MPContext()
EXACT.dps = DIGITS

UFUNCS = {
    "exp": EXACT.exp,
    "expm1": EXACT.expm1,
    "log": EXACT.ln,
    "log1p": EXACT.log1p,
    "sin": EXACT.sin,
    "cos": EXACT.cos,
    "tan": EXACT.tan,
    "arctan": EXACT.atan,
    "tanh": EXACT.tanh,
    "cosh": EXACT.cosh,
    "sinh": EXACT.sinh,
    "sqrt": EXACT.sqrt,
}
for (
    _name,
    _function,
) in UFUNCS.items():  # NumPy calls the method of that name of each entry of an object array
    setattr(EXACT.mpf, _name, lambda self, f=_function: f(self))


def digits(x):
    """An array of floats as an object array of exact numbers with many digits."""
    x = np.asarray(x)
    found = np.empty(x.shape, dtype=object)
    found.reshape(-1)[:] = [EXACT.mpf(float(v)) for v in x.reshape(-1)]
    return found


def gammaln(x):
    """The logarithm of the gamma function, of floats or of exact numbers."""
    return _either(special.gammaln, EXACT.loggamma, x)


def ndtr(x):
    """The normal distribution function, of floats or of exact numbers."""
    return _either(special.ndtr, EXACT.ncdf, x)


def _either(of_floats, of_digits, x):
    if isinstance(x, EXACT.mpf):
        return of_digits(x)
    return np.vectorize(of_digits, otypes=[object])(x) if np.asarray(x).dtype == object else of_floats(x)


def by_digits(cost, params, args=()):
    """The gradient of a cost by central differences in many digits, as a flat vector."""
    parameters = Parameters(params)
    leaves = [digits(leaf) for leaf in parameters.leaves]
    found = []
    for leaf in leaves:
        for k, value in enumerate(leaf):
            size = abs(value) or EXACT.mpf(1)
            with EXACT.workdps(DIGITS + max(0, int(-EXACT.log10(size)))):
                h = STEP * size
                sides = []
                for leaf[k] in (value + h, value - h):
                    sides.append(cost(parameters.build_arrays(leaves), *args))
                found.append(float((sides[0] - sides[1]) / (2 * h)))
            leaf[k] = value
    return np.array(found)


def by_complex_step(cost, params, args=()):
    """The gradient of a cost that takes complex parameters, in float64, as a flat vector."""
    parameters = Parameters(params)
    leaves = [leaf.astype(complex) for leaf in parameters.leaves]
    found = []
    for leaf in leaves:
        for k, value in enumerate(leaf.copy()):
            leaf[k] = value + 1e-40j
            found.append(cost(parameters.build_arrays(leaves), *args).imag / 1e-40)
            leaf[k] = value
    return np.array(found)


def by_sides(cost, gradient, params, args=()):
    """A claim, clipped to what lies between the slopes of both sides of one vector."""
    claimed = np.asarray(gradient(params, *args), dtype=float)
    x, found = digits(params), []
    h = EXACT.mpf(STEP)
    with np.errstate(all="ignore"):
        middle = cost(x, *args)
        for k, value in enumerate(x.copy()):
            slopes = []
            for x[k] in (value + h, value - h):
                slopes.append(float((cost(x, *args) - middle) / (x[k] - value)))
            x[k] = value
            found.append(np.clip(claimed[k], min(slopes) - SIDE, max(slopes) + SIDE))
    return np.array(found)


SIDE = 1e-12
"""What steps of STEP leave of a second derivative, and |x|^1.5 of its slope."""
