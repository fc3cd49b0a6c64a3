"""Checks of torch's gradients beside torch's own check, and beside a loop of forward passes.

scripts/bench benchmarks/bench_torch.py
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from measure import in_turns, median_ratio

from fastgrad.adapters.torch import check_module, gradcheck

torch = pytest.importorskip("torch")

CALLS = 10
"""Calls of gradcheck in a turn: the first after torch's, of 4 ms, finds caches full of torch's matrices."""

LOOP = 200
"""Forward passes from which the time of a loop over all parameters is extrapolated."""

MEMORY = """
import json, sys
sys.path.insert(0, sys.argv[2])
import torch
from torch_models import Sine
from fastgrad.adapters.torch import gradcheck
torch.set_num_threads(1)

def peak():
    status = open("/proc/self/status").read()
    return int(status.partition("VmHWM:")[2].split()[0])

check = gradcheck if sys.argv[1] == "fastgrad" else torch.autograd.gradcheck
n = int(sys.argv[3])
x = torch.randn(n, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
check(Sine.apply, x[:10].detach().requires_grad_())  # what is loaded once
open("/proc/self/clear_refs", "w").write("5")  # the peak is counted from now
before = peak()
assert check(Sine.apply, x)
print(json.dumps(peak() - before))
"""
"""Prints by how many KiB a check raises the largest memory of a process."""


@pytest.fixture(autouse=True)
def one_thread():
    """torch with one thread, and what it had afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def batch(*shape, classes=10):
    """Random inputs and labels."""
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(*shape, dtype=torch.float64, generator=generator)
    return X, torch.randint(0, classes, shape[:1], generator=generator)


def seconds_of_a_loop(module, loss, data, count, passes):
    """The seconds of two forward passes for each of `count` parameters, from some passes."""
    X, Y = data
    with torch.no_grad():
        loss(module(X), Y)
        began = time.perf_counter()
        for _ in range(passes):
            loss(module(X), Y)
    return 2 * count * (time.perf_counter() - began) / passes


def bench_small_module(benchmark, tiny):
    """check_module of 64-32-10, 128 samples, all parameters, beside torch's slow gradcheck of the cost."""
    from torch_models import perceptron

    net, loss, data = perceptron(64, 8 if tiny else 32, 10), torch.nn.CrossEntropyLoss(), batch(128, 64)
    names, tensors = zip(*net.named_parameters(), strict=True)

    def cost(*given):
        output = torch.func.functional_call(net, dict(zip(names, given, strict=True)), (data[0],))
        return loss(output, data[1])

    report = check_module(net, loss, data, coordinates="all")
    assert report.passed
    functions = {
        "fastgrad": lambda: check_module(net, loss, data, coordinates="all"),
        "torch": lambda: torch.autograd.gradcheck(cost, tensors),
    }
    seconds = in_turns(functions, 1 if tiny else 5)
    benchmark.extra_info |= {
        "parameters": len(report.indices),
        "engine": report.engine,
        "times_gradcheck": median_ratio(seconds, "torch", "fastgrad"),
        "fastgrad_seconds": statistics.median(seconds["fastgrad"]),
        "goal": "times_gradcheck >= 20",
    }
    benchmark.pedantic(functions["fastgrad"], rounds=1 if tiny else 3)


@pytest.mark.parametrize("case", ["784-256-128-10", "mixed"])
def bench_module(benchmark, tiny, case):
    """check_module of all parameters beside a loop of forward passes, extrapolated from some hundred."""
    from torch_models import Mixed, perceptron

    loss = torch.nn.CrossEntropyLoss()
    if case == "mixed":
        torch.manual_seed(0)
        net, data, goal = (Mixed(4, 8) if tiny else Mixed()).double(), batch(8, 3, 8, 8), 3
    else:
        net, data, goal = perceptron(*((20, 9, 10) if tiny else (784, 256, 128, 10))), None, 500
        data = batch(32, 20 if tiny else 784)
    rounds, found = 1 if tiny or case == "mixed" else 3, []
    check_module(net, loss, data, coordinates=200)  # kernels are compiled
    for _ in range(rounds):
        began = time.perf_counter()
        report = check_module(net, loss, data, coordinates="all")
        taken = time.perf_counter() - began
        assert report.passed
        found.append((seconds_of_a_loop(net, loss, data, len(report.indices), 5 if tiny else LOOP), taken))
    benchmark.extra_info |= {
        "parameters": len(report.indices),
        "engine": report.engine,
        "times_a_loop": statistics.median(loop / taken for loop, taken in found),
        "fastgrad_seconds": statistics.median(taken for _, taken in found),
        "loop_seconds": statistics.median(loop for loop, _ in found),
        "goal": f"times_a_loop >= {goal}",
    }
    benchmark.pedantic(lambda: check_module(net, loss, data, coordinates=64), rounds=1)


@pytest.mark.parametrize("case", ["elementwise", "dense"])
def bench_gradcheck(benchmark, tiny, case):
    """gradcheck of R^2000 -> R^2000 by places, and of a dense R^300 -> R^300, beside torch's slow mode."""
    from torch_models import Sine

    n = 40 if tiny else {"elementwise": 2000, "dense": 300}[case]
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(n, dtype=torch.float64, generator=generator).requires_grad_()
    A = torch.randn(n, n, dtype=torch.float64, generator=generator) / np.sqrt(n)
    function = Sine.apply if case == "elementwise" else lambda x: Sine.apply(A @ x)
    gradcheck(function, x)
    functions = {
        "fastgrad": lambda: [gradcheck(function, x) for _ in range(CALLS)],
        "torch": lambda: torch.autograd.gradcheck(function, x),
    }
    seconds = in_turns(functions, 1 if tiny else 9)
    benchmark.extra_info |= {
        "times_gradcheck": CALLS * median_ratio(seconds, "torch", "fastgrad"),
        "fastgrad_seconds": statistics.median(seconds["fastgrad"]) / CALLS,
        "goal": "times_gradcheck >= 100" if case == "elementwise" else "times_gradcheck >= 1",
    }
    benchmark.pedantic(functions["fastgrad"], rounds=1 if tiny else 5)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux tells the peak")
def bench_gradcheck_memory(benchmark, tiny, request):
    """Memory of the elementwise case, each check in a process of its own."""

    def peak(name):
        folder = str(request.path.parent)
        command = [sys.executable, "-c", MEMORY, name, folder, "50" if tiny else "2000"]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout) / 1024

    found = {f"{name}_MiB": peak(name) for name in ("fastgrad", "torch")}
    benchmark.extra_info |= found | {"goal": "fastgrad_MiB < torch_MiB / 10"}
    benchmark.pedantic(lambda: None, rounds=1)
