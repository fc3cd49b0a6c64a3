"""Functions of numerical analysis: barriers, linear algebra, solvers and simulations inside a cost."""

from __future__ import annotations

import numpy as np
from scipy.optimize import rosen, rosen_der

from corpus.cases import Case


def rosenbrock_gradient(x, bug=""):
    """The gradient of the chained Rosenbrock function by hand, or one with a bug."""
    g = np.zeros_like(x)
    gap = x[1:] - x[:-1] ** 2
    g[:-1] += -400 * x[:-1] * gap - 2 * (1 - x[:-1])
    if bug == "overwritten, not added":
        g[1:] = 200 * gap
    elif bug == "last term forgotten":
        g[1:-1] += 200 * gap[:-1]
    elif bug == "200 for 400":
        g[:-1] += 200 * x[:-1] * gap
        g[1:] += 200 * gap
    else:
        g[1:] += 200 * gap
    return g


def rosenbrock_case():
    """Ten coordinates; scipy's own."""
    rng = np.random.default_rng(31)
    return Case("scipy: Rosenbrock", rosen, rosen_der, rng.uniform(-1.5, 1.5, 10))


def rosenbrock_by_hand_case():
    """Fifteen coordinates."""
    rng = np.random.default_rng(32)
    return Case("Rosenbrock by hand", rosen, rosenbrock_gradient, rng.uniform(-1.5, 1.5, 15))


# A log barrier of linear inequalities A x < b.


def barrier(x, A, b, c, mu):
    """Infinite outside."""
    slack = b - A @ x
    if np.any(slack <= 0):
        return np.inf
    return c @ x - mu * np.sum(np.log(slack))


def barrier_gradient(x, A, b, c, mu, bug=""):
    """Its gradient, or one with a bug."""
    slack = b - A @ x
    if bug == "sign of the barrier":
        return c - mu * A.T @ (1 / slack)
    if bug == "weight of the barrier forgotten":
        return c + A.T @ (1 / slack)
    if bug == "slack squared":
        return c + mu * A.T @ (1 / slack**2)
    return c + mu * A.T @ (1 / slack)


def barrier_case(name="log barrier", gap=0.5, mu=0.1):
    """One of the constraints is `gap` away from being active."""
    rng = np.random.default_rng(33)
    A, x = rng.normal(size=(12, 5)), 0.5 * rng.normal(size=5)
    b = A @ x + rng.uniform(0.5, 2, 12)
    b[3] = (A @ x)[3] + gap
    return Case(name, barrier, barrier_gradient, x, (A, b, rng.normal(size=5), mu))


# A function of the solution of a nonlinear system, differentiated by the implicit function theorem.


def solve_cubic(p):
    """The root of u + u^3 = p, coordinate by coordinate, by Newton."""
    u = np.zeros_like(p)
    for _ in range(60):
        u = u - (u + u**3 - p) / (1 + 3 * u**2)
    return u


def implicit(p, W):
    """The cost."""
    return 0.5 * np.sum((W @ solve_cubic(p)) ** 2)


def implicit_gradient(p, W, bug=""):
    """Its gradient, or one with a bug."""
    u = solve_cubic(p)
    by_u = W.T @ (W @ u)
    if bug == "derivative of the residual left out":
        return by_u
    if bug == "multiplied, not divided":
        return by_u * (1 + 3 * u**2)
    if bug == "one Newton step only":
        return by_u / (1 + 3 * p**2)
    return by_u / (1 + 3 * u**2)


def implicit_case():
    """A Newton iteration inside that goes to the end."""
    rng = np.random.default_rng(34)
    return Case("Newton inside", implicit, implicit_gradient, rng.normal(size=6), (rng.normal(size=(4, 6)),))


# A function of the solution of a linear system: the adjoint method.


def adjoint(p, A, b, c):
    """c^T u where (A + diag p) u = b."""
    return c @ np.linalg.solve(A + np.diag(p), b)


def adjoint_gradient(p, A, b, c, bug=""):
    """Its gradient, or one with a bug."""
    K = A + np.diag(p)
    u = np.linalg.solve(K, b)
    dual = np.linalg.solve(K if bug == "matrix not transposed" else K.T, c)
    return dual * u if bug == "sign of the adjoint" else -dual * u


def adjoint_case():
    """The matrix is not symmetric."""
    rng = np.random.default_rng(35)
    A = rng.normal(size=(7, 7)) + 4 * np.eye(7)
    return Case(
        "adjoint of a linear system",
        adjoint,
        adjoint_gradient,
        rng.uniform(0, 1, 7),
        (A, rng.normal(size=7), rng.normal(size=7)),
    )


# An ordinary differential equation by Runge-Kutta, with its sensitivities.


