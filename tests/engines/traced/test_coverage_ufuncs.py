"""All ufuncs of NumPy with their methods, and those of SciPy, recorded, against the plain ones."""

from __future__ import annotations

import operator

import numpy as np
import pytest
import scipy.special
from tape_cases import compared

BITS = {
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "invert",
    "left_shift",
    "right_shift",
    "gcd",
    "lcm",
    "bitwise_count",
}
UFUNCS = {
    name: ufunc
    for name in sorted(dir(np))
    if isinstance(ufunc := getattr(np, name), np.ufunc) and name == ufunc.__name__ and ufunc.signature is None
}
NUMERIC = {n: u for n, u in UFUNCS.items() if "d->" in "".join(u.types) and n not in BITS}
BINARY = {n: u for n, u in NUMERIC.items() if u.nin == 2 and "dd->d" in u.types}
SPECIAL = {
    "expit": 1,
    "logit": 1,
    "log_expit": 1,
    "erf": 1,
    "erfc": 1,
    "erfinv": 1,
    "gammaln": 1,
    "gamma": 1,
    "digamma": 1,
    "psi": 1,
    "ndtr": 1,
    "ndtri": 1,
    "log_ndtr": 1,
    "entr": 1,
    "expm1": 1,
    "log1p": 1,
    "i0": 1,
    "j0": 1,
    "sinc": 1,
    "xlogy": 2,
    "xlog1py": 2,
    "rel_entr": 2,
    "kl_div": 2,
    "beta": 2,
    "betaln": 2,
    "gammainc": 2,
    "gammaincc": 2,
    "boxcox": 2,
    "huber": 2,
    "pseudo_huber": 2,
    "hyp1f1": 3,
    "betainc": 3,
}


def of_arguments(ufunc, x, y):
    """A ufunc of one or two arrays; frexp and ldexp take integers."""
    if ufunc is np.ldexp:
        return ufunc(x, np.array([1, 2, 3, 4]))
    return ufunc(x) if ufunc.nin == 1 else ufunc(x, y)


@pytest.mark.parametrize("name", NUMERIC)
def test_ufuncs(name, rng):
    """A ufunc gives what NumPy's gives, for equal shapes, broadcast ones, numbers, and size 0 and 1."""
    for a, b in (((3, 4), (3, 4)), ((3, 4), (4,)), ((4,), (3, 1)), ((), (4,)), ((1,), (1,)), ((0, 4), (4,))):
        if UFUNCS[name] is np.ldexp and a not in ((3, 4), (4,)):
            continue
        x, y = rng.array(*a, largest=0.9), rng.array(*b, largest=0.9)
        compared(lambda x, y: of_arguments(UFUNCS[name], x, y), x, y)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.complex64])
@pytest.mark.parametrize("name", NUMERIC)
def test_ufuncs_in_dtypes(name, dtype, rng):
    """So it does in other dtypes, where NumPy has it for them."""
    ufunc = NUMERIC[name]
    if np.dtype(dtype).char * ufunc.nin not in {kinds.partition("->")[0] for kinds in ufunc.types}:
        pytest.skip("NumPy has none")
    x, y = rng.array(3, 4, largest=0.9, dtype=np.float32), rng.array(4, largest=0.9, dtype=np.float32)
    if dtype is np.complex64:
        compared(lambda x, y: of_arguments(ufunc, x + np.complex64(1j), y + np.complex64(2j)), x, y)
    else:
        compared(lambda x, y: of_arguments(ufunc, x, y), x.astype(dtype), y.astype(dtype))


@pytest.mark.parametrize("name", sorted(BITS))
def test_ufuncs_of_integers(name):
    """Integers that follow from parameters are computed with as NumPy does."""
    ufunc, x, y = UFUNCS[name], np.array([5.2, 6.4, 12.3]), np.array([3.3, 2.2, 1.1])

    def function(x, y):
        x, y = x.astype(np.int64), y.astype(np.int64)
        return ufunc(x) if ufunc.nin == 1 else ufunc(x, y)

    compared(function, x, y)


