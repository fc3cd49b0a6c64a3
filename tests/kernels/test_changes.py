"""Changes of activations and losses, against exact arithmetic."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from change_cases import EPS

from fastgrad.kernels import changes
from fastgrad.kernels.changes import SMALL, change, prepared

# the activation as a type, the function in exact arithmetic, error allowed in units of eps |d|
ACTIVATIONS = [
    (changes.Identity(), lambda z: z, 0),
    (changes.Sigmoid(), lambda z: 1 / (1 + mpmath.exp(-z)), 2),
    (changes.Tanh(), mpmath.tanh, 3),
    (changes.ReLU(), lambda z: max(z, mpmath.mpf(0)), 1),
    (changes.LeakyReLU(0.01), lambda z: z if z > 0 else mpmath.mpf(0.01) * z, 1),
    (changes.ELU(1.5), lambda z: z if z > 0 else mpmath.mpf(1.5) * mpmath.expm1(z), 3),
    (changes.Softplus(), lambda z: mpmath.log1p(mpmath.exp(z)), 3),
    (changes.SiLU(), lambda z: z / (1 + mpmath.exp(-z)), 3),
    (changes.GELU(), lambda z: z * mpmath.ncdf(z), 3),
]


def inputs():
    """Pre-activations and changes: of all sizes, saturated, and across zero."""
    rng = np.random.default_rng(0)
    d = rng.choice([-1, 1], 400) * 10.0 ** rng.uniform(-12, np.log10(SMALL), 400)
    z = rng.normal(size=400) * rng.choice([0.1, 1, 5, 20], 400)
    z[::5] = d[::5] * rng.uniform(-2, 2, 80)
    z[:3], d[3:6] = 0.0, SMALL
    return z, d


@pytest.mark.parametrize(("activation", "exact", "allowed"), ACTIVATIONS, ids=lambda v: type(v).__name__)
def test_activation_changes(activation, exact, allowed):
    """The change is right to a few roundings of the change of the input, however small that is."""
    z, d = inputs()
    q = prepared(activation, z)
    with mpmath.workprec(200):
        for k in range(len(z)):
            found = change(activation, q[0][k], q[1][k], q[2][k], d[k])
            truth = exact(mpmath.mpf(z[k]) + mpmath.mpf(d[k])) - exact(mpmath.mpf(z[k]))
            assert abs(mpmath.mpf(float(found)) - truth) <= allowed * EPS * abs(d[k]), (z[k], d[k])


@pytest.mark.parametrize("activation", [a for a, _, _ in ACTIVATIONS], ids=lambda v: type(v).__name__)
def test_nan_stays(activation):
    """A NaN in the change or in the input comes out as NaN, it does not vanish."""
    q = [float(v[0]) for v in prepared(activation, np.array([0.3]))]
    assert np.isnan(change(activation, *q, np.nan))
