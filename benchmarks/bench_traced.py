"""How many times faster than the textbook loop an unmodified NumPy cost is checked, once it is recorded.

    scripts/bench benchmarks/bench_traced.py

The costs are those of tests/traced_costs at larger sizes. The textbook loop calls the cost twice for each
parameter; it is timed on a sample of them, in turns with whole checks on one and on two workers (everything
included: recording, comparison with the cost, report). `avx512` says whether NumPy had it. Beside them, in
benchmarks of their own: the plain engine, the same network as a fastgrad.Network, what a first check costs,
memory, and torch.compile or a jitted JAX vmap where these are installed.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from measure import in_turns, median_ratio
from traced_peers import differences_by_jax, loop_by_torch

import fastgrad
from fastgrad import Dense, Network, ReLU, SoftmaxCrossEntropy, Tanh
from fastgrad.engines.python import PythonEngine
from fastgrad.engines.traced.choose import recorded_engine
from fastgrad.engines.traced.declined import Declined
from fastgrad.errors import InputError
from fastgrad.execution.workers import one_blas_thread
from fastgrad.problem.parameters import Parameters

TESTS = str(Path(__file__).parents[1] / "tests")
if TESTS not in sys.path:
    sys.path.insert(0, TESTS)

from traced_costs import convolutions, likelihoods, normalised, perceptrons, recurrent  # noqa: E402
from traced_costs.case import Case  # noqa: E402

SAMPLED = 30
"""Coordinates of the textbook loop, and of the plain engine's checks eight times as many."""

SECONDS_OF_A_CHECK = 15.0
"""Where all coordinates would take longer than this, fewer are checked: so many of them as fit."""

GROWS = 8
"""The factor by which coordinates grow while it is found how many fit."""

