"""Costs that iterate until they are good enough; the gradient is that of the exact solution.

An iteration that stops at a tolerance leaves an error of that size, which moves with the parameters as long
as the number of iterations is the same, and jumps where it changes. The slope of what is computed may
therefore be off by about the tolerance, even where no noise is seen. Steps wider than the distance of two
jumps average over them: steps of 0.1 with a tolerance of 1e-4 leave 1e-3. `sees` is ten times that, since
iterations that converge slowly stop further from the end than their tolerance.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.integrate import quad, solve_ivp
from scipy.optimize import brentq, minimize_scalar

from corpus.cases import Case
from corpus.digits import EXACT, by_digits
from corpus.functions import solve_cubic
from corpus.twins import wrong_at

COARSE = ("noise", "step range", "jump", "kink")
"""What a cost of a coarse inner tolerance may leave undecided; it must not be called wrong."""

STAIRCASE = ("bisection to 0.0001", "bisection to 1e-08")
"""Values that jump by the tolerance, and are constant between."""

INEXACT = (
    "Brent's method to 0.0001",
    "fixed point to 0.0001",
    "Sinkhorn to 0.0001",
    "Sinkhorn to 1e-08",
    "conjugate gradients inside waves to 0.0001",
    "power iteration to 0.0001",
    "power iteration to 1e-08",
    "solve_ivp to 0.001",
    "solve_ivp to 1e-06",
    "LSODA to 1e-06",
    "series to 0.0001",
    "golden section to 0.01",
    "golden section to 0.0001",
)
"""Costs whose slope as computed, between jumps, is off by more than 1e-6 of an entry."""

X = np.random.default_rng(900).uniform(0.4, 2.0, 6)
"""Parameters that are not round."""

TARGET = np.random.default_rng(901).normal(size=6)


def within(name, tolerance, cost, gradient, x, exact_cost, sees=None, floor=0.0):
    """A case whose truth is that of another, exact, cost in many digits."""
    name = f"{name} to {tolerance:g}"
    return Case(
        name,
        cost,
        gradient,
        x,
        (tolerance,),
        reasons=COARSE if name in (*INEXACT, *STAIRCASE) else (),
        expected="inexact" if name in INEXACT else "agree",
        sees=max(1e-4, 100 * tolerance) if sees is None else sees,
        floor=floor,
        truth=partial(by_digits, exact_cost, x),
    )


# A root of u + u^3 = p for each parameter


def newton(p, tolerance):
    """Steps until one is smaller than the tolerance."""
    u = np.zeros_like(p)
    for _ in range(50):
        step = (u + u**3 - p) / (1 + 3 * u**2)
        u = u - step
        if np.max(np.abs(step)) < tolerance:
            break
    return u


def bisection(p, tolerance):
    """Halves of [-5, 5] for each parameter."""
    low, high = np.full(p.shape, -5.0), np.full(p.shape, 5.0)
    while high[0] - low[0] > tolerance:
        middle = (low + high) / 2
        below = middle + middle**3 < p
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


def secant(p, tolerance):
    """Brent's method for each parameter."""
    return np.array([brentq(lambda u, c=c: u**3 + u - c, -5, 5, xtol=tolerance) for c in p])


def root_in_digits(p):
    """The roots by Cardano's formula."""
    d = np.sqrt(p**2 / 4 + EXACT.mpf(1) / 27)
    third = EXACT.mpf(1) / 3
    return (d + p / 2) ** third - (d - p / 2) ** third


def squared(u, target):
    """Half the sum of squares."""
    return 0.5 * np.sum((u - target) ** 2)


def root_gradient(p, tolerance=0.0):
    """By the implicit function theorem at the exact root."""
    u = solve_cubic(p)
    return (u - TARGET) / (1 + 3 * u**2)


def roots():
    """Three ways to a root, each of them coarse and fine."""
    for solver, words in ((newton, "Newton"), (bisection, "bisection"), (secant, "Brent's method")):
        for tolerance in (1e-4, 1e-8):
            yield within(
                words,
                tolerance,
                lambda p, tolerance, solver=solver: squared(solver(p, tolerance), TARGET),
                root_gradient,
                X,
                lambda p: squared(root_in_digits(p), TARGET),
            )


# Fixed points


def fixed_point(p, tolerance):
    """u = p + cos(u) / 2, until nothing moves by more than the tolerance."""
    u = np.zeros_like(p)
    for _ in range(400):
        before, u = u, p + np.cos(u) / 2
        if np.max(np.abs(u - before)) <= tolerance:
            break
    return u


