"""Costs that mislead a checker that saves itself work: by the complex step, or by asking a few for all."""

from __future__ import annotations

import numpy as np

from corpus.awkward import NOISE, uniform
from corpus.cases import Case, Wrong

SMALL = 1e-5
"""The share of a term that drowns in the rounding of 1e10, and yet is ten times what counts as a bug."""


def _above(term, slope, name, x):
    """Sines above 1e10 with a small term that loses the imaginary part, and the same without its slope."""
    case = Case(
        f"above 1e10, {name}",
        lambda x: 1e10 + np.sum(np.sin(x)) + SMALL * term(x),
        lambda x: np.cos(x) + SMALL * slope(x),
        x,
        why="real differences cannot see the small term, the complex step sees it as a constant",
        reasons=NOISE,
    )
    return case, Wrong(case, "without the slope of the small term", np.cos, hidden=True)


def _real_part(x):
    return np.sum(np.cos(np.real(x)))


def _cast(x):
    """Written into a float array, as a buffer would be."""
    buffer = np.zeros(x.shape)
    buffer[:] = x.real
    return np.sum(buffer**2)


def imaginary_cases():
    """Terms through abs, norms, conjugates, real parts, buffers and Hermitian routines."""
    x = uniform(501, 6, 0.5, 2.0)
    yield _above(lambda x: np.sum(np.abs(x)), np.sign, "an abs", x)
    yield _above(np.linalg.norm, lambda x: x / np.linalg.norm(x), "a norm", x)
    yield _above(lambda x: np.vdot(x, x).real, lambda x: 2 * x, "a conjugate", x)
    yield _above(_real_part, lambda x: -np.sin(x), "a real part", x)
    yield _above(_cast, lambda x: 2 * x, "a buffer of reals", x)
    H = np.diag(np.arange(1.0, 7.0)) + 0.2

    def eigenvalue(x):
        return np.linalg.eigvalsh(H + np.diag(x))[-1]

    def eigenvalue_slope(x):
        return np.linalg.eigh(H + np.diag(x))[1][:, -1] ** 2

    yield _above(eigenvalue, eigenvalue_slope, "a Hermitian eigenvalue", x)
    drowned = Case(
        "above 1e10, in reals only",
        lambda x: float(1e10 + np.sum(np.sin(x))),
        np.cos,
        x,
        why="float() refuses complex numbers",
        reasons=NOISE,
    )
    yield (
        drowned,
        Wrong(drowned, "off by 3e-6, which nobody can see", lambda x: np.cos(x) * (1 + 3e-6), hidden=True),
    )
    drowned = Case(
        "one entry loses its imaginary part",
        lambda x: 1e10 + np.sum(np.sin(x[:-1])) + np.sin(x[-1].real),
        np.cos,
        uniform(502, 40),
        why="a few entries asked at random do not show it",
        reasons=NOISE,
    )
    yield (
        drowned,
        Wrong(drowned, "that entry zero", lambda x: np.append(np.cos(x[:-1]), 0.0), ("params[39]",)),
    )


STEEP = np.array([50, 200, 350])
"""Entries of a block of 400 that have a kink beside them."""


def _kinks_in_a_crowd(offset, steep, close, name, reasons):
    y = uniform(503, 400)

    def cost(x):
        return float(offset + np.sum(np.sin(x)) + steep * np.sum(np.maximum(x[STEEP] - y[STEEP] - close, 0)))

    return Case(name, cost, np.cos, y, why="three of 400 entries are unlike the others", reasons=reasons)


def all_but_the_steep_ones(x):
    """Twice the gradient, except where the kinks are."""
    g = 2 * np.cos(x)
    g[STEEP] /= 2
    return g


def crowd_cases():
    """Blocks of which most entries are undecided, or wrong, and a few need a closer look."""
    noisy = _kinks_in_a_crowd(1e10, 1e3, 1e-3, "kinks among noisy entries", NOISE)
    clear = _kinks_in_a_crowd(0.0, 1e3, 1e-6, "kinks in a large block", ())
    off = 0.5 * (np.arange(400) == 7)
    yield noisy, Wrong(noisy, "one entry off by 0.5", lambda x: np.cos(x) + off, ("params[7]",))
    yield clear, Wrong(clear, "all but the steep entries doubled", all_but_the_steep_ones)
    waves = uniform(504, 400)

    def cost(x):
        return np.sum(np.sin(x)) + np.sum(np.sin(1e5 * x[STEEP])) * 1e-3

    def gradient(x, factor=1.0):
        g = factor * np.cos(x)
        g[STEEP] = np.cos(x[STEEP]) + 100 * np.cos(1e5 * x[STEEP])
        return g

    case = Case("short waves in a large block", cost, gradient, waves)
    yield case, Wrong(case, "all but the short waves doubled", lambda x: gradient(x, 2.0))


def scale_cases():
    """Parameters whose size says nothing of the step that they need."""
    x = uniform(505, 6)
    case = Case("sines at 1e9", lambda x: float(np.sum(np.sin(x))), np.cos, 1e9 + x, why="waves of 1 at 1e9")
    yield case, Wrong(case, "off by 1e-4", lambda x: np.cos(x) * (1 + 1e-4))

    def line_gradient(x, factor=1.0):
        return -2 * factor * (x - 1e9) / (1 + (x - 1e9) ** 2) ** 2

    case = Case(
        "a line at 1e9",
        lambda x: float(np.sum(1 / (1 + (x - 1e9) ** 2))),
        line_gradient,
        1e9 + x,
        why="a width of 1 at 1e9",
    )
    yield case, Wrong(case, "off by 1e-4", lambda x: line_gradient(x, 1 + 1e-4))
    size = np.array([1e-6, 1.0, 1e6])
    start = size * uniform(506, 3, 0.5, 2.0)
    case = Case(
        "waves of 1e-6, 1 and 1e6 in one block",
        lambda x: float(np.sum(np.sin(x / size) * size)),
        lambda x: np.cos(x / size),
        start,
        why="the cost is of 1e6, the shortest wave of 1e-6",
        reasons=(*NOISE, "step range"),
    )
    yield case, Wrong(case, "entry of 1e6 off", lambda x: np.cos(x / size) * [1, 1, 1.01], ("params[2]",))

    def zeros_gradient(x, factor=1.0):
        return np.append(1e3 * factor * np.cos(1e3 * x[:4]), -np.sin(x[4:] / 1e3) / 1e3)

    case = Case(
        "zeros that act as waves of 1e-3 beside 1e3",
        lambda x: np.sum(np.sin(x[:4] * 1e3)) + np.sum(np.cos(x[4:] / 1e3)),
        zeros_gradient,
        np.append(np.zeros(4), 1e3 * uniform(507, 4)),
        why="the size of a zero says nothing",
    )
    yield case, Wrong(case, "the zeros' entries off by 1e-3", lambda x: zeros_gradient(x, 1.001))


PAIRS = [*imaginary_cases(), *crowd_cases(), *scale_cases()]

TRAPS = [case for case, _ in PAIRS]

TRAPPED = [wrong for _, wrong in PAIRS]