@pytest.mark.parametrize("name", BINARY)
def test_methods_of_ufuncs(name, rng):
    """reduce, accumulate, outer, reduceat and at give what NumPy's give."""
    ufunc = BINARY[name]
    x, y = rng.array(3, 4, largest=0.9), rng.array(4, largest=0.9)
    for axis in (0, -1):
        compared(lambda x, axis=axis: ufunc.reduce(x, axis=axis), x)
        compared(lambda x, axis=axis: ufunc.reduce(x, axis, None, None, True), x)
        compared(lambda x, axis=axis: ufunc.accumulate(x, axis=axis), x)
    compared(lambda x, y: ufunc.outer(x, y), x, y)
    compared(lambda x: ufunc.outer(np.array([1.0, 2.0]), x), y)
    compared(lambda x: ufunc.reduceat(x, [0, 2, 1], axis=1), x)

    def at(x, y):
        z = x.copy()
        ufunc.at(z, ([0, 2, 0], [1, 1, 1]), y[:3])
        return z

    compared(at, x, y)


@pytest.mark.parametrize("name", BINARY)
def test_where_and_out(name, rng):
    """With out= an array of the cost is written to, with where= at some of its entries."""
    ufunc = BINARY[name]

    def function(x, y):
        z = np.zeros((3, 4))
        w = z[1:]
        ufunc(x[1:], y, out=w)
        u = np.ones((3, 4))
        ufunc(x, y, out=u, where=x > 0)
        ufunc(x, y, out=(u,), where=np.array([True, False, True, False]))
        return z, w, u

    compared(function, rng.array(3, 4, largest=0.9), rng.array(4, largest=0.9))


OPERATORS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow")


@pytest.mark.parametrize("name", OPERATORS)
def test_operators(name, rng):
    """Operators give what NumPy's give, from both sides and in place."""
    function, in_place = getattr(operator, name), getattr(operator, f"i{name}")
    x, y = np.abs(rng.array(3, 4, largest=3.0)), np.abs(rng.array(4, largest=3.0))
    compared(
        lambda x, y: (function(x, y), function(2.5, x), function(x, 2), function(x, [1.0, 2.0, 3.0, 4.0])),
        x,
        y,
    )
    compared(lambda x, y: function(np.arange(1.0, 5.0), y) + function(np.float64(2), y), x, y)

    def written(x, y):
        z = x.copy()
        alias = z
        z = in_place(z, y)
        t = y.sum()
        before = t
        t = in_place(t, y[1])
        return z, alias, t, before

    compared(written, x, y, exactly=name != "pow")  # a scalar's power is libm's, an array's that of a loop


@pytest.mark.parametrize("name", ["lt", "le", "eq", "ne", "gt", "ge"])
def test_comparisons(name, rng):
    """Comparisons give bools, with which NumPy's functions go on."""
    function = getattr(operator, name)
    compared(
        lambda x, y: (function(x, y), function(0.5, x), np.where(function(x, y), x, y)),
        rng.array(3, 4),
        rng.array(4),
    )


