"""The scalar formulas under the elementwise functions: log1p, and the polynomials."""

import mpmath
import numpy as np
import pytest
from ulps import SEED, errors_in_ulp

from fastgrad.kernels import _scalar


class TestAccuracy:
    def test_log1p_on_its_range(self):
        """log1p1 is within 1 ulp on [0, 1], and beyond up to 2**60, from subnormal numbers on."""
        rng = np.random.default_rng(SEED)
        exponents = rng.integers(-1074, 61, 1500).astype(np.int32)
        x = np.concatenate([rng.random(1000), np.ldexp(rng.uniform(1, 2, exponents.size), exponents)])
        got = np.array([_scalar.log1p1(value) for value in x])

        assert errors_in_ulp(got, x, mpmath.log1p).max() <= 1.0

    @pytest.mark.filterwarnings("ignore:Descending:DeprecationWarning")  # mpmath 1.4; 1.3 has no other
    def test_coefficients_are_the_fits(self):
        """The polynomials are the Chebyshev fits that the comments beside them say they are."""
        with mpmath.workdps(60):
            half = mpmath.log(2) / 2 * mpmath.mpf("1.0001")
            z_max = (3 - 2 * mpmath.sqrt(2)) ** 2 * mpmath.mpf("1.0001")

            def q(r):
                return (mpmath.exp(r) - 1 - r) / r**2 if abs(r) > 1e-20 else mpmath.mpf(1) / 2

            def big_r(z):
                s = mpmath.sqrt(z)
                return (2 * mpmath.atanh(s) - 2 * s) / s**3

            q_fit = [float(c) for c in mpmath.chebyfit(q, (-half, half), 11)[::-1]]
            r_fit = [float(c) for c in mpmath.chebyfit(big_r, (0, z_max), 7)[::-1]]

        assert [getattr(_scalar, f"Q{i}") for i in range(11)] == q_fit
        assert [getattr(_scalar, f"L{i}") for i in range(7)] == r_fit
