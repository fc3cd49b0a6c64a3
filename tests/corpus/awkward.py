"""Right gradients that checkers call wrong: float32, offsets, scales, waves, solvers, ends of the domain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.integrate import quad, solve_ivp
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq
from scipy.special import expit

import fastgrad
from corpus import functions, likelihoods, nets
from corpus.cases import Case

NOISE = ("noise",)
"""What a cost that is rounded, or iterates until it is good enough, may leave undecided."""


def uniform(seed, n, low=-2.0, high=2.0, dtype=np.float64):
    """Numbers that are not round."""
    return np.random.default_rng(seed).uniform(low, high, n).astype(dtype)


def quiet(function):
    """A function that may take logarithms of negative numbers without a warning."""

    def silent(*args):
        with np.errstate(all="ignore"):
            return function(*args)

    return silent


# float32


def float32_cases():
    """Models and networks in float32: an error counts from a hundredth."""
    x = uniform(101, 8, dtype=np.float32)
    yield nets.mlp2_case("tanh net in float32", seed=102, dtype=np.float32)
    yield nets.mlp3_case("deep tanh net in float32", seed=103, dtype=np.float32)
    yield nets.classifier_case("softmax classifier in float32", seed=104, dtype=np.float32)
    yield likelihoods.logistic_case("logistic regression in float32", dtype=np.float32)
    yield Case(
        "sines in float32", lambda x: np.sum(np.sin(x), dtype=np.float32), np.cos, x, why="a float32 sum"
    )
    yield Case("squares in float32", lambda x: x @ x, lambda x: 2 * x, x, why="BLAS in float32")
    layers = [fastgrad.Conv2D(1, 2, 3), fastgrad.Tanh(), fastgrad.Flatten(), fastgrad.Dense(32, 3)]
    yield network_case("conv net in float32", layers, (1, 6, 6), dtype=np.float32)
    mixed = {"a": uniform(105, 4), "b": uniform(106, 4, dtype=np.float32)}
    yield Case(
        "float32 beside float64",
        lambda p: float(np.sum(np.sin(p["a"]) * p["b"] ** 2)),
        lambda p: {"a": np.cos(p["a"]) * p["b"] ** 2, "b": (2 * np.sin(p["a"]) * p["b"]).astype(np.float32)},
        mixed,
        why="two dtypes",
    )
    yield Case(
        "float32 inside a float64 cost",
        lambda x: float(np.sum(np.sin(x.astype(np.float32)), dtype=np.float32)),
        np.cos,
        uniform(107, 6),
        why="the parameters are float64, the cost is not: small steps do nothing",
        reasons=(*NOISE, "step range", "jump"),
    )
    yield Case(
        "float64 with a gradient from float32",
        lambda x: np.sum(np.sin(x)),
        lambda x: np.cos(x.astype(np.float32)).astype(np.float64),
        uniform(108, 20, -1.2, 1.2),
        why="off by 1e-7 of each entry, which is no bug",
    )


def network_case(name, layers, shape, dtype=np.float64, n=5, seed=9, **case):
    """A fastgrad.Network through its plain cost, without its engine."""
    rng = np.random.default_rng(seed)
    net = fastgrad.Network(layers, fastgrad.SoftmaxCrossEntropy())
    p = net.initial_parameters(seed)
    p = {k: (v + 0.1 * rng.normal(size=v.shape)).astype(dtype) for k, v in p.items()}
    X = rng.normal(size=(n, *shape)).astype(dtype)
    return Case(name, net.cost, net.gradient, p, (X, rng.integers(0, 3, n)), **case)


def network_cases():
    """Layers whose back-propagation is fastgrad's own."""
    yield network_case(
        "conv net, padded",
        [
            fastgrad.Conv2D(2, 3, 3, stride=2, padding=1),
            fastgrad.Tanh(),
            fastgrad.Flatten(),
            fastgrad.Dense(27, 3),
        ],
        (2, 5, 5),
    )
    yield network_case(
        "layer norm and GELU",
        [fastgrad.Dense(5, 6), fastgrad.LayerNorm(6), fastgrad.GELU(), fastgrad.Dense(6, 3)],
        (5,),
    )
    inner = [fastgrad.Dense(4, 6), fastgrad.SiLU(), fastgrad.Dense(6, 4)]
    yield network_case(
        "residual branch", [fastgrad.Dense(5, 4), fastgrad.Residual(inner), fastgrad.Dense(4, 3)], (5,)
    )
    yield network_case(
        "batch norm and average pooling",
        [
            fastgrad.Conv2D(1, 2, 3),
            fastgrad.BatchNorm(2),
            fastgrad.Tanh(),
            fastgrad.AvgPool2D(2),
            fastgrad.Flatten(),
            fastgrad.Dense(8, 3),
        ],
        (1, 6, 6),
        why="the bias before the norm has a gradient of rounding only",
    )


