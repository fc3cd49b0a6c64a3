"""exp, expm1, log1p and the activations of one float64: without branches, so that callers' loops vectorise.

Notation: k = an integer held in a float64, r = the reduced argument, u = 2**-53.

`elementwise` and `losses` call these functions in their loops. LLVM turns each `a if c else b` into a blend.
There is no conversion from float64 to int64 and no arithmetic right shift, since AVX2 has neither, and no
call of the C library.

`float(np.float64(x))` is a float64 in compiled code whatever x is. In plain Python it is a float, whose
arithmetic gives infinities without a warning. The `.view` calls reinterpret the 64 bits.
"""

import numpy as np

from fastgrad.kernels.jit import jit_inlined

ROUND = 1.5 * 2.0**52
"""x + ROUND - ROUND rounds |x| < 2**51 to an integer, which is also the low bits of x + ROUND."""

LOG2_E = 1.4426950408889634  # 1 / ln 2
LN2_HIGH = 0.6931471803691238
"""ln 2 rounded down to 32 bits: k * LN2_HIGH is exact for |k| < 2**21 (Cody and Waite)."""
LN2_LOW = 1.9082149292705877e-10
"""ln 2 - LN2_HIGH, so the two together hold ln 2 to about 2**-86."""

EXP_MIN = -746.0
EXP_MAX = 710.0
"""exp rounds to 0 below -745.14 and overflows above 709.79, so that clamping the argument to these bounds
changes nothing. 2**k of a clamped argument is a product of two float64 powers of two."""

TANH_MAX = 22.0
"""Where tanh rounds to 1: 1 - tanh(x) < u / 2 above 19.07."""

SQRT_2 = 1.4142135623730951
EXPONENT_BITS = 0x7FF0000000000000  # the exponent field of a float64; with the other bits zero it is 2**k
SIGN_BIT = -(2**63)
RECIPROCAL_BITS = 0x7FE0000000000000
"""Bits of 2**-k are RECIPROCAL_BITS - bits of 2**k."""
BIAS = 1023.0  # the exponent bits of 1.0
ROUND_BITS = 0x4338000000000000
"""The bits of ROUND. Adding an integer to them gives the bits of ROUND + integer."""


# fmt: off
# (exp(r) - 1 - r) / r**2 on |r| <= ln(2) / 2, lowest power first, degree 10: Chebyshev fit
# (mpmath.chebyfit, 60 digits), error of exp(r) 2e-19 = 0.002 u; with degree 9 the error is 0.2 u.
# tests/kernels/test_elementwise.py computes the coefficients again and compares.
Q0, Q1, Q2, Q3, Q4, Q5, Q6, Q7, Q8, Q9, Q10 = (
    0.5, 0.1666666666666667, 0.04166666666666667, 0.008333333333326136, 0.0013888888888883748,
    0.00019841269874820627, 2.4801587325547743e-05, 2.7557255400206422e-06, 2.75572736431103e-07,
    2.5105217004720745e-08, 2.0914686968086876e-09,
)

# (2 atanh(s) - 2 s) / s**3 in z = s**2 on 0 <= s <= 3 - 2 sqrt(2), lowest power first, degree 6:
# Chebyshev fit (mpmath.chebyfit, 60 digits), relative error of log 1e-17.
L0, L1, L2, L3, L4, L5, L6 = (
    0.666666666666667, 0.39999999999899444, 0.2857142862600327, 0.22222211130259878,
    0.18182889455674947, 0.15331710618210773, 0.14616585424888623,
)
# fmt: on


@jit_inlined
def bits_of(x: float) -> np.int64:
    """The 64 bits of a float64, as an integer."""
    return np.float64(x).view(np.int64)


@jit_inlined
def float_of(bits: np.int64) -> float:
    """The float64 of these 64 bits."""
    return float(np.int64(bits).view(np.float64))


