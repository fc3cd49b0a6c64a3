"""Narrow features beside entries that are linear or quadratic, for which wide steps are right.

A feature of width w and height a has a slope of a / w, and a step of w / 1000 shows it to 1e-6 of itself; the
rounding of the cost, 1e-16 of it, is 1e-13 of a then. `sees` leaves room for offsets, and for positions whose
own rounding is a share of the width.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from corpus.cases import Case
from corpus.digits import by_complex_step
from corpus.mixed_units import as_float32, verified
from corpus.twins import instead, wrong_at

BUGS = ("zero", "with the other sign", "off by 10%")
"""What a feature's entry is given as."""


def pair(name, feature, slope, at, line=0.1, beside=10.0, sees=1e-5, **case):
    """A feature of p[0] beside a line in p[1]."""

    def cost(p):
        return feature(p[0]) + line * p[1]

    def gradient(p):
        return np.array([slope(p[0]), line])

    return verified(name, cost, gradient, np.array([at, beside]), sees=sees, **case)


def with_bend(name, feature, slope, at, sees=1e-5, **case):
    """A feature of p[0] beside a parabola in p[1]."""

    def cost(p):
        return feature(p[0]) + (p[1] - 1) ** 2

    def gradient(p):
        return np.array([slope(p[0]), 2 * (p[1] - 1)])

    return verified(name, cost, gradient, np.array([at, 0.3]), sees=sees, **case)


def gauss(sharp, centre=0.0):
    """A bump and its slope."""
    return (
        lambda x: np.exp(-sharp * (x - centre) ** 2),
        lambda x: -2 * sharp * (x - centre) * np.exp(-sharp * (x - centre) ** 2),
    )


def lorentz(width, centre):
    """A line and its slope."""
    return (
        lambda x: 1 / (1 + ((x - centre) / width) ** 2),
        lambda x: -2 * (x - centre) / width**2 / (1 + ((x - centre) / width) ** 2) ** 2,
    )


def odd(sharp):
    """x exp(-sharp x^2) and its slope."""
    return (
        lambda x: x * np.exp(-sharp * x**2),
        lambda x: (1 - 2 * sharp * x**2) * np.exp(-sharp * x**2),
    )


def wave(rate):
    """sin(rate x) and its slope."""
    return lambda x: np.sin(rate * x), lambda x: rate * np.cos(rate * x)


def step(steep, centre):
    """A sigmoid, which overflows silently far off, and its slope."""

    def sigmoid(x):
        with np.errstate(over="ignore"):
            return 1 / (1 + np.exp(-steep * (x - centre)))

    return (
        sigmoid,
        lambda x: steep / (2 + np.exp(-steep * (x - centre)) + np.exp(steep * (x - centre))),
    )


def pairs():
    """One feature beside one smooth entry."""
    yield pair("narrow bump beside a line", *gauss(100), at=0.03)
    yield pair("narrower bump beside a line", *gauss(1e8), at=5e-5)
    yield pair("bump at 7 beside a line", *gauss(1e6, 7.0), at=7.0007)
    yield with_bend("narrow bump beside a parabola", *gauss(100), at=0.03)
    yield pair("line of 0.01 at 1e4", *lorentz(0.01, 1e4), at=1e4 + 0.004)
    yield with_bend("line of 0.1 at 5e6 beside a parabola", *lorentz(0.1, 5e6), at=5e6 + 0.04, sees=1e-4)
    yield pair("odd feature at 0", *odd(1e4), at=0.0)
    yield pair("odd feature near 0", *odd(1e4), at=0.003)
    yield with_bend("odd feature at 0 beside a parabola", *odd(1e4), at=0.0)
    yield pair("odd feature of 1e-5 at 0", *odd(1e10), at=0.0)
    yield pair("sin(1e5 x) beside a line", *wave(1e5), at=0.3)
    yield with_bend("sin(1e5 x) beside a parabola", *wave(1e5), at=0.4)
    yield pair("steep sigmoid beside a line", *step(1e4, 0.5), at=0.50012)
    yield with_bend("steep sigmoid beside a parabola", *step(1e4, 0.5), at=0.4999)
    yield pair(
        "waves of a period that is a power of two",
        *wave(2 * np.pi * 4096),
        at=0.3,
        why="steps that are a multiple of the period see the line only, and no bend",
    )
    yield pair(
        "smooth stairs",
        lambda x: x + 0.9 * np.sin(200 * np.pi * x) / (200 * np.pi),
        lambda x: 1 + 0.9 * np.cos(200 * np.pi * x),
        at=0.3061,
        why="the slope is 0.2, and 1 over wide steps",
    )
    yield pair(
        "soft threshold",
        lambda x: np.sqrt(x**2 + 1e-8),
        lambda x: x / np.sqrt(x**2 + 1e-8),
        at=3e-5,
    )
    yield with_bend(
        "softplus of a temperature of 1e-3",
        lambda x: 1e-3 * np.log1p(np.exp((x - 0.2) * 1e3)),
        lambda x: 1 / (1 + np.exp(-(x - 0.2) * 1e3)),
        at=0.1993,
    )
    yield with_bend(
        "Huber of a width of 1e-3",
        lambda x: np.where(abs(x) < 1e-3, x**2 / 2e-3, abs(x) - 5e-4).item(),
        lambda x: np.clip(x / 1e-3, -1, 1),
        at=4e-4,
    )
    yield pair(
        "bump of bounded support",
        lambda x: np.exp(-1 / (1 - ((x - 0.5) / 0.01) ** 2)) if abs(x - 0.5) < 0.01 else 0 * x,
        lambda x: (
            -2
            * (x - 0.5)
            / 0.01**2
            / (1 - ((x - 0.5) / 0.01) ** 2) ** 2
            * np.exp(-1 / (1 - ((x - 0.5) / 0.01) ** 2))
        ),
        at=0.5048,
    )
    yield pair(
        "low bump on a hill",
        lambda x: 1e-4 * np.exp(-1e6 * (x - 0.5) ** 2) + np.cos(x),
        lambda x: -200 * (x - 0.5) * np.exp(-1e6 * (x - 0.5) ** 2) - np.sin(x),
        at=0.5006,
        why="the bump has a tenth of the slope",
    )
    yield pair("chirp of 1e3", lambda x: np.sin(1e3 * x**2), lambda x: 2e3 * x * np.cos(1e3 * x**2), at=1.3)