def fixed_point_gradient(p, tolerance=0.0):
    """By the implicit function theorem."""
    u = fixed_point(p, 0.0)
    return (u - TARGET) / (1 + np.sin(u) / 2)


def fixed_point_in_digits(p):
    """By Newton."""
    u = p + 0
    for _ in range(12):
        u = u - (u - p - np.cos(u) / 2) / (1 + np.sin(u) / 2)
    return squared(u, TARGET)


def sinkhorn(z, tolerance):
    """Rows and columns of exp(z) are scaled in turns to a sum of one each; the transport times a cost."""
    K = np.exp(z.reshape(3, 3))
    u, v = np.ones(3), np.ones(3)
    for _ in range(500):
        u = 1 / (K @ v)
        v = 1 / (K.T @ u)
        if np.max(np.abs(u * (K @ v) - 1)) <= tolerance:
            break
    return np.sum(PRICE * u[:, None] * K * v)


PRICE = np.random.default_rng(903).uniform(0, 2, (3, 3))


def sinkhorn_gradient(z, tolerance=0.0):
    """By the adjoint of the two conditions on the sums."""
    K = np.exp(z.reshape(3, 3))
    u, v = np.ones(3), np.ones(3)
    for _ in range(2000):
        u = 1 / (K @ v)
        v = 1 / (K.T @ u)
    P = u[:, None] * K * v
    # P_ij = exp(z_ij + a_i + b_j) has sums of one: [I P; P^T I] [da; db] = -[rows; columns] of P dz
    system = np.block([[np.eye(3), P], [P.T, np.eye(3)]])
    right = np.concatenate([(PRICE * P).sum(axis=1), (PRICE * P).sum(axis=0)])
    dual = np.linalg.lstsq(system, right, rcond=None)[0]
    return (P * (PRICE - dual[:3, None] - dual[None, 3:])).ravel()


def sinkhorn_in_digits(z):
    """Enough turns for 60 digits."""
    K = np.exp(z.reshape(3, 3))
    v = np.ones(3)
    for _ in range(220):
        u = 1 / (K @ v)
        v = 1 / (K.T @ u)
    return np.sum(PRICE * u[:, None] * K * v)


def fixed_points():
    """Linear convergence: the error is a share of the tolerance."""
    for tolerance in (1e-4, 1e-8):
        yield within(
            "fixed point",
            tolerance,
            lambda p, tolerance: squared(fixed_point(p, tolerance), TARGET),
            fixed_point_gradient,
            X,
            fixed_point_in_digits,
        )
    z = np.random.default_rng(904).normal(size=9)
    for tolerance in (1e-4, 1e-8):
        yield within(
            "Sinkhorn",
            tolerance,
            sinkhorn,
            sinkhorn_gradient,
            z,
            sinkhorn_in_digits,
            sees=1e-2,
            floor=50 * tolerance,
        )


# Linear systems and eigenvalues


def _matrix(n, seed):
    A = np.random.default_rng(seed).normal(size=(n, n))
    return A @ A.T / n + np.eye(n)


A = _matrix(8, 905)


def conjugate_gradients(b, tolerance):
    """Until the residual is the tolerance of the right side."""
    x, r = np.zeros_like(b), b.copy()
    d, square = r.copy(), r @ r
    for _ in range(100):
        if square <= tolerance**2 * (b @ b):
            break
        Ad = A @ d
        x, r = x + square / (d @ Ad) * d, r - square / (d @ Ad) * Ad
        before, square = square, r @ r
        d = r + square / before * d
    return x


def elimination(b):
    """A solution in exact numbers."""
    rows = np.column_stack([A.astype(object) * EXACT.mpf(1), b])
    n = len(b)
    for k in range(n):
        rows[k] = rows[k] / rows[k, k]
        for j in range(n):
            if j != k:
                rows[j] = rows[j] - rows[j, k] * rows[k]
    return rows[:, -1]


def largest_eigenvalue(d, tolerance):
    """Power iteration on A + diag(d) until the value moves by less than the tolerance."""
    M, v, value = A + np.diag(d), np.ones(len(d)), 0.0
    for _ in range(2000):
        w = M @ v
        v, before, value = w / np.sqrt(w @ w), value, v @ w / (v @ v)
        if abs(value - before) <= tolerance:
            break
    return value