LONG = 3.0
"""Seconds from which a check is timed once, and not five times."""


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Parameters
    ----------
    make : makes the Case
    goals : by parameters and by nodes
    sizes : of the same network of dense layers, where there is one
    """

    make: Callable[[], Case]
    goals: tuple[str, str]
    sizes: tuple[int, ...] = ()


SMALL, MIDDLE, LARGE = (64, 32, 10), (784, 256, 128, 10), (784, 1024, 1024, 10)
ROWS = {
    "784-256-128-10 tanh": Row(partial(perceptrons.network, MIDDLE, 32), (">= 800", ">= 1,500"), MIDDLE),
    "784-256-128-10 flat": Row(partial(perceptrons.flat_network, MIDDLE, 32), (">= 600", ">= 1,200"), MIDDLE),
    "64-32-10 tanh": Row(partial(perceptrons.network, SMALL, 128), (">= 30", ">= 50"), SMALL),
    "784-1024-1024-10 relu": Row(
        partial(perceptrons.network, LARGE, 32, perceptrons.relu), (">= 1,500", ">= 3,000"), LARGE
    ),
    "conv im2col 8, 16, dense": Row(
        partial(convolutions.by_im2col, 14, (8, 16), 16, 10), (">= 40", "the faster is chosen")
    ),
    "LSTM 20 steps": Row(partial(recurrent.lstm, 20, 16, 32, 64, 8), (">= 10", ">= 20")),
    "transformer block": Row(partial(normalised.transformer, 64, 4, 16, 4, 256), (">= 10", ">= 30")),
    "logistic 100,000 x 300": Row(partial(likelihoods.logistic, 100_000, 300), (">= 50", ">= 100")),
}

TINY = {
    "784-256-128-10 tanh": partial(perceptrons.network, (20, 12, 6, 3), 4),
    "784-256-128-10 flat": partial(perceptrons.flat_network, (20, 12, 6, 3), 4),
    "64-32-10 tanh": partial(perceptrons.network, (8, 4, 3), 4),
    "784-1024-1024-10 relu": partial(perceptrons.network, (20, 16, 16, 3), 4, perceptrons.relu),
    "conv im2col 8, 16, dense": convolutions.by_im2col,
    "LSTM 20 steps": recurrent.lstm,
    "transformer block": normalised.transformer,
    "logistic 100,000 x 300": likelihoods.logistic,
}
"""The same costs, small."""


def has_avx512():
    """Whether NumPy uses AVX-512 here."""
    from numpy._core._multiarray_umath import __cpu_features__

    return bool(__cpu_features__.get("AVX512F", False))


def made(name, tiny):
    """The Case of a row."""
    return TINY[name]() if tiny else ROWS[name].make()


def textbook(case, sample):
    """Central differences of a sample of the parameters, as everybody writes them."""
    parameters = Parameters(case.params)
    blocks = [np.array(leaf) for leaf in parameters.shaped(parameters.leaves)]
    params = parameters.build(blocks)
    at = [(parameters.block_of(int(i)), int(i)) for i in sample]
    by_name = {block.name: leaf for block, leaf in zip(parameters.blocks, blocks, strict=True)}

    def loop():
        for block, i in at:
            flat = by_name[block.name].reshape(-1)
            saved = flat[i - block.start]
            flat[i - block.start] = saved + 1e-5
            case.cost(params, *case.args)
            flat[i - block.start] = saved - 1e-5
            case.cost(params, *case.args)
            flat[i - block.start] = saved

    return loop


def sampled(case, count):
    """So many coordinates drawn at random, or all."""
    size = Parameters(case.params).size
    return np.sort(np.random.default_rng(1).choice(size, min(count, size), replace=False))


def seconds_of(function):
    """What one call takes."""
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def fitting(problem, size, tiny, **options):
    """All coordinates, or as many as fit in SECONDS_OF_A_CHECK by checks of a few."""
    count, took = min(size, 20 if tiny else 200), 0.0
    while count < size and took < SECONDS_OF_A_CHECK / GROWS:
        for _ in range(2):  # the first one compiles and starts workers
            took = seconds_of(partial(fastgrad.check, problem, coordinates=count, n_jobs=2, **options))
        count = min(size, GROWS * count)
    if took * GROWS > SECONDS_OF_A_CHECK:
        count = min(size, int(count / GROWS * max(1, SECONDS_OF_A_CHECK / took)))
    return "all" if count == size or options.get("perturb") == "nodes" else count


@pytest.mark.parametrize("perturb", ["parameters", "nodes"])
@pytest.mark.parametrize("name", ROWS)
def bench_check(benchmark, tiny, name, perturb):
    """A whole check on one and two workers against the textbook loop, per coordinate."""
    case, goal = made(name, tiny), ROWS[name].goals[perturb == "nodes"]
    problem, size = case.right, Parameters(case.params).size
    options = {"perturb": perturb, "engine": "traced" if tiny or perturb == "nodes" else "auto"}
    try:
        count = fitting(problem, size, tiny, **options)
        report = fastgrad.check(problem, coordinates=count, n_jobs=2, **options)
    except InputError as error:
        pytest.skip(f"{name} by {perturb}: {error}")
    sample = sampled(case, 3 if tiny else SAMPLED)

    def whole(n_jobs):
        return lambda: fastgrad.check(problem, coordinates=count, n_jobs=n_jobs, **options)

    turns = {"textbook": textbook(case, sample), "one": whole(1), "two": whole(2)}
    with one_blas_thread():
        seconds = in_turns(turns, 1 if tiny or report.seconds > LONG else 5)
    each = {key: statistics.median(taken) / len(report.indices) for key, taken in seconds.items()}
    each["textbook"] = statistics.median(seconds["textbook"]) / len(sample)
    benchmark.extra_info |= {
        "times_faster_2_workers": each["textbook"] / each["two"],
        "goal": goal,
        "times_faster_1_worker": each["textbook"] / each["one"],
        "microseconds_per_coordinate": each["two"] * 1e6,
        "textbook_microseconds": each["textbook"] * 1e6,
        "coordinates": len(report.indices),
        "all_coordinates": size,
        "seconds_of_a_check": each["two"] * len(report.indices),
        "engine": report.engine,
        "verdict": report.verdict,
        "relative_error": report.relative_error,
        "evaluations": report.evaluations,
        "avx512": has_avx512(),
    }
    benchmark.pedantic(whole(2), rounds=1)


@pytest.mark.parametrize("name", ROWS)
def bench_beside(benchmark, tiny, name):
    """The same coordinates by the plain engine, and the same network as a fastgrad.Network."""
    case = made(name, tiny)
    sample = sampled(case, 3 if tiny else SAMPLED)
    more = sampled(case, 6 if tiny else 8 * SAMPLED)
    turns = {"textbook": textbook(case, sample)}
    counts = {"textbook": len(sample)}
    for workers in (1, 2):
        turns[f"plain_{workers}"] = partial(
            fastgrad.check, case.right, coordinates=more, engine="python", n_jobs=workers
        )
        counts[f"plain_{workers}"] = len(more)
    twin = network_twin(name, tiny)
    if twin is not None:
        for perturb in ("parameters", "nodes"):
            turns[f"network_{perturb}"] = partial(
                fastgrad.check, twin, coordinates=20 if tiny else "all", perturb=perturb, n_jobs=2
            )
            counts[f"network_{perturb}"] = len(turns[f"network_{perturb}"]().indices)
    turns |= optional_peers(case, sample, counts)
    with one_blas_thread():
        seconds = in_turns(turns, 1 if tiny else 3)
    each = {key: statistics.median(taken) / counts[key] for key, taken in seconds.items()}
    for key in turns:
        if key != "textbook":
            benchmark.extra_info[f"{key}_times_textbook"] = each["textbook"] / each[key]
    benchmark.extra_info |= {"textbook_microseconds": each["textbook"] * 1e6, "avx512": has_avx512()}
    benchmark.pedantic(turns["plain_1"], rounds=1)


def network_twin(name, tiny):
    """The same network as a Network's problem."""
    if not ROWS[name].sizes:
        return None
    case = made(name, tiny)
    sizes = ROWS[name].sizes
    if tiny:
        sizes = (case.args[0].shape[1], 4, 10)
    layers = []
    for inputs, outputs in pairwise(sizes):
        layers += [Dense(inputs, outputs), ReLU() if name.endswith("relu") else Tanh()]
    net = Network(layers[:-1], SoftmaxCrossEntropy())
    return net.problem(net.initial_parameters(0), *case.args[:2])