# Offsets


def offset_cases():
    """A large constant eats the digits of the cost."""
    x = uniform(110, 6)
    for offset in (1e4, 1e6):
        yield Case(
            f"sines above {offset:g}",
            lambda x, c: c + np.sum(np.sin(x)),
            lambda x, c: np.cos(x),
            x,
            (offset,),
            reasons=NOISE if offset > 1e5 else (),
        )
    yield Case(
        "sines above 1e10",
        lambda x: 1e10 + np.sum(np.sin(x)),
        np.cos,
        x,
        why="the cost is known to 2e-6: no difference tells 1e-6 of the derivative",
        reasons=NOISE,
    )
    yield Case(
        "large waves above 1e10",
        lambda x: 1e10 + 1e7 * np.sum(np.sin(x)),
        lambda x: 1e7 * np.cos(x),
        x,
        why="the same offset, but here the derivatives are large enough",
    )
    yield Case(
        "small differences of large sums",
        lambda x: np.sum((1e5 + np.sin(x)) ** 2) - 1e10 * len(x),
        lambda x: 2 * (1e5 + np.sin(x)) * np.cos(x),
        x,
        why="the cost is small, what was computed on the way is not",
    )


# Scales


def scale_cases():
    """Parameters and gradients far from one."""
    sizes = 10.0 ** np.arange(-8, 9, 2)
    each = {f"x{k}": s * uniform(120 + k, 2, 0.5, 2.0) for k, s in enumerate(sizes)}

    def waves(p):
        return sum(np.sum(np.sin(b / s)) for b, s in zip(p.values(), sizes, strict=True))

    def waves_gradient(p):
        return {k: np.cos(b / s) / s for (k, b), s in zip(p.items(), sizes, strict=True)}

    yield Case("parameters from 1e-8 to 1e8", waves, waves_gradient, each, why="a block for each size")
    together = sizes * uniform(130, len(sizes), 0.5, 2.0)
    yield Case(
        "parameters from 1e-8 to 1e8 in one block",
        lambda x: np.sum((x / sizes) ** 2) / 2 + np.sum(x / sizes),
        lambda x: x / sizes**2 + 1 / sizes,
        together,
        why="no step fits all of a block: the entries of 1e16 hide the small ones by the rule",
        reasons=(*NOISE, "step range"),
    )
    yield Case(
        "waves of parameters from 1e-8 to 1e8 in one block",
        lambda x: np.sum(sizes * np.sin(x / sizes)),
        lambda x: np.cos(x / sizes),
        together,
        why="all derivatives are of one size, and steps below 1e-8 are needed",
        reasons=(*NOISE, "step range"),
    )
    yield Case(
        "logarithms of parameters from 1e-3 to 1e3",
        quiet(lambda x: np.sum(np.log(x) ** 2)),
        lambda x: 2 * np.log(x) / x,
        10.0 ** np.array([-3.0, -2, -1, 0.3, 1, 2, 3]),
        why="the domain ends 1e-3 from one, and the steps follow the largest",
        reasons=(*NOISE, "step range", "non-finite"),
    )
    yield Case(
        "waves of unlike lengths in one block",
        lambda x: np.sum(np.sin(x / sizes)),
        lambda x: np.cos(x / sizes) / sizes,
        together,
        why="the cost does not round anything away, but the steps of the block are too wide for the shortest",
        reasons=(*NOISE, "step range"),
    )
    x = uniform(131, 6)
    yield Case("gradients of 1e-12", lambda x: 1e-12 * np.sum(np.sin(x)), lambda x: 1e-12 * np.cos(x), x)
    yield Case("gradients of 1e-300", lambda x: 1e-300 * np.sum(np.sin(x)), lambda x: 1e-300 * np.cos(x), x)
    yield Case("gradients of 1e200", lambda x: 1e200 * np.sum(np.sin(x)), lambda x: 1e200 * np.cos(x), x)
    yield Case(
        "gradients of 1e-12 by saturation",
        lambda x: np.sum(expit(x)),
        lambda x: expit(x) * expit(-x),
        np.array([-27.0, -27.5, -28.0]),
        why="sums of small numbers: nothing is lost",
    )
    yield Case(
        "one block of 1e-12 beside one of 1",
        lambda p: np.sum(np.sin(p["a"])) + 1e-12 * np.sum(np.sin(p["b"])),
        lambda p: {"a": np.cos(p["a"]), "b": 1e-12 * np.cos(p["b"])},
        {"a": x, "b": x + 1},
        why="the block of 1e-12 drowns in the rounding of the other",
        reasons=NOISE,
    )
    yield Case(
        "parameters of 1e8",
        lambda x: np.sum(np.sqrt(x)),
        lambda x: 0.5 / np.sqrt(x),
        1e8 * uniform(132, 4, 0.5, 2),
    )
    yield Case(
        "parameters of 1e-8",
        lambda x: np.sum(np.cos(1e8 * x)),
        lambda x: -1e8 * np.sin(1e8 * x),
        1e-8 * uniform(133, 4, 0.5, 2),
    )
    yield Case(
        "condition 1e12",
        lambda x: 0.5 * np.sum(10.0 ** np.arange(-6, 7, 2) * x**2),
        lambda x: 10.0 ** np.arange(-6, 7, 2) * x,
        uniform(134, 7, 0.5, 2),
        why="entries from 1e-6 to 1e6 in one block",
    )
    hilbert = 1 / (1 + np.add.outer(np.arange(8), np.arange(8)))
    yield Case("Hilbert matrix", lambda x: 0.5 * x @ hilbert @ x, lambda x: hilbert @ x, uniform(135, 8))


