"""What an evaluation costs beyond the user's own function, and what a second worker brings.

scripts/bench benchmarks/bench_engines.py
"""

from __future__ import annotations

import statistics
import time

import numba
import numpy as np
import pytest
from measure import in_turns, median_ratio

import fastgrad
from fastgrad.differences.plan import make_plan
from fastgrad.differences.stencils import CENTRAL
from fastgrad.engines.batched import BatchedEngine
from fastgrad.engines.compiled import CompiledEngine
from fastgrad.engines.python import PythonEngine
from fastgrad.execution.evaluate import evaluate
from fastgrad.execution.run import Run
from fastgrad.preflight.cost import check_cost
from fastgrad.problem.parameters import Parameters


def first_entry(x):
    """The cheapest cost there is: what is left of the time is the engine's."""
    return x[0] * 1.0


@numba.njit
def rosenbrock(x):
    """A chained Rosenbrock function: a cost without BLAS."""
    total = 0.0
    for i in range(x.size - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


def rosenbrock_gradient(x):
    """Its gradient."""
    g = np.zeros_like(x)
    g[:-1] += -400.0 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2 * (1 - x[:-1])
    g[1:] += 200.0 * (x[1:] - x[:-1] ** 2)
    return g


@numba.njit(nogil=True)
def handwritten(x, indices, h, out):
    """The loop somebody would write by hand around that cost."""
    for k in range(indices.size):
        i = indices[k]
        saved = x[i]
        x[i] = saved + h
        above = rosenbrock(x)
        x[i] = saved - h
        below = rosenbrock(x)
        x[i] = saved
        out[k] = (above - below) / (2 * h)


def tanh_batch(batch):
    """A cost of a batch (k, n) -> (k,)."""
    return np.tanh(batch).sum(axis=1)


def five_milliseconds(x):
    """A cost that keeps one core busy for 5 ms."""
    began = time.perf_counter()
    while time.perf_counter() - began < 5e-3:
        pass
    return float(x @ x)


def plan_of(x, count):
    """A central-difference plan of the first coordinates."""
    return make_plan(Parameters(x), np.arange(count), CENTRAL)


@pytest.mark.parametrize("n", [2_410, 100_000, 10_000_000])
def bench_python_overhead(benchmark, tiny, n):
    """Seconds per evaluation of the python engine beyond the function itself, for any n."""
    count = 50 if tiny else 2_410
    x = np.ones(n)
    plan = plan_of(x, count)
    engine = PythonEngine(first_entry, Parameters(x))
    engine.baseline()

    def bare():
        for _ in range(2 * count):
            first_entry(x)

    def by_engine():
        engine.values(plan.indices, plan.displacements)

    seconds = in_turns({"bare": bare, "engine": by_engine}, 3 if tiny else 51)
    beyond = statistics.median(e - b for e, b in zip(seconds["engine"], seconds["bare"], strict=True))
    benchmark.extra_info |= {"overhead_microseconds": beyond / (2 * count) * 1e6, "goal": "<= 3"}
    benchmark.pedantic(by_engine, rounds=3)


def bench_compiled_against_handwritten(benchmark, tiny):
    """The compiled engine's speed as a share of a hand-written serial loop over the same cost."""
    n = 200 if tiny else 2_410
    x = np.linspace(-1, 1, n)
    plan = plan_of(x, n)
    engine = CompiledEngine(rosenbrock, Parameters(x))
    engine.baseline()
    mine, out = x.copy(), np.empty(n)
    handwritten(mine, plan.indices, plan.steps[0], out)

    def by_hand():
        handwritten(mine, plan.indices, plan.steps[0], out)

    def by_engine():
        engine.values(plan.indices, plan.displacements)

    seconds = in_turns({"hand": by_hand, "engine": by_engine}, 3 if tiny else 31)
    benchmark.extra_info |= {
        "speed_against_handwritten": median_ratio(seconds, "hand", "engine"),
        "goal": ">= 0.95",
        "evaluations_per_second": 2 * n / statistics.median(seconds["engine"]),
        "relative_error": fastgrad.relative_error(out, rosenbrock_gradient(x)),
    }
    benchmark.pedantic(by_engine, rounds=3)


def speedup(benchmark, engine, x, count, rounds, goal):
    """Run a plan with 1 and with 2 workers in turns, and record the speed-up."""
    plan = plan_of(x, count)
    seconds_each = check_cost(engine).seconds

    def with_workers(n_jobs):
        run = evaluate(engine, plan.indices, plan.displacements, Run(n_jobs=n_jobs), seconds=seconds_each)
        assert run.n_jobs == n_jobs or not rounds > 1, "the work is too short for two workers"

    with_workers(2)  # starts joblib's workers, which stay for the next run
    seconds = in_turns({"one": lambda: with_workers(1), "two": lambda: with_workers(2)}, rounds)
    benchmark.extra_info |= {
        "speedup_2_workers": median_ratio(seconds, "one", "two"),
        "goal": goal,
        "seconds_one": statistics.median(seconds["one"]),
        "evaluations": plan.evaluations,
    }
    benchmark.pedantic(with_workers, args=(2,), rounds=1)


def bench_compiled_two_workers(benchmark, tiny):
    """A Numba cost without BLAS on two workers against one."""
    x = np.linspace(-1, 1, 500 if tiny else 30_000)
    engine = CompiledEngine(rosenbrock, Parameters(x))
    speedup(benchmark, engine, x, len(x), 1 if tiny else 7, ">= 1.85")


def bench_batched_two_workers(benchmark, tiny):
    """A vectorized cost on two workers against one."""
    x = np.linspace(-1, 1, 200 if tiny else 10_000)
    engine = BatchedEngine(tanh_batch, Parameters(x))
    speedup(benchmark, engine, x, len(x), 1 if tiny else 7, "none set")


def bench_python_5ms_two_workers(benchmark, tiny):
    """A Python cost of 5 ms on two workers, already started, against one."""
    x = np.linspace(-1, 1, 4 if tiny else 800)
    engine = PythonEngine(five_milliseconds, Parameters(x))
    speedup(benchmark, engine, x, len(x), 1 if tiny else 3, ">= 1.85")


def bench_numba_cost_called_from_python(benchmark, tiny):
    """What compiling the loop brings over calling the same compiled cost from Python."""
    n = 50 if tiny else 256
    x = np.linspace(-1, 1, n)
    plan = plan_of(x, n)
    engines = {
        "python": PythonEngine(rosenbrock, Parameters(x)),
        "compiled": CompiledEngine(rosenbrock, Parameters(x)),
    }
    for engine in engines.values():
        engine.baseline()
    run = {k: (lambda e=e: e.values(plan.indices, plan.displacements)) for k, e in engines.items()}
    seconds = in_turns(run, 3 if tiny else 51)
    benchmark.extra_info["compiled_times_faster"] = median_ratio(seconds, "python", "compiled")
    benchmark.pedantic(run["compiled"], rounds=3)
