"""How far right gradients are seen, by the precision of the cost: the table of docs/limits.md.

scripts/resolutions [--seeds N] [--markdown]

Each kind of cost is checked with several seeds. "seen to" is report.resolution, the share of itself to which
every coordinate was seen that is large enough. "too small" is the share of the coordinates that are not;
"together" is the share of the whole gradient to which they are right at worst.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq

import fastgrad
from fastgrad.report.plain_table import plain_table


@dataclass(frozen=True)
class Problem:
    """A cost, its gradient, and parameters."""

    cost: Callable[..., Any]
    gradient: Callable[..., Any]
    params: Any
    args: tuple[Any, ...] = ()


# Regression and networks, in the dtype of their parameters and data


def regression(w, X, y):
    """The mean loss of a logistic regression with labels of -1 and 1."""
    return np.mean(np.logaddexp(w.dtype.type(0), -y * (X @ w)))


def regression_gradient(w, X, y):
    """Its gradient."""
    return X.T @ (-y / (1 + np.exp(y * (X @ w)))) / X.dtype.type(len(y))


def regression_of(seed: int, dtype: Any) -> Problem:
    """Ten weights and 200 samples."""
    rng = np.random.default_rng(seed)
    X, w = rng.normal(size=(200, 10)), rng.normal(size=10)
    y = np.sign(X @ rng.normal(size=10) + rng.normal(size=200))
    return Problem(regression, regression_gradient, w.astype(dtype), (X.astype(dtype), y.astype(dtype)))


def forward(p, X, relu):
    """Hidden units and logarithms of the outputs' probabilities."""
    z = X @ p["W1"] + p["b1"]
    a = np.maximum(z, 0) if relu else np.tanh(z)
    o = a @ p["W2"] + p["b2"]
    o = o - o.max(axis=1, keepdims=True)
    return a, o - np.log(np.exp(o).sum(axis=1, keepdims=True))


def network(p, X, y, relu):
    """The mean cross entropy of a network with one hidden layer."""
    return -forward(p, X, relu)[1][np.arange(len(y)), y].mean()


def network_gradient(p, X, y, relu):
    """Its gradient by back-propagation."""
    a, log = forward(p, X, relu)
    d = np.exp(log)
    d[np.arange(len(y)), y] -= 1
    d /= d.dtype.type(len(y))
    back = d @ p["W2"].T * ((a > 0) if relu else 1 - a**2)
    return {"W1": X.T @ back, "b1": back.sum(axis=0), "W2": a.T @ d, "b2": d.sum(axis=0)}


def network_of(seed: int, dtype: Any, relu: bool, sizes: tuple[int, int, int] = (64, 32, 10)) -> Problem:
    """64-32-10 and 128 samples: 2,410 weights."""
    rng = np.random.default_rng(seed)
    inputs, hidden, classes = sizes
    params = {
        "W1": rng.normal(size=(inputs, hidden)) * np.sqrt(2 / inputs),
        "b1": 0.1 * rng.normal(size=hidden),
        "W2": rng.normal(size=(hidden, classes)) * np.sqrt(2 / hidden),
        "b2": 0.1 * rng.normal(size=classes),
    }
    X, y = rng.normal(size=(128, inputs)).astype(dtype), rng.integers(0, classes, 128)
    params = {name: value.astype(dtype) for name, value in params.items()}
    return Problem(network, network_gradient, params, (X, y, relu))


# Costs with an iteration inside; gradients are those of what it would find if it went on for ever


def fixed_point(p, A, t, tolerance):
    """Half the squared distance of u = tanh(A u + p) / 2 from t, u by iteration until it moves less."""
    u = np.zeros_like(p)
    for _ in range(1000):
        new = np.tanh(A @ u + p) / 2
        done = np.abs(new - u).max() <= tolerance
        u = new
        if done:
            break
    return 0.5 * np.sum((u - t) ** 2)