def eigenvalue_gradient(d, tolerance=0.0):
    """The square of the eigenvector."""
    return np.linalg.eigh(A + np.diag(d))[1][:, -1] ** 2


def eigenvalue_in_digits(d):
    """By Rayleigh's iteration, from the eigenvector in float64."""
    M = A.astype(object) * EXACT.mpf(1)
    M[np.arange(8), np.arange(8)] += d
    v = np.linalg.eigh(A + np.diag(d.astype(float)))[1][:, -1] * EXACT.mpf(1)
    for _ in range(4):
        value = v @ (M @ v) / (v @ v)
        shifted = M.copy()
        shifted[np.arange(8), np.arange(8)] -= value * (1 + EXACT.mpf(10) ** -30)
        v = _solve(shifted, v)
        v = v / np.sqrt(v @ v)
    return v @ (M @ v)


def _solve(M, b):
    rows = np.column_stack([M, b])
    for k in range(len(b)):
        pivot = k + int(np.argmax(np.abs(rows[k:, k].astype(float))))
        rows[[k, pivot]] = rows[[pivot, k]]
        rows[k] = rows[k] / rows[k, k]
        for j in range(len(b)):
            if j != k:
                rows[j] = rows[j] - rows[j, k] * rows[k]
    return rows[:, -1]


def linear_algebra():
    """Krylov and power methods."""
    b = np.random.default_rng(906).normal(size=8)
    for tolerance in (1e-4, 1e-8):
        yield within(
            "conjugate gradients inside waves",
            tolerance,
            lambda b, tolerance: np.sum(np.sin(conjugate_gradients(b, tolerance))),
            lambda b, tolerance: np.linalg.solve(A, np.cos(np.linalg.solve(A, b))),
            b,
            lambda b: np.sum(np.sin(elimination(b))),
        )
    d = np.random.default_rng(907).uniform(0, 2, 8)
    for tolerance in (1e-4, 1e-8):
        yield within(
            "power iteration",
            tolerance,
            largest_eigenvalue,
            eigenvalue_gradient,
            d,
            eigenvalue_in_digits,
            sees=1e-2,
            floor=200 * tolerance,
        )


# Integrals and differential equations


def growth(p, tolerance):
    """Logistic growth by an adaptive Runge-Kutta method, at three times."""
    found = solve_ivp(
        lambda t, u: p[0] * u * (1 - u / p[1]), (0, 3), [p[2]], t_eval=[1, 2, 3], rtol=tolerance, atol=1e-9
    )
    return 0.5 * np.sum((found.y[0] - [0.7, 1.2, 1.9]) ** 2) if found.success else np.nan


def growth_in_digits(p):
    """The solution in closed form."""
    e = np.exp(-p[0] * np.array([1.0, 2.0, 3.0]))
    return 0.5 * np.sum((p[1] / (1 + (p[1] / p[2] - 1) * e) - [0.7, 1.2, 1.9]) ** 2)


def growth_gradient(p, tolerance=0.0):
    """Of the closed form."""
    t = np.array([1.0, 2.0, 3.0])
    e, c = np.exp(-p[0] * t), p[1] / p[2] - 1
    u = p[1] / (1 + c * e)
    r = u - [0.7, 1.2, 1.9]
    return np.array(
        [
            np.sum(r * u**2 / p[1] * c * t * e),
            np.sum(r * (u / p[1] - u**2 / p[1] * e / p[2])),
            np.sum(r * u**2 / p[2] ** 2 * e),
        ]
    )


def swinging(p, tolerance):
    """A damped oscillator by LSODA, at its end."""
    found = solve_ivp(
        lambda t, u: [u[1], -p[0] * u[0] - p[1] * u[1]],
        (0, 4),
        [1.0, 0.0],
        "LSODA",
        rtol=tolerance,
        atol=1e-9,
    )
    return found.y[0, -1] ** 2


def swinging_in_digits(p):
    """The solution in closed form."""
    w = np.sqrt(p[0] - p[1] ** 2 / 4)
    return (np.exp(-2 * p[1]) * (np.cos(4 * w) + p[1] / (2 * w) * np.sin(4 * w))) ** 2


def swinging_gradient(p, tolerance=0.0):
    """Of the closed form."""
    w, d = np.sqrt(p[0] - p[1] ** 2 / 4), p[1] / 2
    e, c, s = np.exp(-4 * d), np.cos(4 * w), np.sin(4 * w)
    u = e * (c + d / w * s)
    by_w = e * (-4 * s + d / w * 4 * c - d / w**2 * s)
    by_d = -4 * u + e * s / w
    return 2 * u * np.array([by_w / (2 * w), by_d / 2 - by_w * d / (2 * w)])


