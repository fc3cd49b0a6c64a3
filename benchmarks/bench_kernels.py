"""What does an element cost in each kernel, and how far from exact is the result.

    scripts/bench benchmarks/bench_kernels.py

Each row is (function, size, dtype, library): `fastgrad` is the public Python call, `numpy` the NumPy
formula, `numba_math` a compiled loop over the C library's function, `scipy` its special function.
`extra_info` holds nanoseconds an element (the fastest round) and the largest error in ulp against
mpmath on 400 of the inputs; for losses the error of the one value. Compilation is done before timing.
"""

import math
import statistics

import mpmath
import numba
import numpy as np
import pytest
from measure import in_turns
from scipy import special

from fastgrad import kernels
from fastgrad.execution.workers import one_blas_thread
from fastgrad.kernels import changes, dense_tail

SIZES = [1_000, 100_000]
MEASURED = 400  # elements compared with mpmath
CLASSES = 10


@numba.njit(error_model="numpy")
def _math_tanh(x):
    out = np.empty_like(x)
    for i in range(x.size):
        out[i] = math.tanh(x[i])
    return out


@numba.njit(error_model="numpy")
def _math_exp(x):
    out = np.empty_like(x)
    for i in range(x.size):
        out[i] = math.exp(x[i])
    return out


ELEMENTWISE = {
    # name: (exact, {library: function})
    "exp": (mpmath.exp, {"fastgrad": kernels.exp, "numpy": np.exp, "numba_math": _math_exp}),
    "tanh": (mpmath.tanh, {"fastgrad": kernels.tanh, "numpy": np.tanh, "numba_math": _math_tanh}),
    "sigmoid": (
        lambda x: 1 / (1 + mpmath.exp(-x)),
        {
            "fastgrad": kernels.sigmoid,
            "numpy": lambda x: 1 / (1 + np.exp(-x)),
            "scipy": special.expit,
        },
    ),
    "softplus": (
        lambda x: mpmath.log1p(mpmath.exp(x)),
        {"fastgrad": kernels.softplus, "numpy": lambda x: np.logaddexp(x.dtype.type(0), x)},
    ),
    "relu": (
        lambda x: max(x, mpmath.mpf(0)),
        {"fastgrad": kernels.relu, "numpy": lambda x: np.maximum(x, 0)},
    ),
}


def _numpy_cross_entropy(logits, labels):
    shifted = logits - logits.max(axis=1, keepdims=True)
    picked = shifted[np.arange(labels.size), labels]
    return np.mean(np.log(np.exp(shifted).sum(axis=1)) - picked)


def _exact_squared(y, target):
    return mpmath.fsum((mpmath.mpf(float(a)) - float(b)) ** 2 for a, b in zip(y, target, strict=True))


def _exact_cross_entropy(logits, labels):
    rows = zip(logits.tolist(), labels.tolist(), strict=True)
    terms = (mpmath.log(mpmath.fsum(map(mpmath.exp, row))) - row[label] for row, label in rows)
    return mpmath.fsum(terms) / labels.size


def _exact_logistic(z, target):
    pairs = zip(map(mpmath.mpf, z.tolist()), target.tolist(), strict=True)
    return mpmath.fsum(mpmath.log1p(mpmath.exp(a)) - b * a for a, b in pairs) / z.size


LOSSES = {
    "half_squared_error": (
        lambda y, t: _exact_squared(y, t) / 2,
        {
            "fastgrad": kernels.half_squared_error,
            "numpy": lambda y, t: 0.5 * np.sum((y - t) ** 2),
        },
    ),
    "mean_squared_error": (
        lambda y, t: _exact_squared(y, t) / y.size,
        {"fastgrad": kernels.mean_squared_error, "numpy": lambda y, t: np.mean((y - t) ** 2)},
    ),
    "softmax_cross_entropy": (
        _exact_cross_entropy,
        {"fastgrad": kernels.softmax_cross_entropy, "numpy": _numpy_cross_entropy},
    ),
    "logistic_loss": (
        _exact_logistic,
        {
            "fastgrad": kernels.logistic_loss,
            "numpy": lambda z, t: np.mean(np.logaddexp(0, z) - t * z),
        },
    ),
}


def _ulp(got, exact, dtype):
    spacing = np.spacing(np.abs(np.dtype(dtype).type(float(exact))))
    return abs(float((mpmath.mpf(float(got)) - exact) / mpmath.mpf(float(spacing))))


