"""Errors in units of the last place."""

import mpmath
import numpy as np

SEED = 20240607


def errors_in_ulp(got, x, exact):
    """|got - exact(x)| in units of the spacing of got's dtype at the exact value."""
    errors = np.empty(x.size)
    with mpmath.workprec(160):
        for i in range(x.size):
            value = exact(mpmath.mpf(float(x[i])))
            ulp = np.spacing(np.abs(got.dtype.type(float(value))))
            errors[i] = abs((mpmath.mpf(float(got[i])) - value) / mpmath.mpf(float(ulp)))
    return errors