def wrong_pairs(cases):
    """The feature's entry with each bug; the other one too."""
    for case in cases:
        yield from (wrong_at(case, 0, bug) for bug in BUGS)
        yield wrong_at(case, 1, "off by 10%")


# Crowds


def crowd(name, bump, slope, inside, outside=200, seed=701, **case):
    """Features of the first entries beside `outside` parabolas."""
    k = len(inside)
    centre = np.random.default_rng(seed).normal(size=outside)

    def cost(p):
        return np.sum(bump(p[:k])) + 0.5 * np.sum((p[k:] - centre) ** 2)

    def gradient(p):
        return np.append(slope(p[:k]), p[k:] - centre)

    x = np.append(inside, centre + np.random.default_rng(seed + 1).uniform(0.5, 2, outside))
    truth = partial(by_complex_step, cost, x)
    return Case(name, cost, gradient, x, truth=truth, **{"sees": 1e-5, **case})


def crowds():
    """Many entries, of which some have a feature."""
    rng = np.random.default_rng(710)
    yield crowd("fifty narrow bumps beside 200 parabolas", *gauss(100), rng.uniform(0.01, 0.05, 50))
    yield crowd("one narrow bump beside 300 parabolas", *gauss(1e4), np.array([0.004]), 300, 711)
    yield crowd("ten odd features at 0 beside 200 parabolas", *odd(1e6), np.zeros(10), 200, 713)
    yield crowd("twenty waves of 1e4 beside 200 parabolas", *wave(1e4), rng.uniform(0, 1, 20), 200, 715)
    yield crowd(
        "three steep sigmoids beside 100 parabolas", *step(1e3, 0.0), np.array([2e-4, -3e-4, 0.0]), 100
    )


def wrong_crowds(cases):
    """All features with each bug, one of them alone, and one of the parabolas."""
    for case in cases:
        k = len(case.params) - {"300": 300, "200": 200, "100": 100}[case.name.split()[-2]]
        yield from (wrong_at(case, np.arange(k), bug, "all features") for bug in BUGS)
        yield from (wrong_at(case, k // 2, bug) for bug in (BUGS if k > 1 else ()))
        yield wrong_at(case, k + 7, "off by 10%")


# Fits of lines


def spectrum(p, t):
    """A line of a spectrum: p = position, width, height, background."""
    return p[2] * np.exp(-(((t - p[0]) / p[1]) ** 2)) + p[3]


def spectrum_slopes(p, t):
    """Its derivatives."""
    u = (t - p[0]) / p[1]
    e = np.exp(-(u**2))
    return [2 * p[2] * u * e / p[1], 2 * p[2] * u**2 * e / p[1], e, np.ones_like(t)]


def lines():
    """Positions that are large beside the widths of their lines."""
    t = 656.28 + np.linspace(-0.3, 0.3, 31)
    yield _line("spectral line at 656 nm", [656.2831, 0.031, 2.0, 0.1], t, 721)
    t = 5e5 + np.linspace(-3, 3, 41)
    yield _line("spectral line at 5e5", [5e5 + 0.1, 0.4, 300.0, 12.0], t, 723)


def _line(name, p, t, seed):
    rng = np.random.default_rng(seed)
    p = np.array(p)
    y = spectrum((p[0] + 0.2 * p[1], p[1], 1.1 * p[2], p[3]), t) + 0.05 * p[2] * rng.normal(size=len(t))

    def cost(p):
        return 0.5 * np.sum((spectrum(p, t) - y) ** 2)

    def gradient(p):
        return np.array(spectrum_slopes(p, t)) @ (spectrum(p, t) - y)

    return verified(name, cost, gradient, p)


def single_cases():
    """Features in float32: steps of a tenth of the width leave 1e-3."""
    f32 = np.float32
    yield verified(
        "narrow bump beside a line in float32",
        lambda p: np.exp(-100 * p[0] ** 2) + p[1] / 10,
        as_float32(lambda p: np.array([-200 * p[0] * np.exp(-100 * p[0] ** 2), 0.1])),
        np.array([0.03, 10.0], f32),
        sees=5e-3,
        exact=1e-6,
    )
    yield verified(
        "sin(300 x) beside a parabola in float32",
        lambda p: np.sin(300 * p[0]) + (p[1] - 1) ** 2,
        as_float32(lambda p: np.array([300 * np.cos(300 * p[0]), 2 * (p[1] - 1)])),
        np.array([0.34, 0.3], f32),
        sees=5e-3,
        exact=1e-4,
        why="300 x is rounded to 4e-6",
    )


PAIRS = [*pairs(), *single_cases()]

CROWDS = [*crowds()]

LINES = [*lines()]

RIGHT = [*PAIRS, *CROWDS, *LINES]

WRONG = [
    *wrong_pairs(PAIRS),
    *wrong_crowds(CROWDS),
    *(wrong_at(case, i, bug) for case in LINES for i in range(2) for bug in BUGS),
    *(wrong_at(case, 3, "off by 10%") for case in LINES),
    instead(PAIRS[0], "the values [0, 0.1]", [0.0, 0.1], where=("params[0]",)),
]
