"""The elementwise functions: the stated ulp, the edges, any layout, in a user's own njit."""

import os
import re

import mpmath
import numba
import numpy as np
import pytest
from ulps import SEED, errors_in_ulp

from fastgrad.kernels import _scalar, elementwise, exp, relu, sigmoid, softplus, tanh
from fastgrad.kernels.jit import plain

COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")
needs_compiler = pytest.mark.skipif(not COMPILED, reason="asks what the compiler made of it")

# function, its exact value, ulp promised and ulp measured according to its docstring
FUNCTIONS = {
    "exp": (exp, mpmath.exp, 1.0, 0.82),
    "tanh": (tanh, mpmath.tanh, 3.0, 2.2),
    "sigmoid": (sigmoid, lambda x: 1 / (1 + mpmath.exp(-x)), 3.0, 2.1),
    "softplus": (softplus, lambda x: mpmath.log1p(mpmath.exp(x)), 3.0, 1.6),
    "relu": (relu, lambda x: max(x, mpmath.mpf(0)), 0.0, 0.0),
}

NAMES = list(FUNCTIONS)
DTYPES = ["float64", "float32"]
FLOAT32_ULP = 0.501  # float64 to a few ulp, rounded once


def points(dtype):
    """The whole range: every binade of both signs down to subnormals, the curved middle, the edges."""
    rng = np.random.default_rng(SEED)
    info = np.finfo(dtype)
    lowest = {"float64": -1074, "float32": -149}[dtype]
    binades = np.repeat(np.arange(lowest, info.maxexp, dtype=np.int32), 2)
    every_binade = np.ldexp(rng.uniform(1, 2, binades.size), binades) * np.tile([1, -1], binades.size // 2)
    limit = np.log(float(info.max)) + 45
    k = np.arange(-40, 41) * np.log(2)  # where the reduced argument changes sign or interval
    edges = np.concatenate([s * (k + d) for s in (1, 0.5) for d in (-1e-9, 0, 1e-9, np.log(2) / 2)])
    middle = [rng.uniform(-limit, limit, 500), rng.uniform(-40, 40, 700), rng.uniform(-2, 2, 700)]
    tails = rng.uniform(limit - 60, limit, 300)  # overflow; and mirrored, subnormal results
    x = np.concatenate([every_binade, np.linspace(-25, 25, 500), edges, *middle, tails, -tails])
    return x.astype(dtype)


def finite_points(name, dtype):
    """The points where the function's value is finite in `dtype`."""
    x = points(dtype)
    return x if name != "exp" else x[x < np.log(float(np.finfo(dtype).max))]


class TestAccuracy:
    @pytest.mark.parametrize("dtype", DTYPES)
    @pytest.mark.parametrize("name", NAMES)
    def test_stated_ulp(self, name, dtype):
        """The error stated in the docstring holds over the whole range, subnormal numbers included.

        The measured one too: the points are always the same.
        """
        function, exact, _, measured = FUNCTIONS[name]
        x = finite_points(name, dtype)

        errors = errors_in_ulp(function(x), x, exact)

        worst = int(np.argmax(errors))
        bound = measured if dtype == "float64" else min(measured, FLOAT32_ULP)
        assert errors[worst] <= bound, f"{errors[worst]} ulp at {x[worst]!r}"

    @pytest.mark.parametrize("name", NAMES)
    def test_plain_loop(self, name):
        """The loop as plain Python agrees with the compiled one: each is within the stated ulp."""
        function, _, promised, _ = FUNCTIONS[name]
        x = points("float64")[::5]
        expected = np.empty_like(x)

        with np.errstate(over="ignore"):
            scalar = plain(getattr(_scalar, f"{name}1"))
            for i in range(x.size):
                expected[i] = scalar(x[i])
            loop = np.empty_like(x)
            plain(getattr(elementwise, f"{name}_loop"))(x, loop)

        with np.errstate(invalid="ignore"):
            gap = np.abs(function(x) - expected) / np.spacing(np.abs(expected))
        assert np.nanmax(np.where(function(x) == expected, 0.0, gap)) <= 2 * promised
        np.testing.assert_array_equal(loop, function(x))


INF, NAN = np.inf, np.nan
SMALLEST = 5e-324

EDGES = [
    # function, x, expected, why
    ("exp", 0.0, 1.0, "exact at 0"),
    ("exp", -0.0, 1.0, "exact at -0"),
    ("exp", INF, INF, "limit"),
    ("exp", -INF, 0.0, "limit"),
    ("exp", 709.782712893384, 1.7976931348622732e308, "the last finite value"),
    ("exp", 709.7827128933841, INF, "the next argument overflows"),
    ("exp", 1e300, INF, "far beyond the clamp"),
    ("exp", -745.1332191019411, SMALLEST, "the last subnormal result"),
    ("exp", -745.1332191019412, 0.0, "the next argument underflows"),
    ("exp", -1e300, 0.0, "far beyond the clamp"),
    ("exp", SMALLEST, 1.0, "subnormal argument"),
    ("tanh", 0.0, 0.0, "exact at 0"),
    ("tanh", -0.0, -0.0, "the sign of zero is kept"),
    ("tanh", SMALLEST, SMALLEST, "subnormal argument"),
    ("tanh", -SMALLEST, -SMALLEST, "odd"),
    ("tanh", INF, 1.0, "limit"),
    ("tanh", -INF, -1.0, "limit"),
    ("tanh", 1e300, 1.0, "2 x would overflow"),
    ("sigmoid", 0.0, 0.5, "exact at 0"),
    ("sigmoid", INF, 1.0, "limit"),
    ("sigmoid", -INF, 0.0, "limit"),
    ("sigmoid", -745.0, SMALLEST, "subnormal result"),
    ("softplus", INF, INF, "limit"),
    ("softplus", -INF, 0.0, "limit"),
    ("softplus", -745.0, SMALLEST, "subnormal result"),
    ("softplus", 1.7e308, 1.7e308, "x itself where exp(-x) is lost"),
    ("relu", -0.0, -0.0, "the sign of zero is kept"),
    ("relu", -INF, 0.0, "limit"),
    ("relu", INF, INF, "limit"),
    ("relu", -SMALLEST, 0.0, "negative however small"),
    ("relu", SMALLEST, SMALLEST, "positive however small"),
    *[(name, NAN, NAN, "NaN is information") for name in NAMES],
]


class TestEdges:
    @pytest.mark.parametrize(("name", "x", "expected", "why"), EDGES)
    def test_table(self, name, x, expected, why):
        """Zeros, limits, NaN and the last representable results are exactly what they should be."""
        function = FUNCTIONS[name][0]

        for got in (function(x), function(np.full(9, x))[0], function(np.full(9, x))[8]):
            np.testing.assert_array_equal(got, expected, err_msg=why)
            assert np.isnan(expected) or np.signbit(got) == np.signbit(expected)

    @pytest.mark.parametrize("name", NAMES)
    def test_float32_edges(self, name):
        """In float32 too NaN stays NaN, and what is too large for it becomes inf without a warning."""
        x = np.array([NAN, INF, 1000.0, -INF], np.float32)

        got = FUNCTIONS[name][0](x)

        assert np.isnan(got[0])
        limit = {"tanh": 1.0, "sigmoid": 1.0}.get(name, INF)
        assert got[1] == limit
        assert got[2] == (1000.0 if name in ("relu", "softplus") else limit)
        assert got[3] == (-1.0 if name == "tanh" else 0.0)


class TestArguments:
    @pytest.mark.parametrize("dtype", DTYPES)
    @pytest.mark.parametrize("name", NAMES)
    def test_layouts(self, name, dtype):
        """Any shape and layout gives an array of its shape and dtype, the input left as it was."""
        function = FUNCTIONS[name][0]
        base = np.linspace(-3, 3, 24).astype(dtype).reshape(4, 6)
        frozen = base.copy()
        frozen.flags.writeable = False
        arrays = [base.T, base[::2, ::-1], np.asfortranarray(base), base[0], frozen]
        arrays += [base[:0], np.array(1.5, dtype), base[:1, :1], base.reshape(2, 3, 4)]

        for x in arrays:
            before = x.copy()
            got = function(x)
            expected = np.array([function(float(v)) for v in x.ravel()], dtype).reshape(x.shape)

            assert isinstance(got, np.ndarray)
            assert got.dtype == x.dtype
            np.testing.assert_array_equal(got, expected)
            np.testing.assert_array_equal(x, before)

    @pytest.mark.parametrize("name", NAMES)
    def test_place_does_not_matter(self, name):
        """A number has one result, bit for bit: alone, or anywhere in an array of any length."""
        function = FUNCTIONS[name][0]
        x = np.random.default_rng(SEED).normal(size=67) * 5
        whole = function(x)

        for start in range(0, 40, 3):
            for length in (1, 2, 3, 5, 11, 19):
                part = np.s_[start : start + length]
                np.testing.assert_array_equal(function(x[part].copy()), whole[part])
        np.testing.assert_array_equal([function(float(value)) for value in x], whole)

    @pytest.mark.parametrize("name", NAMES)
    def test_numbers(self, name):
        """A number gives a number: float32 its own kind, every other a float."""
        function = FUNCTIONS[name][0]

        assert type(function(np.float32(0.5))) is np.float32
        assert type(function(0.5)) is float
        assert function(1) == function(1.0) == function(np.float64(1.0))

    def test_float32_number_overflows_silently(self):
        """A float32 number too large for its dtype is inf, without a warning."""
        assert exp(np.float32(100.0)) == np.inf

    @pytest.mark.parametrize("name", NAMES)
    def test_out(self, name):
        """`out` receives the result and is returned; it may be the input itself."""
        function = FUNCTIONS[name][0]
        x = np.linspace(-3, 3, 12).reshape(3, 4)
        expected = function(x)
        out = np.empty_like(x)

        assert function(x.T.copy().T, out) is out
        np.testing.assert_array_equal(out, expected)
        function(x, out=x)
        np.testing.assert_array_equal(x, expected)


@numba.njit
def user_exp(x):
    """A user's compiled function."""
    return exp(x)


@numba.njit
def user_tanh_out(x, out):
    """A user's compiled function."""
    return tanh(x, out)


@numba.njit
def user_relu_out(x, out):
    """A user's compiled function."""
    return relu(x, out=out)


@numba.njit(fastmath=True)
def user_fast(x):
    """A user's compiled function."""
    total = np.empty_like(x)
    for i in range(x.size):
        total[i] = exp(x[i]) + tanh(x[i])
    return total


@numba.njit(error_model="python")
def user_network(x):
    """A user's compiled function."""
    return sigmoid(x) + softplus(x) * relu(x)


class TestInsideNjit:
    def test_kinds_of_argument(self):
        """In a user's compiled function one name serves numbers and arrays of any layout and dtype."""
        base = np.linspace(-3, 3, 12).reshape(3, 4)
        single = base.astype(np.float32)
        arrays = [base, base.T, base[::2, 1:], single, single.T, np.array(1.0), base[:0]]

        for x in arrays:
            got = user_exp(x)
            assert got.dtype == x.dtype
            np.testing.assert_array_equal(got, exp(x))
        assert user_exp(0.5) == exp(0.5)
        assert user_exp(2) == exp(2.0)
        assert user_exp(np.float32(0.3)) == float(exp(np.float32(0.3))) != exp(0.3)

    def test_out(self):
        """`out` works there by position and by name."""
        x = np.linspace(-1, 1, 6).reshape(2, 3)
        out = np.empty_like(x)

        np.testing.assert_array_equal(user_tanh_out(x, out), tanh(x))
        np.testing.assert_array_equal(user_relu_out(x.T, np.empty((3, 2))), relu(x.T))
        np.testing.assert_array_equal(out, tanh(x))

    def test_callers_fastmath_is_not_inherited(self):
        """A caller's fastmath=True does not undo the rounding trick, NaN or infinities."""
        x = np.concatenate([points("float64")[::3], [NAN, INF, -INF]])

        got = user_fast(x)

        np.testing.assert_array_equal(got[-3:], [NAN, INF, -1.0])
        np.testing.assert_allclose(got, exp(x) + tanh(x), rtol=1e-15)

    def test_callers_error_model_does_not_matter(self):
        """The default error model of a user's function neither raises nor changes a value."""
        x = np.linspace(-750, 750, 999)

        expected = sigmoid(x) + softplus(x) * relu(x)

        np.testing.assert_allclose(user_network(x), expected, rtol=4e-16)

    @needs_compiler
    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("dtype", DTYPES)
    def test_callers_loop_vectorises(self, name, dtype):
        """A loop around the scalar call, in a user's own function, runs on registers of 256 or 512 bits."""
        from llvmlite import binding

        if not binding.get_host_cpu_features().get("avx2"):
            pytest.skip("looks for AVX2 instructions")
        function = FUNCTIONS[name][0]

        @numba.njit
        def loop(x, out):
            for i in range(x.size):
                out[i] = function(x[i])

        x = np.zeros(8, dtype)
        loop(x, x)
        (assembly,) = loop.inspect_asm().values()

        packed = re.findall(r"\bv(?:f[n]?m(?:add|sub)\d+|mul|div|min|max|and|cmp\w*)p[sd].*[yz]mm", assembly)
        assert len(packed) >= 2
        assert not re.search(rf"\bcall\w*\s.*{name}1", assembly)


class TestErrors:
    def test_dtype(self):
        """An array of another dtype is refused with the conversion to make."""
        message = r"x must be an array of float32 or float64, got int64.*x\.astype\(np\.float64\)"

        with pytest.raises(TypeError, match=message):
            exp(np.arange(3, dtype=np.int64))
        with pytest.raises(TypeError, match=message):
            user_exp(np.arange(3, dtype=np.int64))

    @pytest.mark.parametrize("out", [np.empty(4), np.empty(3, np.float32), np.empty(6)[::2], [0.0]])
    def test_out(self, out):
        """An `out` of another shape, dtype or layout is refused."""
        with pytest.raises(ValueError, match="out must be an array like x"):
            tanh(np.zeros(3), out)
        if isinstance(out, np.ndarray):
            with pytest.raises(ValueError, match="out must be an array like x"):
                user_tanh_out(np.zeros(3), out)

    def test_out_report(self):
        """The message names what was expected and what was got."""
        message = r"like x, float64 \(3,\); got float32 \(4,\)\. Leave it out"

        with pytest.raises(ValueError, match=message):
            tanh(np.zeros(3), np.empty(4, np.float32))

    def test_out_of_a_number(self):
        """A number has nothing to be written into."""
        with pytest.raises(TypeError, match="out is for arrays, but x is a number"):
            tanh(0.5, np.empty(1))
        with pytest.raises(TypeError, match="out is for arrays, but x is a number"):
            user_tanh_out(0.5, np.empty(1))
