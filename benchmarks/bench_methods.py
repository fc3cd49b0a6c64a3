"""What each difference formula takes, and what it reaches, on networks of several sizes.

scripts/bench benchmarks/bench_methods.py
"""

from __future__ import annotations

import statistics

import numpy as np
import pytest
from measure import in_turns, median_ratio
from peers.case import Case

import fastgrad
from fastgrad.differences.stencils import STENCILS

SIZES = {"16-8-4": ((16, 8, 4), 32), "64-32-10": ((64, 32, 10), 128), "256-64-10": ((256, 64, 10), 64)}
MOST = 1000
"""Coordinates that are checked of a larger network."""


@pytest.mark.parametrize("method", STENCILS)
@pytest.mark.parametrize("network", SIZES)
def bench_method(benchmark, tiny, network, method):
    """A whole check of a NumPy cost by one formula, in turns with one by central differences."""
    case = Case(*SIZES[network])
    count = 20 if tiny else min(MOST, len(case.x))
    indices = np.sort(np.random.default_rng(0).choice(len(case.x), count, replace=False))

    def by(formula):
        options = {"coordinates": indices, "method": formula}
        return fastgrad.check_gradient(case.formula.cost, case.truth, case.x, **options)

    report = by(method)
    assert report.verdict != "disagree"
    seconds = in_turns({"this": lambda: by(method), "central": lambda: by("central")}, 1 if tiny else 5)
    taken = statistics.median(seconds["this"])
    benchmark.extra_info |= {
        "price_over_central": median_ratio(seconds, "this", "central"),
        "coordinates_per_second": count / taken,
        "evaluations_per_second": report.evaluations / taken,
        "evaluations_each": report.evaluations / count,
        "relative_error": report.relative_error,
        "undecided": len(report.undecided),
    }
    benchmark.pedantic(by, args=(method,), rounds=1)