def predator(p, data, steps=40):
    """Lotka-Volterra: p = four logarithms of rates; the cost compares the end of each tenth step."""
    u, total = np.array([1.0, 0.5]), 0.0
    for k in range(steps):
        u = _runge_kutta(u, np.exp(p))
        if k % 10 == 9:
            total += 0.5 * np.sum((u - data[k // 10]) ** 2)
    return total


def predator_gradient(p, data, steps=40, bug=""):
    """Its gradient by tangents of the same scheme, or one with a bug."""
    rates = np.exp(p)
    u, S, g = np.array([1.0, 0.5]), np.zeros((2, 4)), np.zeros(4)
    for k in range(steps):
        u, S = _runge_kutta_with_tangents(u, S, rates, bug)
        if k % 10 == 9:
            g += S.T @ (u - data[k // 10])
    return g if bug == "rates not by their logarithms" else g * rates


def _rhs(u, r):
    return np.array([r[0] * u[0] - r[1] * u[0] * u[1], r[2] * u[0] * u[1] - r[3] * u[1]])


def _rhs_tangent(u, S, r, bug):
    J = np.array([[r[0] - r[1] * u[1], -r[1] * u[0]], [r[2] * u[1], r[2] * u[0] - r[3]]])
    if bug == "jacobian transposed":
        J = J.T
    direct = np.array([[u[0], -u[0] * u[1], 0, 0], [0, 0, u[0] * u[1], -u[1]]])
    return direct if bug == "state held fixed" else J @ S + direct


def _runge_kutta(u, r, h=0.1):
    a = _rhs(u, r)
    b = _rhs(u + h / 2 * a, r)
    c = _rhs(u + h / 2 * b, r)
    d = _rhs(u + h * c, r)
    return u + h / 6 * (a + 2 * b + 2 * c + d)


def _runge_kutta_with_tangents(u, S, r, bug, h=0.1):
    a, A = _rhs(u, r), _rhs_tangent(u, S, r, bug)
    b, B = _rhs(u + h / 2 * a, r), _rhs_tangent(u + h / 2 * a, S + h / 2 * A, r, bug)
    c, C = _rhs(u + h / 2 * b, r), _rhs_tangent(u + h / 2 * b, S + h / 2 * B, r, bug)
    d, D = _rhs(u + h * c, r), _rhs_tangent(u + h * c, S + h * C, r, bug)
    return u + h / 6 * (a + 2 * b + 2 * c + d), S + h / 6 * (A + 2 * B + 2 * C + D)


def predator_case():
    """Forty steps."""
    rng = np.random.default_rng(36)
    data = rng.uniform(0.5, 2, size=(4, 2))
    return Case("Runge-Kutta inside", predator, predator_gradient, np.log([1.0, 0.8, 0.7, 1.1]), (data,))


# Linear algebra.


def log_determinant(A):
    """Of the symmetric part of a positive definite matrix."""
    return np.linalg.slogdet(A)[1]


def log_determinant_gradient(A, bug=""):
    """Its gradient, or one with a bug."""
    inverse = np.linalg.inv(A)
    if bug == "inverse not transposed":
        return inverse
    if bug == "determinant, not its logarithm":
        return np.linalg.det(A) * inverse.T
    return inverse.T.copy()


def log_determinant_case():
    """The matrix is not symmetric."""
    rng = np.random.default_rng(37)
    return Case(
        "log determinant", log_determinant, log_determinant_gradient, rng.normal(size=(5, 5)) + 3 * np.eye(5)
    )


def largest_eigenvalue(A):
    """Of the symmetric part."""
    return np.linalg.eigvalsh((A + A.T) / 2)[-1]


def largest_eigenvalue_gradient(A, bug=""):
    """Its gradient, or one with a bug."""
    _, V = np.linalg.eigh((A + A.T) / 2)
    v = V[:, 0 if bug == "the smallest one's vector" else -1]
    if bug == "row for column":
        v = V[-1]
    if bug == "lower triangle counted twice":
        return np.outer(v, v) * (1 + np.tri(len(v), k=-1))
    return np.outer(v, v)


def largest_eigenvalue_case():
    """Well separated."""
    rng = np.random.default_rng(38)
    return Case(
        "largest eigenvalue",
        largest_eigenvalue,
        largest_eigenvalue_gradient,
        rng.normal(size=(5, 5)),
        (),
        "LAPACK inside",
    )


def procrustes(p, X, Y):
    """A rotation by an angle, a scale, a shift in the plane."""
    c, s = np.cos(p["angle"][0]), np.sin(p["angle"][0])
    e = p["scale"][0] * X @ np.array([[c, -s], [s, c]]).T + p["shift"] - Y
    return 0.5 * np.sum(e**2)


def procrustes_gradient(p, X, Y, bug=""):
    """Its gradient, or one with a bug."""
    c, s = np.cos(p["angle"][0]), np.sin(p["angle"][0])
    R, dR = np.array([[c, -s], [s, c]]), np.array([[-s, -c], [c, -s]])
    if bug == "rotation the other way":
        dR = dR.T
    elif bug == "angle in degrees":
        dR = dR * np.pi / 180
    e = p["scale"][0] * X @ R.T + p["shift"] - Y
    scale = 1.0 if bug == "scale forgotten" else p["scale"][0]
    return {
        "angle": np.array([scale * np.sum(e * (X @ dR.T))]),
        "scale": np.array([np.sum(e * (X @ R.T))]),
        "shift": e.sum(axis=0),
    }


def procrustes_case():
    """Ten points."""
    rng = np.random.default_rng(39)
    p = {"angle": np.array([0.7]), "scale": np.array([1.4]), "shift": np.array([0.3, -2.0])}
    return Case(
        "rotation", procrustes, procrustes_gradient, p, (rng.normal(size=(10, 2)), rng.normal(size=(10, 2)))
    )


BUGS = {
    rosenbrock_by_hand_case: ("overwritten, not added", "last term forgotten", "200 for 400"),
    barrier_case: ("sign of the barrier", "weight of the barrier forgotten", "slack squared"),
    implicit_case: (
        "derivative of the residual left out",
        "multiplied, not divided",
        "one Newton step only",
    ),
    adjoint_case: ("matrix not transposed", "sign of the adjoint"),
    predator_case: ("rates not by their logarithms", "jacobian transposed", "state held fixed"),
    log_determinant_case: ("inverse not transposed", "determinant, not its logarithm"),
    largest_eigenvalue_case: ("the smallest one's vector", "row for column", "lower triangle counted twice"),
    procrustes_case: ("rotation the other way", "angle in degrees", "scale forgotten"),
}
