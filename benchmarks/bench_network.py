"""How many times faster than the textbook loop a network's gradient is checked.

    scripts/bench benchmarks/bench_network.py

The textbook loop makes two full NumPy forward passes for each parameter; it is timed on a sample of them, in
turns with whole checks on two workers (everything included: plan, reference gradient, report). The relative
error shows that fast is not wrong.
"""

from __future__ import annotations

import statistics

import numpy as np
import pytest
from measure import in_turns

import fastgrad
from fastgrad import Conv2D, Dense, Flatten, MaxPool2D, Network, ReLU, SoftmaxCrossEntropy, Tanh
from fastgrad.engines.network import NetworkEngine
from fastgrad.parallel import evaluate
from fastgrad.parameters import Parameters
from fastgrad.stencils import CENTRAL
from fastgrad.steps import make_plan


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

# name: network, shape of a sample, samples, coordinates of one check (None for all), goal
CASES = {
    "64-32-10 tanh": (mlp((64, 32, 10), Tanh()), (64,), 128, None, ">= 60"),
    "784-256-128-10 tanh": (mlp((784, 256, 128, 10), Tanh()), (784,), 32, None, ">= 120"),
    "784-1024-1024-10 relu": (mlp((784, 1024, 1024, 10), ReLU()), (784,), 32, 100_000, ">= 120"),
    "conv 16, conv 32, pool, dense": (CONV, (1, 28, 28), 16, None, ">= 40"),
}


def batch_of(net, shape, samples):
    """Parameters and a batch of normal inputs with random labels."""
    rng = np.random.default_rng(0)
    return net.initial_parameters(0), rng.normal(size=(samples, *shape)), rng.integers(0, 10, samples)


@pytest.mark.parametrize("name", CASES)
def bench_check(benchmark, tiny, name):
    """A whole check on two workers against the textbook loop, per coordinate."""
    net, shape, samples, count, goal = CASES[name]
    params, X, Y = batch_of(net, shape, samples)
    problem = net.problem(params, X, Y)
    coordinates = 50 if tiny else "all" if count is None else count
    sample = np.random.default_rng(1).choice(Parameters(params).size, 3 if tiny else 30, replace=False)
    report = fastgrad.check(problem, coordinates=coordinates, n_jobs=2)  # compiles

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
        fastgrad.check(problem, coordinates=coordinates, n_jobs=2)

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
        "relative_error": report.relative_error,
    }
    benchmark.pedantic(whole_check, rounds=1)


def bench_parallel_efficiency(benchmark, tiny):
    """First-layer weights of 784-256-128-10 on two workers over one."""
    net, shape, samples, _, _ = CASES["784-256-128-10 tanh"]
    params, X, Y = batch_of(net, shape, samples)
    parameters = Parameters(params)
    engine = NetworkEngine(net.cost, parameters, (X, Y), net)
    engine.baseline()
    plan = make_plan(parameters, np.arange(500 if tiny else 60_000), CENTRAL)

    def run(n_jobs):
        evaluate(engine, plan.indices, plan.displacements, seconds=1e-5, n_jobs=n_jobs)

    seconds = in_turns({"one": lambda: run(1), "two": lambda: run(2)}, 1 if tiny else 7)
    ratios = [a / b / 2 for a, b in zip(seconds["one"], seconds["two"], strict=True)]
    benchmark.extra_info |= {"efficiency_2_workers": statistics.median(ratios), "goal": ">= 0.92"}
    benchmark.pedantic(run, args=(2,), rounds=1)