def integral(p, tolerance):
    """By adaptive quadrature; there is a pole within if p[1] is too small."""
    if p[1] <= -1 / 9:
        return np.nan
    return quad(lambda t: np.exp(-p[0] * t) / (1 + p[1] * t**2), 0, 3, epsabs=tolerance, epsrel=tolerance)[0]


def integral_gradient(p, tolerance=0.0):
    """The integrals of the derivatives, to the last digits."""
    few = {"epsabs": 1e-13, "epsrel": 1e-13}
    return np.array(
        [
            quad(lambda t: -t * np.exp(-p[0] * t) / (1 + p[1] * t**2), 0, 3, **few)[0],
            quad(lambda t: -(t**2) * np.exp(-p[0] * t) / (1 + p[1] * t**2) ** 2, 0, 3, **few)[0],
        ]
    )


def integral_in_digits(p):
    """By Gauss and Legendre."""
    return EXACT.quad(lambda t: EXACT.exp(-p[0] * t) / (1 + p[1] * t**2), [0, 1, 2, 3])


def series(x, tolerance):
    """Bessel's J0 by its series, until a term is smaller than the tolerance."""
    total, term = np.ones_like(x), np.ones_like(x)
    for k in range(1, 60):
        term = -term * x**2 / (4 * k**2)
        total = total + term
        if np.max(np.abs(term)) <= tolerance:
            break
    return np.sum(total)


def series_gradient(x, tolerance=0.0):
    """-J1, by all of its series."""
    total, term = x / 2, x / 2
    for k in range(1, 60):
        term = -term * x**2 / (4 * k * (k + 1))
        total = total + term
    return -total


def inner_minimum(p, tolerance):
    """The least value over y; by the envelope theorem the gradient needs no derivative of y."""
    found = minimize_scalar(
        lambda y: (y - p[0]) ** 2 + p[1] * np.cosh(y), bracket=(-1, 2), tol=tolerance, method="golden"
    )
    return found.fun


def inner_minimum_gradient(p, tolerance=0.0):
    """At the exact minimum."""
    y = _argmin(p)
    return np.array([-2 * (y - p[0]), np.cosh(y)])


def _argmin(p):
    y = p[0] / (1 + p[1])
    for _ in range(8):
        y = y - (2 * (y - p[0]) + p[1] * np.sinh(y)) / (2 + p[1] * np.cosh(y))
    return y


def inner_minimum_in_digits(p):
    """By Newton."""
    y = _argmin(p)
    return (y - p[0]) ** 2 + p[1] * np.cosh(y)


def adaptive():
    """Solvers of SciPy with a tolerance, and a series that ends early."""
    x = np.array([1.1, 2.3, 0.3])
    for tolerance in (1e-3, 1e-6):
        yield within("solve_ivp", tolerance, growth, growth_gradient, x, growth_in_digits, sees=0.05)
    x = np.array([2.3, 0.4])
    yield within("LSODA", 1e-6, swinging, swinging_gradient, x, swinging_in_digits, sees=1e-3)
    x = np.array([0.7, 1.9])
    for tolerance in (1e-4, 1e-8):
        yield within("quadrature", tolerance, integral, integral_gradient, x, integral_in_digits)
    x = np.array([0.5, 1.4, 2.2])
    exact = lambda x: np.sum([EXACT.besselj(0, v) for v in x])  # noqa: E731
    for tolerance in (1e-4, 1e-8):
        yield within("series", tolerance, series, series_gradient, x, exact)
    x = np.array([1.2, 0.6])
    for tolerance in (1e-2, 1e-4):
        yield within(
            "golden section",
            tolerance,
            inner_minimum,
            inner_minimum_gradient,
            x,
            inner_minimum_in_digits,
            sees=1e-2,
        )


RIGHT = [*roots(), *fixed_points(), *linear_algebra(), *adaptive()]


def wrong():
    """All entries with the other sign, doubled, and the largest off by 20%."""
    for case in RIGHT:
        everything = np.arange(len(case.params))
        yield wrong_at(case, everything, "with the other sign", "all entries")
        yield wrong_at(case, everything, "doubled", "all entries")
        yield wrong_at(case, int(np.argmax(np.abs(case.right_gradient()))), "off by 20%")


WRONG = [*wrong()]
