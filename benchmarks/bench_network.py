"""How many times faster than the textbook loop a network's gradient is checked.

    scripts/bench benchmarks/bench_network.py

The textbook loop makes two full NumPy forward passes for each parameter; it is timed on a sample of them, in
turns with whole checks on two workers (everything included: plan, reference gradient, report). The relative
error shows that fast is not wrong.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys

import numpy as np
import pytest
from measure import in_turns

import fastgrad
from fastgrad import (
    AvgPool2D,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    LayerNorm,
    MaxPool2D,
    Network,
    ReLU,
    Residual,
    SoftmaxCrossEntropy,
    Tanh,
)
from fastgrad.cli.bench.problems import flops_of_a_weight
from fastgrad.differences.plan import make_plan
from fastgrad.differences.stencils import CENTRAL
from fastgrad.engines.network.engine import NetworkEngine
from fastgrad.execution.evaluate import evaluate
from fastgrad.execution.run import Run
from fastgrad.execution.workers import one_blas_thread
from fastgrad.problem.parameters import Parameters


def mlp(sizes, activation):
    """Dense layers of these sizes with an activation between."""
    layers = []
    for k in range(len(sizes) - 1):
        layers += [Dense(sizes[k], sizes[k + 1]), activation]
    return Network(layers[:-1], SoftmaxCrossEntropy())


CONV = Network(
    [
        Conv2D(1, 16, 3, padding=1),
        Tanh(),
        Conv2D(16, 32, 3, padding=1),
        Tanh(),
        MaxPool2D(2),
        Flatten(),
        Dense(6272, 10),
    ],
    SoftmaxCrossEntropy(),
)

CONV_NORM = Network(
    [
        *(Conv2D(1, 8, 3, padding=1), BatchNorm(8), ReLU(), AvgPool2D(2)),
        *(Conv2D(8, 16, 3, padding=1), BatchNorm(16), ReLU(), MaxPool2D(2)),
        *(Flatten(), Dense(784, 10)),
    ],
    SoftmaxCrossEntropy(),
)


def with_layers(*between):
    """64-64-64-10 with these after each of the first two dense layers."""
    layers = [Dense(64, 64), *between, Dense(64, 64), *between, Dense(64, 10)]
    return Network(layers, SoftmaxCrossEntropy())


BRANCH = Residual([Dense(64, 64), Tanh(), Dense(64, 64)])
TOKENS = [Embedding(500, 16), Flatten(), Dense(128, 32), Tanh(), Dense(32, 10)]
OTHERS = {
    "batch norm": (with_layers(BatchNorm(64), Tanh()), (64,)),
    "layer norm": (with_layers(LayerNorm(64), Tanh()), (64,)),
    "dropout": (with_layers(Tanh(), Dropout(0.3)), (64,)),
    "residual": (Network([Dense(64, 64), Tanh(), BRANCH, Dense(64, 10)], SoftmaxCrossEntropy()), (64,)),
    "embedding": (Network(TOKENS, SoftmaxCrossEntropy()), (8,)),
    "conv, batch norm, pools": (CONV_NORM, (1, 28, 28)),
}
"""Other layers than those of the four networks: 64 samples, or 16 images."""

# name: network, shape of a sample, samples, coordinates of one check by parameters (None for all), and the
# goals by parameters and by nodes
CASES = {
    "64-32-10 tanh": (mlp((64, 32, 10), Tanh()), (64,), 128, None, ">= 60", ">= 100"),
    "784-256-128-10 tanh": (mlp((784, 256, 128, 10), Tanh()), (784,), 32, None, ">= 120", ">= 5,000"),
    "784-1024-1024-10 relu": (
        mlp((784, 1024, 1024, 10), ReLU()),
        (784,),
        32,
        None,
        ">= 120",
        ">= 5,000",
    ),
    "conv 16, conv 32, pool, dense": (CONV, (1, 28, 28), 16, None, ">= 40", "the faster is chosen"),
}


def batch_of(net, shape, samples):
    """Parameters and a batch of normal inputs with random labels."""
    rng = np.random.default_rng(0)
    tokens = isinstance(net.layers[0], Embedding)
    X = rng.integers(0, 500, (samples, *shape)) if tokens else rng.normal(size=(samples, *shape))
    return net.initial_parameters(0), X, rng.integers(0, 10, samples)


@pytest.mark.parametrize("perturb", ["parameters", "auto"])
@pytest.mark.parametrize("name", CASES)
def bench_check(benchmark, tiny, name, perturb):
    """A check on two workers against the textbook loop, per coordinate; "auto" takes nodes if fewer."""
    net, shape, samples, count, *goals = CASES[name]
    goal = goals[perturb == "auto"]
    count = count if perturb == "parameters" else None
    compare(benchmark, tiny, net, batch_of(net, shape, samples), goal, perturb, count)


@pytest.mark.parametrize("name", OTHERS)
def bench_other_layers(benchmark, tiny, name):
    """The same for layers that are not dense, by parameters."""
    net, shape = OTHERS[name]
    batch = batch_of(net, shape, 16 if len(shape) == 3 else 64)
    compare(benchmark, tiny, net, batch, ">= 10", "parameters", None)


def compare(benchmark, tiny, net, batch, goal, perturb, count):
    """Time a whole check and the textbook loop in turns, and write down what came of it."""
    params, X, Y = batch
    problem = net.problem(params, X, Y)
    coordinates = 50 if tiny else "all" if count is None else count
    sample = np.random.default_rng(1).choice(Parameters(params).size, 3 if tiny else 30, replace=False)
    report = fastgrad.check(problem, coordinates=coordinates, perturb=perturb, n_jobs=2)  # compiles

    def textbook():
        leaves = {name: block.reshape(-1) for name, block in params.items()}
        parameters = Parameters(params)
        for i in sample:
            block = parameters.block_of(int(i))
            flat, at = leaves[block.name], i - block.start
            saved = flat[at]
            flat[at] = saved + 1e-5
            net.cost(params, X, Y)
            flat[at] = saved - 1e-5
            net.cost(params, X, Y)
            flat[at] = saved

    def whole_check():
        fastgrad.check(problem, coordinates=coordinates, perturb=perturb, n_jobs=2)

    seconds = in_turns({"textbook": textbook, "check": whole_check}, 1 if tiny else 5)
    each = {
        "textbook": statistics.median(seconds["textbook"]) / len(sample),
        "check": statistics.median(seconds["check"]) / len(report.indices),
    }
    benchmark.extra_info |= {
        "times_faster_2_workers": each["textbook"] / each["check"],
        "goal": goal,
        "microseconds_per_coordinate": each["check"] * 1e6,
        "textbook_microseconds": each["textbook"] * 1e6,
        "coordinates": len(report.indices),
        "evaluations": report.evaluations,
        "relative_error": report.relative_error,
    }
    benchmark.pedantic(whole_check, rounds=1)


def bench_parallel_efficiency(benchmark, tiny):
    """First-layer weights of 784-256-128-10, each propagated (no tables), on two workers over one."""
    net, shape, samples, *_ = CASES["784-256-128-10 tanh"]
    params, X, Y = batch_of(net, shape, samples)
    parameters = Parameters(params)
    engine = NetworkEngine(net.cost, parameters, (X, Y), net)
    engine.baseline()
    engine.prepared = lambda indices, offsets, run: engine
    plan = make_plan(parameters, np.arange(500 if tiny else 60_000), CENTRAL)

    def run(n_jobs):
        evaluate(engine, plan.indices, plan.displacements, Run(n_jobs=n_jobs), seconds=1e-5)

    seconds = in_turns({"one": lambda: run(1), "two": lambda: run(2)}, 1 if tiny else 7)
    ratios = [a / b / 2 for a, b in zip(seconds["one"], seconds["two"], strict=True)]
    benchmark.extra_info |= {"efficiency_2_workers": statistics.median(ratios), "goal": ">= 0.92"}
    benchmark.pedantic(run, args=(2,), rounds=1)


def peak_flops():
    """Multiplications and additions a second of NumPy's own matrix product on one core."""
    a = np.random.default_rng(0).normal(size=(1024, 1024))
    return lambda: a @ a, 2 * 1024**3


