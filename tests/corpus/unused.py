"""Blocks of which some parameters do not enter the cost: their entries are zero, exactly."""

from __future__ import annotations

from functools import partial

import numpy as np

from corpus.cases import Case, Wrong
from corpus.digits import by_complex_step
from corpus.mixed_units import verified
from corpus.nets import log_softmax, softmax
from corpus.twins import instead, wrong_at

W = np.array([0.62, -0.73, 0.41, -0.53])


def first_only(x):
    """Only the first of two parameters is used."""
    return np.sum(W * x[0])


def first_only_gradient(x):
    """Its slope is constant."""
    return np.array([W.sum(), 0.0])


def used_once():
    """One parameter at 0.64, and at twenty other points, beside one that is not used."""
    points = [0.64, *np.random.default_rng(930).uniform(-2, 2, 20)]
    for k, value in enumerate(points):
        name = f"sum(W x[0]) at {value:.4g}" + ("" if k else ", beside an unused 0.5")
        yield verified(name, first_only, first_only_gradient, np.array([value, 0.5]), sees=1e-5)


def embedding(p, words, y):
    """The mean of the rows of some words, a linear layer and a softmax."""
    a = p["table"][words].mean(axis=1)
    return -log_softmax(a @ p["W"])[np.arange(len(y)), y].mean()


def embedding_gradient(p, words, y):
    """Its gradient, summed over the places where a word is used."""
    a = p["table"][words].mean(axis=1)
    d = softmax(a @ p["W"])
    d[np.arange(len(y)), y] -= 1
    d = d / len(y)
    table = np.zeros_like(p["table"])
    np.add.at(table, words, ((d @ p["W"].T) / words.shape[1])[:, None, :])
    return {"table": table, "W": a.T @ d}


def embedding_case(name, rows, used, seed):
    """Only the first `used` of `rows` words occur."""
    rng = np.random.default_rng(seed)
    p = {"table": rng.normal(size=(rows, 4)), "W": rng.normal(size=(4, 3))}
    args = (rng.integers(0, used, (10, 3)), rng.integers(0, 3, 10))
    args[0].flat[:used] = np.arange(used)
    truth = partial(by_complex_step, embedding, p, args)
    return Case(
        name, embedding, embedding_gradient, p, args, truth=truth, sees=1e-4, rounding=1e-12, floor=1e-9
    )


def dead_units(p, X, y):
    """A relu layer in which some units are never positive."""
    z = X @ p["W1"] + p["b1"]
    return 0.5 * np.mean((np.where(z.real > 0, z, 0) @ p["w2"] - y) ** 2)


def dead_units_gradient(p, X, y):
    """Its gradient."""
    z = X @ p["W1"] + p["b1"]
    a = np.where(z > 0, z, 0)
    e = (a @ p["w2"] - y) / len(y)
    d = np.outer(e, p["w2"]) * (z > 0)
    return {"W1": X.T @ d, "b1": d.sum(axis=0), "w2": a.T @ e}


def dead_units_case():
    """Three of eight units."""
    rng = np.random.default_rng(933)
    p = {"W1": rng.normal(size=(4, 8)), "b1": rng.normal(size=8), "w2": rng.normal(size=8)}
    p["b1"][[1, 4, 6]] = -30.0
    X, y = rng.normal(size=(12, 4)), rng.normal(size=12)
    truth = partial(by_complex_step, dead_units, p, (X, y))
    few = {"sees": 1e-4, "rounding": 1e-12, "floor": 1e-9}
    return Case(
        "relu net with three dead units", dead_units, dead_units_gradient, p, (X, y), truth=truth, **few
    )


def polynomial():
    """Coefficients beyond the degree in use."""

    def cost(c):
        return np.sum(np.sin(c[0] + c[1] * POINTS + c[2] * POINTS**2))

    def gradient(c):
        s = np.cos(c[0] + c[1] * POINTS + c[2] * POINTS**2)
        return np.array([s.sum(), s @ POINTS, s @ POINTS**2, 0.0, 0.0, 0.0])

    return verified(
        "polynomial of a lower degree", cost, gradient, np.array([0.3, -0.4, 0.2, 0.9, -1.0, 2.0])
    )


POINTS = np.linspace(-1, 2, 9)

LINES = [*used_once()]

TABLE = embedding_case("embedding with 15 of 20 rows unused", 20, 5, 931)

WIDE = embedding_case("embedding with 90 of 100 rows unused", 100, 10, 932)

DEAD = dead_units_case()

POLYNOMIAL = polynomial()

RIGHT = [*LINES, TABLE, WIDE, DEAD, POLYNOMIAL]


def wrong():
    """The used entry with the other sign; an unused one that is not zero; a row forgotten."""
    for case in LINES:
        yield wrong_at(case, 0, "with the other sign")
    yield wrong_at(LINES[0], 0, "off by 1%")
    yield instead(LINES[0], "the unused entry 1e-3", [W.sum(), 1e-3], where=("params[1]",))
    yield wrong_at(POLYNOMIAL, 2, "off by 1%")
    yield instead(
        POLYNOMIAL,
        "slope of an unused coefficient",
        [*POLYNOMIAL.right_gradient()[:3], 0.0, 0.1, 0.0],
        where=("params[4]",),
    )
    for case in (TABLE, WIDE):
        yield wrong_at(case, np.arange(4), "off by 20%", "first row")
        yield Wrong(case, "the last row has the slope of the first", last_row_as_first(case))
    yield wrong_at(DEAD, 0, "off by 20%")
    yield Wrong(DEAD, "a slope of a dead unit", leaky(DEAD), ("b1[1]",))


def last_row_as_first(case):
    """The last row, which is not used, has the slope of the first."""

    def gradient(p, *args):
        g = case.gradient(p, *args)
        g["table"][-1] = g["table"][0]
        return g

    return gradient


def leaky(case):
    """The dead units have a slope all the same."""

    def gradient(p, X, y):
        g = case.gradient(p, X, y)
        g["b1"][1] = 0.1 * np.mean(np.where(X @ p["W1"] + p["b1"] > 0, X @ p["W1"], 0) @ p["w2"] - y)
        return g

    return gradient


WRONG = [*wrong()]