def optional_peers(case, sample, counts):
    """torch.compile of the same cost in a loop, a jitted vmap of a rewritten one: what is installed."""
    found = {}
    for key, prepare in (("torch_compile", loop_by_torch), ("jax_vmap", differences_by_jax)):
        run = prepare(case, sample)
        if run is not None:
            found[key] = run
            counts[key] = len(sample)
    return found


def bench_gaussian_process(benchmark, tiny):
    """200 points and 5 hyperparameters: left to fastgrad, no slower than the plain engine."""
    case = likelihoods.process(12 if tiny else 200)
    compare_with_plain(benchmark, tiny, case, ">= 0.95")


def untraceable_cost(params, X, labels):
    """The network's cost with a plain number in between, which cannot be recorded."""
    return math.log1p(float(perceptrons.network_cost(params, X, labels)))


def untraceable_gradient(params, X, labels):
    """Its gradient."""
    slope = 1 / (1 + perceptrons.network_cost(params, X, labels))
    found = perceptrons.network_gradient(params, X, labels)
    return {name: slope * block for name, block in found.items()}


def bench_untraceable(benchmark, tiny):
    """A cost that cannot be recorded: at most 2% lost against the plain engine."""
    case = perceptrons.network((8, 4, 3) if tiny else SMALL, 4 if tiny else 128)
    case = Case("untraceable", untraceable_cost, untraceable_gradient, case.params, case.args)
    compare_with_plain(benchmark, tiny, case, ">= 0.98")


