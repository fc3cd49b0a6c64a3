"""Jacobians and products with them: evaluations of the function, and time beside plain differences.

scripts/bench benchmarks/bench_vector.py
"""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from measure import in_turns, median_ratio
from scipy import sparse
from vector_cases import chain, chain_jacobian

import fastgrad
from fastgrad.coordinates.measurement import Coordinates


class Counted:
    """A function that counts its calls, and those before the first coordinate is measured."""

    def __init__(self, function):
        self.function, self.calls, self.set_up = function, 0, 0

    def __call__(self, x):
        """The function's outputs."""
        self.calls += 1
        return self.function(x)


@pytest.fixture
def set_up_of(monkeypatch):
    """A function that has `set_up` of a Counted told when the first coordinates are measured."""

    def watch(counted):
        screen = Coordinates._screen

        def seen(self, *given):
            counted.set_up = counted.set_up or counted.calls
            return screen(self, *given)

        monkeypatch.setattr(Coordinates, "_screen", seen)

    return watch


@pytest.mark.parametrize("case", ["right", "missing", "wrong"])
def bench_tridiagonal(benchmark, tiny, set_up_of, case):
    """A tridiagonal Jacobian of 10^5 rows: right, with one nonzero left out, with one off by 0.1%."""
    n = 1000 if tiny else 100_000
    x = np.random.default_rng(2).normal(size=n)
    claimed = sparse.lil_array(chain_jacobian(x))
    at = (n // 2, n // 2 + 1)
    claimed[at] = {"right": claimed[at], "missing": 0.0, "wrong": 1.001 * claimed[at]}[case]
    claimed = claimed.tocsr()
    claimed.eliminate_zeros()
    counted = Counted(chain)
    set_up_of(counted)

    report = fastgrad.check_jacobian(counted, claimed, x)

    assert report.verdict == ("agree" if case == "right" else "disagree")
    if case != "right":
        assert [(e.output_index, e.flat_index) for e in report.entries] == [at]
    benchmark.extra_info |= {
        "rows": n,
        "evaluations_of_the_function": counted.calls,
        "beyond_set_up": counted.calls - counted.set_up,
    }
    if case == "right":
        benchmark.extra_info |= {"goal": "beyond_set_up < 40"}
    benchmark.pedantic(fastgrad.check_jacobian, args=(chain, claimed, x), rounds=1 if tiny else 3)


@pytest.mark.parametrize("case", ["elementwise", "dense"])
def bench_product(benchmark, tiny, case):
    """A vjp of R^2000 -> R^2000 by places, and a dense one of R^300 -> R^300, beside plain differences."""
    rng = np.random.default_rng(0)
    n = 50 if tiny else {"elementwise": 2000, "dense": 300}[case]
    x, A = rng.normal(size=n), rng.normal(size=(n, n)) / np.sqrt(n)
    function, vjp = {
        "elementwise": (np.tanh, lambda x, u: u * (1 - np.tanh(x) ** 2)),
        "dense": (lambda x: np.tanh(A @ x), lambda x, u: A.T @ (u * (1 - np.tanh(A @ x) ** 2))),
    }[case]

    def loop():
        """The claimed Jacobian by rows, the numeric one by columns, as torch's slow mode has them."""
        claimed = np.array([vjp(x, row) for row in np.eye(n)])
        columns = [(function(x + h) - function(x - h)) / 2e-6 for h in 1e-6 * np.eye(n)]
        return np.allclose(claimed, np.transpose(columns), atol=1e-5, rtol=1e-3)

    def check():
        return fastgrad.check_vjp(function, vjp, x)

    assert check().verdict == "agree"
    assert loop()
    seconds = in_turns({"fastgrad": check, "loop": loop}, 1 if tiny else 7)
    peaks = {}
    for name, run in (("fastgrad", check), ("loop", loop)):
        tracemalloc.start()
        run()
        peaks[name] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    benchmark.extra_info |= {
        "times_a_plain_loop": median_ratio(seconds, "loop", "fastgrad"),
        "memory_of_the_loop_over_ours": peaks["loop"] / peaks["fastgrad"],
    }
    benchmark.pedantic(check, rounds=1)