# Shapes


def shape_cases():
    """Waves, walls and flats."""
    x = uniform(140, 5)
    yield Case("sin(1e4 x)", lambda x: np.sum(np.sin(1e4 * x)), lambda x: 1e4 * np.cos(1e4 * x), x)
    yield Case(
        "a small wave of 1e4 on a slope",
        lambda x: np.sum(x**2 + 1e-4 * np.sin(1e4 * x)),
        lambda x: 2 * x + np.cos(1e4 * x),
        x,
    )
    yield Case(
        "a chirp",
        lambda x: np.sum(np.sin(np.exp(x))),
        lambda x: np.exp(x) * np.cos(np.exp(x)),
        uniform(141, 5, 0, 6),
    )
    yield Case(
        "one wave among flats",
        lambda x: np.sum(x) + np.sin(1e4 * x[7]),
        lambda x: 1 + 1e4 * np.cos(1e4 * x[7]) * (np.arange(len(x)) == 7),
        uniform(142, 40),
        why="the probes of a block may not see it",
    )
    yield Case(
        "exp(50 x)",
        lambda x: np.sum(np.exp(50 * x)),
        lambda x: 50 * np.exp(50 * x),
        uniform(143, 5, -0.5, 0.5),
    )
    yield Case(
        "1/x close to 0",
        lambda x: np.sum(1 / x),
        lambda x: -1 / x**2,
        np.array([1e-3, 2e-3, -1.5e-3]),
        why="a pole",
    )
    yield Case(
        "a minimum",
        lambda x: np.sum((x - 0.5) ** 2),
        lambda x: 2 * (x - 0.5),
        np.full(4, 0.5),
        why="all zero",
    )
    yield Case(
        "a saddle",
        lambda x: x[0] * x[1] - x[2] ** 2,
        lambda x: np.array([x[1], x[0], -2 * x[2]]),
        np.zeros(3),
    )
    yield Case("x^4 at 0", lambda x: np.sum(x**4), lambda x: 4 * x**3, np.zeros(3))
    yield Case("a constant", lambda x: 3.7, np.zeros_like, x, why="nothing depends on the parameters")
    yield Case(
        "a flat bump",
        lambda x: np.sum(np.exp(-1 / x**2)),
        lambda x: 2 * np.exp(-1 / x**2) / x**3,
        uniform(144, 4, 0.15, 0.5),
    )
    yield Case(
        "norm close to 0",
        lambda x: np.sqrt(np.sum(x**2) + 1e-12),
        lambda x: x / np.sqrt(np.sum(x**2) + 1e-12),
        1e-6 * uniform(145, 4),
        why="bends within 1e-6",
    )
    yield Case(
        "expanded polynomial",
        lambda x: np.sum(x**6 - 6 * x**5 + 15 * x**4 - 20 * x**3 + 15 * x**2 - 6 * x + 1),
        lambda x: 6 * (x - 1) ** 5,
        np.array([0.7, 1.2, 1.4]),
        why="terms that cancel",
        reasons=NOISE,
    )
    yield nets.classifier_case("saturated classifier", seed=146, spread=8.0)
    knots = np.linspace(-3, 3, 13)
    spline = CubicSpline(knots, np.sin(2 * knots))
    yield Case(
        "cubic spline beside its knots",
        lambda x: np.sum(spline(x)),
        lambda x: spline(x, 1),
        knots[2:8] + 1e-7,
        why="third derivatives jump at the knots",
    )
    yield Case(
        "Huber at its corner",
        lambda x: np.sum(np.where(np.abs(x) <= 1, 0.5 * x**2, np.abs(x) - 0.5)),
        lambda x: np.clip(x, -1, 1),
        np.array([1.0, -1.0, 1 + 1e-7, 1 - 1e-7, 0.3]),
        why="second derivatives jump",
    )
    yield Case(
        "x |x| at 0",
        lambda x: np.sum(x * np.abs(x)),
        lambda x: 2 * np.abs(x),
        np.array([0.0, 1e-7, -1e-7, 1.0]),
    )