def fixed_point_gradient(p, A, t, tolerance):
    """By the implicit function theorem, at a u that went on to rounding."""
    u = np.zeros_like(p)
    for _ in range(1000):
        u = np.tanh(A @ u + p) / 2
    slope = (1 - 4 * u**2) / 2
    return slope * np.linalg.solve(np.eye(len(p)) - A.T * slope, u - t)


def fixed_point_of(seed: int, tolerance: float) -> Problem:
    """Ten parameters."""
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(10, 10)) / 4
    p, t = rng.normal(size=10), rng.normal(size=10)
    return Problem(fixed_point, fixed_point_gradient, p, (A, t, tolerance))


def root(p, t, tolerance):
    """Half the squared distance of the roots of u + u^3 = p from t, by Brent's method."""
    u = [brentq(lambda u, q=q: u + u**3 - q, -5.0, 5.0, xtol=tolerance, rtol=8.9e-16) for q in p]
    return 0.5 * np.sum((np.array(u) - t) ** 2)


def root_gradient(p, t, tolerance):
    """Its gradient."""
    u = np.array([brentq(lambda u, q=q: u + u**3 - q, -5.0, 5.0, xtol=1e-15) for q in p])
    return (u - t) / (1 + 3 * u**2)


def root_of(seed: int, tolerance: float) -> Problem:
    """Six parameters."""
    rng = np.random.default_rng(seed)
    return Problem(root, root_gradient, rng.uniform(0.4, 2.0, 6), (rng.normal(size=6), tolerance))


Make = Callable[[int], Problem]

KINDS: dict[str, tuple[Make, ...]] = {
    "float64: regression, networks": (
        lambda seed: regression_of(seed, np.float64),
        lambda seed: network_of(seed, np.float64, relu=False),
        lambda seed: network_of(seed, np.float64, relu=True),
    ),
    "float32: regression": (lambda seed: regression_of(seed, np.float32),),
    "float32: tanh network": (lambda seed: network_of(seed, np.float32, relu=False),),
    "float32: relu network": (lambda seed: network_of(seed, np.float32, relu=True),),
    "iterations inside to 1e-8": (
        lambda seed: fixed_point_of(seed, 1e-8),
        lambda seed: root_of(seed, 1e-8),
    ),
    "iterations inside to 1e-4": (
        lambda seed: fixed_point_of(seed, 1e-4),
        lambda seed: root_of(seed, 1e-4),
    ),
}


def checked(problem: Problem) -> fastgrad.Report:
    """The report on all coordinates of a problem."""
    return fastgrad.check_gradient(
        problem.cost, problem.gradient, problem.params, args=problem.args, coordinates="all"
    )


def row(name: str, makers: tuple[Make, ...], seeds: int) -> Iterator[str]:
    """The cells of one kind of cost."""
    reports = [checked(make(seed)) for make in makers for seed in range(seeds)]
    verdicts = [report.verdict for report in reports]
    seen = np.array([report.resolution for report in reports])
    seen = seen[np.isfinite(seen)]
    small = sum(report.seen.small for report in reports) / sum(len(report.indices) for report in reports)
    together = max(report.seen.together for report in reports)
    yield name
    yield " / ".join(str(verdicts.count(verdict)) for verdict in ("agree", "undecided", "disagree"))
    yield f"{np.median(seen):.0e}" if len(seen) else ""
    yield f"{seen.max():.0e}" if len(seen) else ""
    yield f"{100 * small:.0f}%" if small else ""
    yield f"{together:.0e}" if together else ""


HEADS = ("cost", "agree / undecided / disagree", "seen to, median", "at worst", "too small", "together")


def markdown(rows: list[tuple[str, ...]]) -> str:
    """The table as a page has it."""
    rule = ("---", *["---:"] * (len(HEADS) - 1))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (HEADS, rule, *rows))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=10, help="right gradients of each kind")
    parser.add_argument("--markdown", action="store_true", help="as docs/limits.md has it")
    chosen = parser.parse_args()
    rows = [tuple(row(name, makers, chosen.seeds)) for name, makers in KINDS.items()]
    print(markdown(rows) if chosen.markdown else plain_table(HEADS, rows, right=range(1, len(HEADS))))


if __name__ == "__main__":
    main()