@pytest.mark.parametrize("name", list(CASES)[:3])
def bench_roofline(benchmark, tiny, name):
    """What the first layer's kernel reaches of the arithmetic that BLAS reaches on the same core."""
    net, shape, samples, *_ = CASES[name]
    params, X, Y = batch_of(net, shape, samples)
    parameters = Parameters(params)
    engine = NetworkEngine(net.cost, parameters, (X, Y), net)
    engine.baseline()
    inputs, width = params["0.weight"].shape  # all weights into a few units, as a whole check has them
    units = np.arange(1 if tiny else max(1, 2000 // inputs))
    plan = make_plan(parameters, (np.arange(inputs)[:, None] * width + units).reshape(-1), CENTRAL)
    product, work = peak_flops()
    sizes = [layer.inputs for layer in net.layers if isinstance(layer, Dense)] + [10]
    activation = type(net.layers[1]).__name__
    done = plan.evaluations * flops_of_a_weight(tuple(sizes), activation, samples)
    with one_blas_thread():
        seconds = in_turns(
            {"kernel": lambda: engine.values(plan.indices, plan.displacements), "blas": product},
            2 if tiny else 15,
        )
    rate = {key: statistics.median(seconds[key]) for key in seconds}
    benchmark.extra_info |= {
        "gflops_kernel": done / rate["kernel"] / 1e9,
        "gflops_blas_one_core": work / rate["blas"] / 1e9,
        "share_of_peak": done / rate["kernel"] / (work / rate["blas"]),
        "evaluations_per_second": plan.evaluations / rate["kernel"],
    }
    benchmark.pedantic(lambda: engine.values(plan.indices, plan.displacements), rounds=1)


PROGRAM = """
import json, sys, time
began = time.perf_counter()
import resource, tracemalloc
import numpy as np
import fastgrad
sizes, samples, count, traced = json.loads(sys.argv[1])
layers = []
for inputs, outputs in zip(sizes, sizes[1:]):
    layers += [fastgrad.Dense(inputs, outputs), fastgrad.Tanh()]
net = fastgrad.Network(layers[:-1], fastgrad.SoftmaxCrossEntropy())
rng = np.random.default_rng(0)
params, X = net.initial_parameters(), rng.normal(size=(samples, sizes[0]))
problem = net.problem(params, X, rng.integers(0, sizes[-1], samples))
if traced:
    fastgrad.check(problem, coordinates=20, n_jobs=2)
    tracemalloc.start()
report = fastgrad.check(problem, coordinates=count or "all", n_jobs=2)
print(json.dumps({
    "seconds": time.perf_counter() - began, "verdict": report.verdict,
    "traced_MiB": tracemalloc.get_traced_memory()[1] / 2**20,
    "parameters_MiB": sum(b.nbytes for b in params.values()) / 2**20,
}))
"""


def run_program(sizes, samples, count, traced, **environment):
    """The program above in a process of its own: what it printed."""
    command = [sys.executable, "-c", PROGRAM, json.dumps([sizes, samples, count, traced])]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | environment)
    return json.loads(done.stdout)


def bench_cold_start(benchmark, tiny, tmp_path):
    """Seconds of a first check of 64-32-10 in a fresh process: nothing compiled yet, then from disk."""
    sizes = (64, 32, 10)
    cold = run_program(sizes, 128, 0, False, NUMBA_CACHE_DIR=str(tmp_path))
    warm = [
        run_program(sizes, 128, 0, False, NUMBA_CACHE_DIR=str(tmp_path))["seconds"]
        for _ in range(1 if tiny else 5)
    ]
    benchmark.extra_info |= {
        "cold_seconds": cold["seconds"],
        "goal_cold": "< 25",
        "warm_seconds": statistics.median(warm),
        "goal_warm": "< 2.5",
    }
    benchmark.pedantic(lambda: None, rounds=1)


@pytest.mark.parametrize("count", [1_000, 100_000, 0])
def bench_memory_of_a_check(benchmark, tiny, count):
    """MiB that a check of 784-1024-1024-10 (0: all of it) allocates at its peak, on two workers.

    What is returned grows with the coordinates that are checked: index, claim, numeric derivative, bound and
    allowed difference are 40 bytes each.
    """
    found = run_program((784, 1024, 1024, 10), 32, 100 if tiny else count, True)
    benchmark.extra_info |= {
        "peak_MiB": found["traced_MiB"],
        "parameters_MiB": found["parameters_MiB"],
        "goal_MiB": f"<= {found['parameters_MiB'] + 2 * 64:.0f} and activations",
    }
    benchmark.pedantic(lambda: None, rounds=1)
