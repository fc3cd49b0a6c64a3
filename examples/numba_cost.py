"""A cost and a gradient in Numba: checked inside one compiled loop, on all cores.

python examples/numba_cost.py
"""

from __future__ import annotations

import sys

import numba
import numpy as np

import fastgrad


@numba.njit
def cost(x):
    """Springs between neighbours, stretched: sum of (1 - cos d) over differences d."""
    total = 0.0
    for k in range(len(x) - 1):
        total += 1.0 - np.cos(x[k + 1] - x[k])
    return total


@numba.njit
def gradient(x):
    """Each spring pulls at its two ends."""
    g = np.zeros_like(x)
    for k in range(len(x) - 1):
        pull = np.sin(x[k + 1] - x[k])
        g[k + 1] += pull
        g[k] -= pull
    return g


@numba.njit
def careless_gradient(x):
    """The same, but the loop ends one spring too early."""
    g = np.zeros_like(x)
    for k in range(len(x) - 2):
        pull = np.sin(x[k + 1] - x[k])
        g[k + 1] += pull
        g[k] -= pull
    return g


def main():
    """Print both reports; 0 if the last spring alone is called wrong."""
    x = np.random.default_rng(0).normal(size=1000)
    right = fastgrad.check_gradient(cost, gradient, x, n_jobs=-1)
    wrong = fastgrad.check_gradient(cost, careless_gradient, x, n_jobs=-1)
    print(right, wrong, sep="\n\n")
    found = sorted(entry.flat_index for entry in wrong.wrong)
    return 0 if right.passed and right.engine == "compiled" and found == [998, 999] else 1


if __name__ == "__main__":
    sys.exit(main())