# Solvers


def solver_cases():
    """Iterations that stop when they are good enough: the cost is as noisy as their tolerance."""
    A = np.diag(np.linspace(1, 5, 12)) + 0.3 * np.random.default_rng(150).uniform(-1, 1, (12, 12))
    A = A @ A.T
    yield Case(
        "conjugate gradients to 1e-13",
        lambda b: 0.5 * b @ _conjugate_gradients(A, b, 1e-13),
        lambda b: np.linalg.solve(A, b),
        uniform(151, 12),
        why="the number of iterations may change",
        reasons=NOISE,
    )
    yield Case(
        "conjugate gradients to 1e-6",
        lambda b: np.sum(np.cos(_conjugate_gradients(A, b, 1e-6))),
        lambda b: -np.linalg.solve(A, np.sin(np.linalg.solve(A, b))),
        uniform(152, 12),
        why="errors of 1e-6, smooth as long as the number of iterations is the same: differences follow them",
        reasons=(*NOISE, "step range", "jump"),
    )
    yield Case(
        "a root by Brent",
        lambda p: sum(brentq(lambda u, c=c: u**3 + u - c, -5, 5, xtol=1e-13, rtol=1e-14) for c in p),
        lambda p: 1 / (1 + 3 * functions.solve_cubic(p) ** 2),
        uniform(153, 4),
        reasons=NOISE,
    )
    yield Case(
        "a root by bisection to 1e-9",
        lambda p: sum(_bisection(c) for c in p),
        lambda p: 1 / (1 + 3 * functions.solve_cubic(p) ** 2),
        uniform(154, 4),
        why="a staircase of steps of 1e-9",
        reasons=(*NOISE, "step range", "jump"),
    )
    yield Case(
        "a fixed point",
        lambda p: np.sum(_fixed_point(p)),
        lambda p: 1 / (1 + 0.5 * np.sin(_fixed_point(p))),
        uniform(155, 5),
        why="iterated until nothing changes",
        reasons=NOISE,
    )
    yield Case(
        "an integral by quadrature",
        lambda p: quad(lambda t: np.exp(-p[0] * t) * np.cos(p[1] * t), 0, 3)[0],
        lambda p: np.array(
            [
                quad(lambda t: -t * np.exp(-p[0] * t) * np.cos(p[1] * t), 0, 3)[0],
                quad(lambda t: -t * np.exp(-p[0] * t) * np.sin(p[1] * t), 0, 3)[0],
            ]
        ),
        np.array([0.7, 1.9]),
        reasons=NOISE,
    )
    yield Case(
        "a differential equation by solve_ivp",
        lambda p: solve_ivp(lambda t, u: p[0] * u * (1 - u / p[1]), (0, 2), [0.3], rtol=1e-9, atol=1e-11).y[
            0, -1
        ],
        _logistic_growth_gradient,
        np.array([1.1, 2.3]),
        why="steps are chosen by the solver",
        reasons=(*NOISE, "step range", "jump"),
    )