def compare_with_plain(benchmark, tiny, case, goal):
    """Whole checks with engine="auto" and with engine="python" in turns."""
    with one_blas_thread():
        turns = {
            engine: partial(fastgrad.check, case.right, coordinates="all", engine=engine, n_jobs=1)
            for engine in ("python", "auto")
        }
        report = turns["auto"]()
        seconds = in_turns(turns, 1 if tiny else 15)
    benchmark.extra_info |= {
        "times_plain_1_worker": median_ratio(seconds, "python", "auto"),
        "goal_times_plain": goal,
        "engine": report.engine,
        "milliseconds_of_a_check": statistics.median(seconds["auto"]) * 1e3,
        "avx512": has_avx512(),
    }
    benchmark.pedantic(turns["auto"], rounds=1)


@pytest.mark.parametrize("name", ROWS)
def bench_recording(benchmark, tiny, name):
    """What it takes to record a cost and to trust the tape, in calls of the cost."""
    case = made(name, tiny)
    plain = PythonEngine(case.cost, Parameters(case.params), case.args)
    plain.baseline()
    turns = {
        "recording": lambda: recorded_engine(plain, 0),
        "cost": lambda: case.cost(case.params, *case.args),
    }
    with one_blas_thread():
        try:
            first = seconds_of(turns["recording"])
        except Declined as declined:
            pytest.skip(f"{name}: {declined}")
        seconds = in_turns(turns, 1 if tiny else 5)
    benchmark.extra_info |= {
        "seconds": statistics.median(seconds["recording"]),
        "first_time_seconds": first,
        "calls_of_the_cost": median_ratio(seconds, "recording", "cost"),
        "operations": len(recorded_engine(plain, 0)[0].tape.operations),
    }
    benchmark.pedantic(turns["recording"], rounds=1)


@pytest.mark.parametrize("name", ROWS)
def bench_memory(benchmark, tiny, name):
    """MiB that a whole check allocates at its peak beyond parameters and data, on two workers.

    What is returned grows with the coordinates, and is taken off: index, claim, numeric derivative, bound and
    allowed difference are 40 bytes each.
    """
    case = made(name, tiny)
    count = fitting(case.right, Parameters(case.params).size, tiny)
    tracemalloc.start()
    try:
        report = fastgrad.check(case.right, coordinates=count, n_jobs=2)
        peak = tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()
    returned = 40 * len(report.indices) / 2**20
    benchmark.extra_info |= {
        "peak_MiB": peak - returned,
        "goal_MiB": "<= 256",
        "returned_MiB": returned,
        "parameters_MiB": 8 * Parameters(case.params).size / 2**20,
        "engine": report.engine,
        "coordinates": len(report.indices),
    }
    benchmark.pedantic(lambda: None, rounds=1)


PROGRAM = """
import json, sys, time
began = time.perf_counter()
sys.path.insert(0, sys.argv[1])
import fastgrad
from traced_costs import perceptrons
case = perceptrons.network(*json.loads(sys.argv[2]))
ready = time.perf_counter()
report = fastgrad.check(case.right, engine="traced", coordinates="all", n_jobs=2)
done = time.perf_counter()
fastgrad.check(case.right, engine="traced", coordinates="all", n_jobs=2)
print(json.dumps({"total": done - began, "first": done - ready, "second": time.perf_counter() - done}))
"""


def run_program(sizes, samples, **environment):
    """The program above in a process of its own: what it printed."""
    command = [sys.executable, "-c", PROGRAM, TESTS, json.dumps([sizes, samples])]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | environment)
    return json.loads(done.stdout)


def bench_first_check(benchmark, tiny, tmp_path):
    """Seconds of a first check of 784-256-128-10 in a fresh process: nothing compiled yet, then from disk."""
    sizes, samples = ((20, 12, 3), 4) if tiny else (MIDDLE, 32)
    cold = run_program(sizes, samples, NUMBA_CACHE_DIR=str(tmp_path))
    warm = [run_program(sizes, samples, NUMBA_CACHE_DIR=str(tmp_path)) for _ in range(1 if tiny else 3)]
    benchmark.extra_info |= {
        "cold_first_check_seconds": cold["first"],
        "warm_first_check_seconds": statistics.median(each["first"] for each in warm),
        "second_check_seconds": statistics.median(each["second"] for each in warm),
        "warm_seconds": statistics.median(each["total"] for each in warm),
    }
    benchmark.pedantic(lambda: None, rounds=1)
