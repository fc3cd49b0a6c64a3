"""What each further worker brings, and whether a coordinate costs the same however many parameters there are.

scripts/bench benchmarks/bench_scaling.py
"""

from __future__ import annotations

import os
import statistics

import numba
import numpy as np
import pytest
from measure import in_turns, median_ratio

import fastgrad
from fastgrad.cli.bench.measure import rows_of, worker_counts
from fastgrad.cli.bench.problems import PROBLEMS
from fastgrad.differences.plan import make_plan
from fastgrad.differences.stencils import CENTRAL
from fastgrad.engines.compiled import CompiledEngine
from fastgrad.engines.python import PythonEngine
from fastgrad.execution.workers import one_blas_thread
from fastgrad.problem.parameters import Parameters

WORKERS = worker_counts(os.cpu_count() or 1)
COUNT = 200
SMALLEST = 100
SIZES = [10**2, 10**3, 10**4, 10**5, 10**6, 10**7, 10**8]


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("engine", PROBLEMS)
def bench_workers(benchmark, tiny, engine, workers):
    """An engine on its built-in problem (fastgrad/cli/bench/problems.py), many workers in turns with one."""
    timed = PROBLEMS[engine]()
    if timed is None:
        pytest.skip("compiling is disabled: the compiled engine has nothing to run")
    counts = [1] if workers == 1 else [1, workers]
    with one_blas_thread():
        row = rows_of(engine, timed, counts, 0.02 if tiny else 1.5, rounds=1 if tiny else 7)[-1]
    benchmark.extra_info |= {
        "workers": workers,
        "coordinates_per_second": row.coordinates_per_second,
        "evaluations_per_second": row.evaluations_per_second,
    }
    if row.share_of_peak is not None:
        benchmark.extra_info["share_of_peak"] = row.share_of_peak
    if workers > 1:
        benchmark.extra_info |= {"efficiency": row.efficiency, "goal": ">= 0.92"}
    benchmark.pedantic(lambda: None, rounds=1)


def one_entry(x):
    """A cost whose price does not depend on n."""
    return x[0] * 1.0


ENGINES = {
    "python": lambda x: PythonEngine(one_entry, Parameters(x)),
    "compiled": lambda x: CompiledEngine(numba.njit(one_entry), Parameters(x)),
}


def plan_in(n):
    """A plan of 200 coordinates all over a vector of n; of 100, all of them twice."""
    rng = np.random.default_rng(0)
    indices = np.sort(rng.choice(n, COUNT, replace=n < COUNT)).astype(np.intp)
    return lambda engine: make_plan(engine.parameters, indices, CENTRAL)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("engine", ENGINES)
def bench_size(benchmark, tiny, engine, n):
    """200 coordinates of n, by engine alone: their price over that of 200 in a vector of 100."""
    n = min(n, 10**5) if tiny else n
    run = {}
    for name, size in (("this", n), ("smallest", SMALLEST)):
        one = ENGINES[engine](np.ones(size))
        one.baseline()
        plan = plan_in(size)(one)
        run[name] = lambda one=one, plan=plan: one.values(plan.indices, plan.displacements)
        run[name]()
    seconds = in_turns(run, 3 if tiny else 101)
    benchmark.extra_info |= {
        "price_over_smallest": median_ratio(seconds, "this", "smallest"),
        "goal": "<= 1.5",
        "microseconds_per_coordinate": statistics.median(seconds["this"]) / COUNT * 1e6,
    }
    benchmark.pedantic(run["this"], rounds=3)


@pytest.mark.parametrize("n", SIZES)
def bench_check_of_a_subset(benchmark, tiny, n):
    """A whole check of 200 coordinates of n: its seconds, and how many times it takes to copy the vector."""
    n = min(n, 10**5) if tiny else n
    x, g = np.ones(n), np.zeros(n)
    g[0] = 1.0
    indices = np.unique(np.random.default_rng(0).choice(n, COUNT, replace=n < COUNT))

    def check():
        return fastgrad.check_gradient(one_entry, g, x, coordinates=indices)

    assert check().passed
    seconds = in_turns({"check": check, "copy": x.copy}, 1 if tiny else 5)
    benchmark.extra_info |= {
        "seconds": statistics.median(seconds["check"]),
        "copies_of_the_vector": median_ratio(seconds, "check", "copy"),
        "microseconds_per_coordinate": statistics.median(seconds["check"]) / len(indices) * 1e6,
    }
    benchmark.pedantic(check, rounds=1)