def _conjugate_gradients(A, b, tolerance):
    x, r = np.zeros_like(b), b.copy()
    d, square = r.copy(), r @ r
    for _ in range(100):
        if square <= tolerance**2 * (b @ b):
            break
        Ad = A @ d
        step = square / (d @ Ad)
        x, r = x + step * d, r - step * Ad
        square, before = r @ r, square
        d = r + square / before * d
    return x


def _bisection(c):
    low, high = -5.0, 5.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if middle**3 + middle < c else (low, middle)
    return (low + high) / 2


def _fixed_point(p):
    """u = p + cos(u) / 2."""
    u = np.zeros_like(p)
    for _ in range(300):
        new = p + 0.5 * np.cos(u)
        if np.array_equal(new, u):
            break
        u = new
    return u


def _logistic_growth_gradient(p):
    r, K = p
    t, u0 = 2.0, 0.3
    c = K / u0 - 1
    e = np.exp(-r * t)
    below = 1 + c * e
    return np.array([K * c * t * e / below**2, 1 / below - K * e / u0 / below**2])


# Ends of the domain


def domain_cases():
    """Costs that are infinite or NaN a step away."""
    for gap in (1e-6, 1e-9):
        case = functions.barrier_case(f"log barrier {gap:g} from its end", gap=gap)
        reasons = () if gap > 1e-8 else (*NOISE, "non-finite", "step range")
        yield replace(case, why="infinite beyond", reasons=reasons)
    yield Case(
        "logarithm 1e-6 from its end",
        quiet(lambda x: -np.sum(np.log(x - 1))),
        lambda x: -1 / (x - 1),
        np.array([1 + 1e-6, 1.5, 2.0]),
        why="NaN beyond",
    )
    yield Case(
        "square root 1e-6 from 0",
        quiet(lambda x: np.sum(np.sqrt(x))),
        lambda x: 0.5 / np.sqrt(x),
        np.array([1e-6, 0.5, 2.0]),
        why="NaN beyond",
    )
    yield Case(
        "entropy",
        quiet(lambda x: np.sum(x * np.log(x))),
        lambda x: 1 + np.log(x),
        np.array([1e-6, 0.1, 0.3, 0.6]),
        why="NaN beyond 0",
    )
    yield Case(
        "x^1.5 at 0",
        quiet(lambda x: np.sum(x**1.5)),
        lambda x: 1.5 * np.sqrt(x),
        np.array([0.0, 0.5, 1.0]),
        why="the end itself: one side only, and no second derivative there",
        reasons=("non-finite", "step range", "noise"),
    )
    yield Case(
        "x^2 on the right of 0",
        quiet(lambda x: np.sum(np.where(x < 0, np.nan, (x + 1) ** 2))),
        lambda x: 2 * (x + 1),
        np.array([0.0, 0.5, 1.0]),
        why="the end itself: one side only",
        reasons=("non-finite", "noise"),
    )
    yield Case(
        "an isolated point of the domain",
        quiet(lambda x: np.sum(np.where(x[0] == 0.25, x, np.nan) ** 2)),
        lambda x: 2 * x,
        np.array([0.25, 1.0]),
        why="no value on either side of x[0]",
        reasons=("non-finite",),
    )
    yield Case(
        "beta likelihood",
        quiet(lambda x: -np.sum(2 * np.log(x) + 3 * np.log1p(-x))),
        lambda x: -(2 / x - 3 / (1 - x)),
        np.array([1e-5, 0.5, 1 - 1e-6]),
        why="two ends",
    )
    yield Case(
        "arc cosine",
        quiet(lambda x: np.sum(np.arccos(x))),
        lambda x: -1 / np.sqrt((1 - x) * (1 + x)),
        np.array([1 - 1e-6, -0.5, 0.9]),
    )

    def raises(x):
        if x[0] > 0.5 + 1e-6:
            raise ValueError("x[0] is too large")
        return float(np.sum(x**2))

    yield Case("an exception 1e-6 away", raises, lambda x: 2 * x, np.array([0.5, 1.0]))


AWKWARD = [
    *float32_cases(),
    *network_cases(),
    *offset_cases(),
    *scale_cases(),
    *shape_cases(),
    *solver_cases(),
    *domain_cases(),
]