def _record(benchmark, elements, error):
    benchmark.extra_info["elements"] = elements
    benchmark.extra_info["max_ulp"] = round(error, 3)
    if benchmark.stats is not None:  # None under --benchmark-disable
        fastest = benchmark.stats.stats.min / elements * 1e9
        benchmark.extra_info["ns_per_element"] = round(fastest, 3)


ROWS = [(name, library) for name, (_, rows) in ELEMENTWISE.items() for library in rows]
LOSS_ROWS = [(name, library) for name, (_, rows) in LOSSES.items() for library in rows]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("name", "library"), ROWS)
def bench_elementwise(benchmark, name, library, size, dtype):
    """One array, normal with standard deviation 3, through one function."""
    exact, libraries = ELEMENTWISE[name]
    function = libraries[library]
    benchmark.group = f"{name} {dtype} {size}"
    x = (np.random.default_rng(0).normal(size=size) * 3).astype(dtype)
    got = function(x)  # compiles

    benchmark(function, x)

    with mpmath.workprec(120):
        points = zip(got[:MEASURED], x[:MEASURED], strict=True)
        error = max(_ulp(y, exact(mpmath.mpf(float(value))), dtype) for y, value in points)
    _record(benchmark, size, error)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("name", "library"), LOSS_ROWS)
def bench_loss(benchmark, name, library, size, dtype):
    """One batch through one loss: `size` elements, ten classes; the error is in ulp of float64."""
    exact, libraries = LOSSES[name]
    function = libraries[library]
    benchmark.group = f"{name} {dtype} {size}"
    rng = np.random.default_rng(0)
    x = rng.normal(size=size).astype(dtype)
    target = rng.integers(0, 2, size).astype(dtype)
    if name == "softmax_cross_entropy":
        x, target = x.reshape(-1, CLASSES), rng.integers(0, CLASSES, size // CLASSES)
    got = function(x, target)  # compiles

    benchmark(function, x, target)

    with mpmath.workprec(120):
        error = _ulp(got, exact(x, target), "float64")
    _record(benchmark, size, error)


LANES, UNITS, OUTPUTS = 256, 1024, 10


@numba.njit(error_model="numpy")
def _changes_of_units(activation, weights, moved, q0, q1, rows):
    for k in range(len(weights)):
        dense_tail._activate_row(activation, weights[k], moved, q0[k], q1[k], q1[k], rows[k % 4], LANES)


@numba.njit(error_model="numpy")
def _product_of_units(weights, rows, out):
    for k in range(0, len(weights), 4):
        dense_tail._add_product(weights, k, 4, rows, out, LANES)


@pytest.mark.parametrize("activation", ["ReLU", "Tanh", "Sigmoid", "GELU"])
def bench_change(benchmark, activation):
    """The change of an activation, as a network's kernel makes it for each of 1,024 units in 256 lanes."""
    rng = np.random.default_rng(0)
    kind = getattr(changes, activation)()
    q0, q1, _ = changes.prepared(kind, rng.normal(size=(UNITS, LANES)))
    given = (kind, rng.normal(size=UNITS), 1e-5 * rng.normal(size=LANES), q0, q1, np.zeros((4, LANES)))
    _changes_of_units(*given)  # compiles
    benchmark(_changes_of_units, *given)
    if benchmark.stats is not None:
        benchmark.extra_info["ns_per_element"] = benchmark.stats.stats.min / (UNITS * LANES) * 1e9


def bench_product(benchmark, tiny):
    """The product after it, from 1,024 units to ten, beside what BLAS reaches on the same core."""
    rng = np.random.default_rng(0)
    weights, rows, out = rng.normal(size=(UNITS, OUTPUTS)), rng.normal(size=(4, LANES)), np.zeros((10, LANES))
    a = rng.normal(size=(1024, 1024))
    run = {"product": lambda: _product_of_units(weights, rows, out), "blas": lambda: a @ a}
    run["product"]()  # compiles
    with one_blas_thread():
        seconds = in_turns(run, 1 if tiny else 21)
    flops = 2 * UNITS * OUTPUTS * LANES / statistics.median(seconds["product"])
    benchmark.extra_info |= {
        "share_of_peak": flops / (2 * 1024**3 / statistics.median(seconds["blas"])),
        "gflops": flops / 1e9,
    }
    benchmark.pedantic(run["product"], rounds=1)