@jit_inlined
def power_of_two(k: float) -> float:
    """2**k for an integer -1022 <= k <= 1023: k in the exponent bits."""
    return float_of(bits_of(k + (ROUND + BIAS)) << 52)


@jit_inlined
def reduced_expm1(x: float) -> tuple[float, float]:
    """The k and expm1(r) where x = k ln 2 + r with |r| <= ln(2) / 2."""
    k = (x * LOG2_E + ROUND) - ROUND
    high = x - k * LN2_HIGH
    r = high - k * LN2_LOW
    low = (high - r) - k * LN2_LOW  # the rounding error of r
    r2 = r * r
    r4 = r2 * r2
    # Estrin's scheme: shorter dependency chains than Horner's, with the same number of operations.
    q = ((Q0 + Q1 * r) + (Q2 + Q3 * r) * r2) + (
        ((Q4 + Q5 * r) + (Q6 + Q7 * r) * r2) + ((Q8 + Q9 * r) + Q10 * r2) * r4
    ) * r4
    return k, r + (r2 * q + low)


@jit_inlined
def exp1(x: float) -> float:
    """exp(x), with 2**k in two factors, so that only the last product rounds a subnormal result."""
    x = float(np.float64(x))
    x = EXP_MIN if x < EXP_MIN else x
    x = EXP_MAX if x > EXP_MAX else x
    k, p = reduced_expm1(x)
    half = (k * 0.5 + ROUND) - ROUND
    return (1.0 + p) * power_of_two(half) * power_of_two(k - half)


@jit_inlined
def log1p1(x: float) -> float:
    """log(1 + x) for 0 <= x <= 2**1000; log(1 + x) = k ln 2 + log(1 + f), sqrt(1/2) <= 1 + f <= sqrt(2).

    As in fdlibm's s_log1p.c, with s = f / (2 + f): log(1 + f) = f - (f**2 / 2 - s (f**2 / 2 + R(s**2))).
    f = x / 2**k + (1 / 2**k - 1) needs no correction term for the rounding of 1 + x.
    """
    x = float(np.float64(x))
    bits = bits_of((1.0 + x) * SQRT_2) & EXPONENT_BITS
    k = float_of((bits >> 52) + ROUND_BITS) - (ROUND + BIAS)
    scale = float_of(RECIPROCAL_BITS - bits)
    f = x * scale + (scale - 1.0)
    s = f / (2.0 + f)
    z = s * s
    z2 = z * z
    R = z * ((L0 + L1 * z) + ((L2 + L3 * z) + ((L4 + L5 * z) + L6 * z2) * z2) * z2)
    h = 0.5 * f * f
    return k * LN2_HIGH - ((h - (s * (h + R) + k * LN2_LOW)) - f)


@jit_inlined
def tanh1(x: float) -> float:
    """tanh(x) = sign(x) m / (m + 2), m = expm1(2 |x|), exact in relative terms near 0."""
    x = float(np.float64(x))
    a = abs(x)
    k, p = reduced_expm1(2.0 * (TANH_MAX if a > TANH_MAX else a))
    scale = power_of_two(k)
    m = scale * p + (scale - 1.0)
    return float_of(bits_of(m / (m + 2.0)) | (bits_of(x) & SIGN_BIT))


@jit_inlined
def sigmoid1(x: float) -> float:
    """1 / (1 + exp(-x)) = e / (1 + e) below 0, e = exp(-|x|): nothing cancels or overflows."""
    x = float(np.float64(x))
    e = exp1(-abs(x))
    return (e if x < 0.0 else 1.0) / (1.0 + e)


@jit_inlined
def softplus1(x: float) -> float:
    """log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)): a sum of terms of one sign."""
    x = float(np.float64(x))
    return (0.0 if x < 0.0 else x) + log1p1(exp1(-abs(x)))


@jit_inlined
def relu1(x: float) -> float:
    """max(x, 0), with relu(NaN) = NaN and relu(-0.0) = -0.0."""
    x = float(np.float64(x))
    return 0.0 if x < 0.0 else x
