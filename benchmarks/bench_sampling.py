"""What a subset and a random direction cost beside the evaluations that they ask for.

    scripts/bench benchmarks/bench_sampling.py

What a search finds and takes is in bench_locate.py, what a subset and a certificate promise is tested
(tests/test_guarantees.py, tests/test_certificate.py); here is what fastgrad adds to the cost's own price.
"""

from __future__ import annotations

import statistics

import numpy as np
import pytest
from measure import in_turns

import fastgrad
from fastgrad.engines.directional import Direction, DirectionalEngine, Tangent
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.regions import Region
from fastgrad.sampling.selection import choose_coordinates

SIZES = [10**4, 10**6, 10**8]
COUNT = 1000


@pytest.mark.parametrize("draw", ["uniform", "importance"])
@pytest.mark.parametrize("n", SIZES)
def bench_draw(benchmark, tiny, n, draw):
    """Choosing 1,000 coordinates of a matrix of n: seconds, and those over what copying the matrix takes."""
    n = min(n, 10**4) if tiny else n
    x = np.ones((n // 100, 100))
    parameters, gradient = Parameters(x), [np.linspace(-1, 1, x.size)]

    def choose():
        return choose_coordinates(COUNT, parameters, 0, gradient, draw)

    chosen, coverage = choose()
    assert coverage.drawn is not None
    seconds = in_turns({"choose": choose, "copy": x.copy}, 1 if tiny else 7)
    taken = statistics.median(seconds["choose"])
    benchmark.extra_info |= {
        "seconds": taken,
        "copies_of_the_vector": taken / statistics.median(seconds["copy"]),
        "coordinates_per_second": len(chosen) / taken,
    }
    benchmark.pedantic(choose, rounds=1)


@pytest.mark.parametrize("n", SIZES)
def bench_direction(benchmark, tiny, n):
    """One evaluation along a random direction of n parameters, of a cost that looks at one of them."""
    n = min(n, 10**4) if tiny else n
    parameters = Parameters(np.ones(n))
    engine = DirectionalEngine(lambda x: x[0] * 1.0, parameters, (), Tangent(1.0, [np.zeros(n)]))
    engine.baseline()
    numbers, offsets = engine.add(Direction(7, Region.whole(parameters))), np.array([[1e-6]])
    engine.values(numbers, offsets)  # compiles

    def along():
        engine.values(numbers, offsets)

    seconds = in_turns({"along": along, "copy": parameters.leaves[0].copy}, 3 if tiny else 9)
    taken = statistics.median(seconds["along"])
    benchmark.extra_info |= {
        "ns_per_element": taken / n * 1e9,
        "copies_of_the_vector": taken / statistics.median(seconds["copy"]),
        "evaluations_per_second": 1 / taken,
    }
    benchmark.pedantic(along, rounds=1)


@pytest.mark.parametrize("probes", [0, 20])
def bench_subset_with_certificate(benchmark, tiny, probes):
    """A whole check of 1,000 of 204,800 parameters of a NumPy cost, over its evaluations alone."""
    rng = np.random.default_rng(0)
    width = 64 if tiny else 1024
    X, W = rng.normal(size=(32, 200)), rng.normal(size=(200, width)) / 15

    def cost(w):
        return 0.5 * float(np.sum(np.tanh(X @ w) ** 2))

    a = np.tanh(X @ W)
    claim = X.T @ (a * (1 - a * a))
    count = 50 if tiny else COUNT

    def check():
        return fastgrad.check_gradient(cost, claim, W, coordinates=count, probes=probes or None)

    report = check()
    assert report.passed

    def bare():
        for _ in range(report.evaluations):
            cost(W)

    seconds = in_turns({"check": check, "bare": bare}, 1 if tiny else 5)
    taken = statistics.median(seconds["check"])
    benchmark.extra_info |= {
        "price_over_the_cost_alone": taken / statistics.median(seconds["bare"]),
        "evaluations": report.evaluations,
        "evaluations_per_second": report.evaluations / taken,
        "relative_error": report.relative_error,
    }
    benchmark.pedantic(check, rounds=1)
