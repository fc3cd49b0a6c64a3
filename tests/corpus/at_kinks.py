"""Points that lie on a kink, or on a jump, of the cost: claims that are between the slopes of both sides.

A claim that is a slope of one side, or lies between the two, is the convention of some code and not wrong.
It may be undecided, with a reason that begins with the kink or the jump. A claim outside of the two slopes
must not agree. Entries without a kink are to be judged as ever.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from corpus.cases import Case
from corpus.digits import EXACT, by_digits, by_sides
from corpus.twins import instead, wrong_at

KINK = ("kink", "jump")
"""With what the reason of an undecided coordinate begins here."""

EXACT.mpf.arctan2 = lambda self, other: EXACT.atan2(self, other)


def smooth(name, cost, gradient, x, args=(), **case):
    """A point where the derivative exists; slopes of zero are seen to a millionth of the others."""
    truth = partial(by_digits, cost, x, args)
    return Case(name, cost, gradient, x, args, sees=1e-4, floor=1e-6, rounding=1e-15, truth=truth, **case)


def on(kind, name, cost, gradient, x, args=(), **case):
    """A point on a kink or a jump; its truth is a claim that is clipped to what both sides allow."""
    truth = partial(by_sides, cost, gradient, x, args)
    return Case(name, cost, gradient, x, args, reasons=KINK, expected=kind, truth=truth, sees=1e-4, **case)


def absolute(x):
    """|x0| beside a parabola and a wave."""
    return abs(x[0]) + (x[1] - 1) ** 2 + np.sin(x[2])


def absolute_gradient(x):
    """With 0 at 0."""
    return np.array([np.sign(x[0]), 2 * (x[1] - 1), np.cos(x[2])])


def relu(x):
    """max(x0, 0) beside a parabola."""
    return 2 * (x[0] if x[0] > 0 else 0 * x[0]) + (x[1] - 1) ** 2


def relu_gradient(at_zero):
    """With a convention for 0."""
    return lambda x: np.array([2 * np.heaviside(x[0], at_zero), 2 * (x[1] - 1)])


def larger(x):
    """The larger of two, times a wave."""
    return max(x[0], x[1]) * np.cos(x[2])


def larger_gradient(share):
    """With a share of the first at a tie."""

    def gradient(x):
        first = np.heaviside(x[0] - x[1], share)
        return np.array([first * np.cos(x[2]), (1 - first) * np.cos(x[2]), -max(x[0], x[1]) * np.sin(x[2])])

    return gradient


def angle(x):
    """The polar angle, and a parabola."""
    return np.arctan2(x[1], x[0]) + x[2] ** 2


def angle_gradient(x):
    """Of the branch that the point is on."""
    square = x[0] ** 2 + x[1] ** 2
    return np.array([-x[1] / square, x[0] / square, 2 * x[2]])


def valley(x):
    """The helical valley with the angle by arctan2."""
    return _valley(x, np.arctan2(x[1], x[0]) / (2 * np.pi))


def classic_valley(x):
    """The helical valley with the angle by arctan, as it was published: smooth where x0 < 0."""
    return _valley(x, np.arctan(x[1] / x[0]) / (2 * np.pi) + (0.5 if x[0] < 0 else 0.0))


def _valley(x, turn):
    return 100 * ((x[2] - 10 * turn) ** 2 + (np.sqrt(x[0] ** 2 + x[1] ** 2) - 1) ** 2) + x[2] ** 2


def valley_gradient(x):
    """Of both, on the branch that the point is on."""
    square = x[0] ** 2 + x[1] ** 2
    r = np.sqrt(square)
    a = 200 * (x[2] - 10 * np.arctan2(x[1], x[0]) / (2 * np.pi))
    b = 200 * (r - 1) / r
    by_turn = -10 * a / (2 * np.pi * square)
    return np.array([-by_turn * x[1] + b * x[0], by_turn * x[0] + b * x[1], a + 2 * x[2]])


def lasso(w, X, y):
    """Half a sum of squares and the sum of absolute values."""
    e = X @ w - y
    return 0.5 * np.sum(e**2) + 0.3 * np.sum(abs(w))


def lasso_gradient(w, X, y):
    """With 0 for the absolute values at 0."""
    return X.T @ (X @ w - y) + 0.3 * np.sign(w)


def hinge(w, X, y):
    """A support vector machine."""
    m = 1 - y * (X @ w)
    return np.sum(np.where(m > 0, m, 0 * m)) + 0.5 * np.sum(w**2)


def hinge_gradient(w, X, y):
    """Samples on the margin do not count."""
    return w - X.T @ (y * (1 - y * (X @ w) > 0))


def fold(x):
    """An angle folded to one turn, beside a wave."""
    turns = x[0] - (np.floor(x[0]) if x.dtype != object else EXACT.floor(x[0]))
    return turns**2 + np.sin(x[1])


def fold_gradient(x):
    """Of the branch that the point is on."""
    return np.array([2 * (x[0] - np.floor(x[0])), np.cos(x[1])])


def length(x):
    """The norm of two entries, and a wave."""
    square = x[0] ** 2 + x[1] ** 2
    return np.sqrt(square) + np.sin(x[2])


def length_gradient(x):
    """With 0 at 0."""
    r = np.sqrt(x[0] ** 2 + x[1] ** 2)
    return np.array([x[0] / r if r > 0 else 0.0, x[1] / r if r > 0 else 0.0, np.cos(x[2])])


def dead_net(p, X, y):
    """A relu layer whose biases are zero, at a sample that is zero."""
    W, b, v = p[:6].reshape(2, 3), p[6:9], p[9:]
    z = X @ W + b
    return 0.5 * np.sum((np.where(z > 0, z, 0 * z) @ v - y) ** 2)


def dead_net_gradient(p, X, y):
    """With a slope of 0 at 0."""
    W, b, v = p[:6].reshape(2, 3), p[6:9], p[9:]
    z = X @ W + b
    a = np.where(z > 0, z, 0)
    e = a @ v - y
    d = np.outer(e, v) * (z > 0)
    return np.concatenate([(X.T @ d).ravel(), d.sum(axis=0), a.T @ e])


def kinked():
    """Kinks and jumps at the very point."""
    zero = np.array([0.0, 0.3, 0.4])
    yield on("kink", "|x| at 0, claim 0", absolute, absolute_gradient, zero)
    yield on(
        "kink",
        "|x| at 0, claim 1",
        absolute,
        lambda x: np.array([np.heaviside(x[0], 1) * 2 - 1, 2 * (x[1] - 1), np.cos(x[2])]),
        zero,
    )
    for at_zero in (0.0, 0.5, 1.0):
        yield on("kink", f"relu at 0, claim {at_zero:g}", relu, relu_gradient(at_zero), np.array([0.0, 0.3]))
    tie = np.array([0.7, 0.7, 0.4])
    yield on("kink", "max at a tie, half each", larger, larger_gradient(0.5), tie)
    yield on("kink", "max at a tie, the first", larger, larger_gradient(1.0), tie)
    yield on("jump", "arctan2 on its cut", angle, angle_gradient, np.array([-1.0, 0.0, 0.3]))
    yield on(
        "kink", "helical valley by arctan2 at its start", valley, valley_gradient, np.array([-1.0, 0, 0])
    )
    rng = np.random.default_rng(920)
    X, y = rng.normal(size=(12, 4)), rng.normal(size=12)
    yield on(
        "kink", "lasso with two weights at 0", lasso, lasso_gradient, np.array([0.5, 0, -0.8, 0]), (X, y)
    )
    # entries of 1/4 and weights of 1 and 2, so that the margin is 0 exactly
    X, y = rng.integers(-6, 7, (12, 4)) / 4, rng.choice([-1.0, 1.0], 12)
    w = np.array([1.0, -2.0, 1.0, 2.0])
    X[:2] = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, -0.5, 0.0, 0.0]]) * y[:2, None]
    yield on("kink", "hinge on the margin", hinge, hinge_gradient, w, (X, y))
    yield on("jump", "angle folded to one turn, at its end", fold, fold_gradient, np.array([1.0, 0.4]))
    yield on("kink", "norm at 0", length, length_gradient, np.array([0.0, 0.0, 0.4]))
    p = np.concatenate([rng.normal(size=6), np.zeros(3), rng.normal(size=3)])
    X, y = np.array([[0.0, 0.0], [0.7, -0.4], [1.2, 0.9]]), np.array([0.5, -0.3, 0.8])
    yield on("kink", "relu net without bias at a sample of zeros", dead_net, dead_net_gradient, p, (X, y))
    yield on(
        "kink",
        "|x|^1.5 at 0",
        lambda x: abs(x[0]) ** 1.5 + np.sin(x[1]),
        lambda x: np.array([1.5 * np.sign(x[0]) * np.sqrt(abs(x[0])), np.cos(x[1])]),
        np.array([0.0, 0.4]),
        why="the slope is 0, and differences reach it like the square root of a step",
    )


def smooth_cases():
    """Where a kink is expected and the derivative exists."""
    yield smooth(
        "x |x| at 0 beside a wave",
        lambda x: x[0] * abs(x[0]) + np.sin(x[1]),
        lambda x: np.array([2 * abs(x[0]), np.cos(x[1])]),
        np.array([0.0, 0.4]),
        why="the slope is 0, the second derivative jumps",
    )
    yield smooth(
        "|x|^3 at 0 beside a wave",
        lambda x: abs(x[0]) ** 3 + np.sin(x[1]),
        lambda x: np.array([3 * x[0] * abs(x[0]), np.cos(x[1])]),
        np.array([0.0, 0.4]),
    )
    yield smooth(
        "helical valley by arctan at its start", classic_valley, valley_gradient, np.array([-1.0, 0, 0])
    )
    yield smooth(
        "Huber at its corner beside a parabola",
        lambda x: (x[0] ** 2 / 2 if abs(x[0]) <= 0.5 else abs(x[0]) / 2 - 0.125) + (x[1] - 1) ** 2,
        lambda x: np.array([np.clip(x[0], -0.5, 0.5), 2 * (x[1] - 1)]),
        np.array([0.5, 0.3]),
    )
    yield smooth(
        "squared hinge on the margin",
        lambda x: (max(1 - x[0], 0 * x[0])) ** 2 + x[0] * x[1],
        lambda x: np.array([-2 * max(1 - x[0], 0) + x[1], x[0]]),
        np.array([1.0, 0.3]),
    )


KINKED = [*kinked()]

SMOOTH = [*smooth_cases()]

RIGHT = [*KINKED, *SMOOTH]

OUTSIDE = {
    "|x| at 0, claim 0": [2.0, -1.4, np.cos(0.4)],
    "relu at 0, claim 0": [-1.0, -1.4],
    "relu at 0, claim 1": [3.0, -1.4],
    "max at a tie, half each": [1.5 * np.cos(0.4), 0.5 * np.cos(0.4), -0.7 * np.sin(0.4)],
    "helical valley by arctan2 at its start": [0.0, -4000.0, -1000.0],
    "norm at 0": [3.0, 0.0, np.cos(0.4)],
    "|x|^1.5 at 0": [1.0, np.cos(0.4)],
}
"""Claims that no side of the kink allows."""

BESIDE = {
    "|x| at 0, claim 0": 1,
    "relu at 0, claim 0.5": 1,
    "max at a tie, half each": 2,
    "arctan2 on its cut": 2,
    "helical valley by arctan2 at its start": 2,
    "lasso with two weights at 0": 2,
    "angle folded to one turn, at its end": 1,
    "norm at 0": 2,
    "|x|^1.5 at 0": 1,
}
"""Entries without a kink."""


def wrong():
    """Outside of both slopes; an entry beside the kink; the smooth ones."""
    by_name = {case.name: case for case in RIGHT}
    for name, claim in OUTSIDE.items():
        yield instead(by_name[name], "outside of both slopes", claim, hidden=True)
    for name, i in BESIDE.items():
        yield wrong_at(by_name[name], i, "off by 20%")
    for case in SMOOTH[:2]:
        yield instead(case, "a slope of 0.1", [0.1, np.cos(0.4)], where=("params[0]",))
    for case in SMOOTH:
        yield wrong_at(case, len(case.params) - 1, "with the other sign")
    yield wrong_at(SMOOTH[2], 1, "off by 10%")
    yield wrong_at(SMOOTH[3], 0, "off by 5%")


WRONG = [*wrong()]