UNARY = {
    "neg": operator.neg,
    "pos": operator.pos,
    "abs": abs,
    "round": lambda x: np.round(x, 1),
    "divmod": lambda x: divmod(x, 2.0),
    "invert": lambda x: ~(x > 0),
    "and": lambda x: (x > 0) & (x < 1),
    "or": lambda x: (x > 1) | (x < -1),
    "xor": lambda x: (x > 1) ^ (x < 2),
    "matmul": lambda x: x @ x.T,
    "rmatmul": lambda x: np.ones((2, 3)) @ x,
    "power": lambda x: x**2 + x**3.0 + np.abs(x) ** 0.5 + 2.0**x,
    "rpow": lambda x: np.array([2.0, 3.0, 4.0, 5.0]) ** x,
    "clip": lambda x: np.clip(x, -1, 1),
    "clip by arrays": lambda x: np.clip(x, x[:1], [1.0, 2.0, 3.0, 4.0]),
    "clip from below": lambda x: np.clip(x, 0.5, None),
    "method clip": lambda x: x.clip(min=0.25),
    "nan_to_num": lambda x: np.nan_to_num(np.where(x > 0, x, np.nan), nan=2.0),
    "round half": lambda x: np.around(x),
    "real": lambda x: np.real(x * (1 + 2j)),
    "imag": lambda x: (x * (1 + 2j)).imag,
    "conj": lambda x: (x * 1j).conj(),
    "angle": lambda x: np.angle(x + 1j),
    "angle in degrees": lambda x: np.angle(x + 1j, deg=True),
    "sinc": lambda x: np.sinc(x),
    "i0": lambda x: np.i0(x),
    "fix": lambda x: np.trunc(x),
    "isclose": lambda x: np.isclose(x, x[0]),
    "isreal": lambda x: np.isreal(x + 0j),
    "iscomplex": lambda x: np.iscomplex(x + 1j),
    "isposinf": lambda x: np.isposinf(x),
    "select": lambda x: np.select([x < -1, x < 1], [x * 2, x**2], 7.0),
    "select of numbers": lambda x: np.select([x < -1, x < 1], [1, x]),
    "piecewise": lambda x: np.piecewise(x, [x < -1, x > 1], [lambda z: -z, lambda z: z * z, 0.5]),
    "choose": lambda x: np.choose(np.array([0, 1, 0, 1]), [x[0], x[1]]),
    "where of lists": lambda x: np.where(x > 0, x, [1, 2, 3, 4]),
    "heaviside": lambda x: np.heaviside(x, 0.5),
    "real_if_close": lambda x: np.real_if_close(x + 1j),
    "interp": lambda x: np.interp(x, [-3.0, 0.0, 3.0], [1.0, 2.0, 5.0]),
    "interp values": lambda x: np.interp([0.5, 1.5], [0.0, 1.0, 2.0], x[:, 0]),
    "searchsorted": lambda x: np.searchsorted([-2.0, 0.0, 2.0], x),
    "digitize": lambda x: np.digitize(x, [-2.0, 0.0, 2.0]),
    "polyval": lambda x: np.polyval([1.0, 2.0, 3.0], x),
    "polyval by parameters": lambda x: np.polyval(x[0], 0.5),
    "astype": lambda x: x.astype(np.float32) * np.float32(0.1),
    "astype of ints": lambda x: x.astype(int).astype(float),
    "float16": lambda x: (x.astype(np.float16) * 2 + np.float16(1)).astype(float),
    "modf": lambda x: np.modf(x),
    "frexp": lambda x: np.frexp(x),
    "float_power": lambda x: np.float_power(np.abs(x), 1.5),
    "deg2rad": lambda x: np.deg2rad(x),
    "spacing": lambda x: np.spacing(x),
    "dtype": lambda x: np.add(x, 1, dtype=np.float32, casting="same_kind"),
    "ufunc of two lists": lambda x: np.hypot(x, [[1.0], [2.0], [3.0]]),
    "vectorized where": lambda x: np.where(np.array([True, False, True, False]), x, -x),
}


@pytest.mark.parametrize("name", UNARY)
def test_elementwise(name, rng):
    """Operators, and functions that work element by element, give what NumPy's give."""
    compared(
        UNARY[name], rng.array(3, 4, largest=3.0), exactly=name != "power"
    )  # powers are written as products


@pytest.mark.parametrize("name", SPECIAL)
def test_special_functions(name, rng):
    """scipy.special's ufuncs give what they give of plain arrays."""
    function = getattr(scipy.special, name)
    leaves = [np.abs(rng.array(3, 4, largest=0.9)) for _ in range(SPECIAL[name])]
    compared(lambda *arrays: function(*arrays), *leaves)
    if len(leaves) > 1:
        compared(lambda x: function(*([0.5] * (len(leaves) - 1)), x), leaves[0])
