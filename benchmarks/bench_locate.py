"""How many evaluations it takes to find a few wrong coordinates among a million.

    scripts/bench benchmarks/bench_locate.py
    FASTGRAD_TRIALS=10 scripts/bench benchmarks/bench_locate.py

784-1024-200-10 with biases, 1,010,850 parameters in float64, a batch of 32, half the squared error over the
batch, in plain NumPy with a gradient written by hand. k coordinates of that gradient, at random places, are
off by 1% of their block's rms, of random sign. What counts is `report.spent["localisation"]`: what was
evaluated beyond the look at the blocks, a subset and 20 clean probes. The subset is one coordinate of each
block, for it has no part in this; rows with "auto" are whole checks, a tenth as many.

The last row is torch.autograd.gradcheck(fast_mode=True), where torch is installed: single coordinates of the
same gradient are doubled, and it is counted how many of these mistakes it and fastgrad notice.
"""

from __future__ import annotations

import os
import statistics
import time

import numpy as np
import pytest

import fastgrad
from fastgrad.directions.certificate import PROBES
from fastgrad.directions.probes import Prober
from fastgrad.problem.parameters import Parameters
from fastgrad.report.plain_table import plain_table
from fastgrad.strategy import sampled

SIZES = (784, 1024, 200, 10)
TINY = (12, 16, 8, 4)
BATCH = 32
TRIALS = int(os.environ.get("FASTGRAD_TRIALS", "50"))
GOALS = {1: 100, 5: 250, 20: 900}
SHARE_OF_RMS = 0.01
MOST_OF_TORCH = 1000
"""Evaluations after which gradcheck has left its fast mode: it looks at every coordinate once that fails."""

COLUMNS = (
    "what",
    "trials",
    "median",
    "max",
    "goal",
    "false",
    "missed",
    "certified",
    "ladders",
    "evaluations",
    "seconds",
)


def tanh(z):
    """The activation and its slope."""
    a = np.tanh(z)
    return a, 1 - a * a


def relu(z):
    """The activation and its slope."""
    return np.maximum(z, 0), (z > 0).astype(z.dtype)


class Network:
    """Parameters, a batch, the cost and its gradient, in plain NumPy."""

    def __init__(self, sizes, activation, seed=0):
        rng = np.random.default_rng(seed)
        self.activation, self.params = activation, {}
        for k in range(1, len(sizes)):
            inputs, outputs = sizes[k - 1], sizes[k]
            self.params[f"W{k}"] = rng.normal(size=(inputs, outputs)) / np.sqrt(inputs)
            self.params[f"b{k}"] = 0.1 * rng.normal(size=outputs)
        self.X, self.Y = rng.normal(size=(BATCH, sizes[0])), rng.normal(size=(BATCH, sizes[-1]))

    def cost(self, p):
        """Half the squared error over the batch."""
        residual = self._layers(p)[-1] - self.Y
        return 0.5 * float(np.sum(residual * residual)) / BATCH

    def _layers(self, p):
        a1 = self.activation(self.X @ p["W1"] + p["b1"])[0]
        a2 = self.activation(a1 @ p["W2"] + p["b2"])[0]
        return a1, a2, a2 @ p["W3"] + p["b3"]

    def gradient(self, p):
        """The gradient of the cost, by hand."""
        a1, slope1 = self.activation(self.X @ p["W1"] + p["b1"])
        a2, slope2 = self.activation(a1 @ p["W2"] + p["b2"])
        d3 = (a2 @ p["W3"] + p["b3"] - self.Y) / BATCH
        d2 = (d3 @ p["W3"].T) * slope2
        d1 = (d2 @ p["W2"].T) * slope1
        by_layer = ((self.X, d1), (a1, d2), (a2, d3))
        out = {}
        for k, (a, d) in enumerate(by_layer, 1):
            out[f"W{k}"], out[f"b{k}"] = a.T @ d, d.sum(axis=0)
        return out


class CountingProber(Prober):
    """Remembers the latest one, to read off how many probes needed the ladder."""

    latest = None
    ladders = 0

    def __init__(self, *args):
        super().__init__(*args)
        CountingProber.latest = self

    def _ladder(self, directions):
        self.ladders += len(directions)
        return super()._ladder(directions)


def plant(network, gradient, k, rng):
    """The gradient with k wrong coordinates, and their flat indices."""
    parameters = Parameters(network.params)
    wrong = {name: block.copy() for name, block in gradient.items()}
    places = rng.choice(parameters.size, k, replace=False)
    for i, sign in zip(places, rng.choice([-1.0, 1.0], k), strict=True):
        block = parameters.block_of(int(i))
        rms = np.sqrt(np.mean(gradient[block.name] ** 2))
        wrong[block.name].reshape(-1)[i - block.start] += sign * SHARE_OF_RMS * rms
    return wrong, {int(i) for i in places}


def check(network, claim, seed, **options):
    """One check, with probes asked for."""
    return fastgrad.check_gradient(
        network.cost, claim, network.params, probes=PROBES, seed=seed, progress=False, **options
    )


@pytest.fixture(scope="module")
def table(request):
    """The rows, printed as one table after the last benchmark."""
    rows = []
    yield rows
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        cells = [[str(row.get(name, "")) for name in COLUMNS] for row in rows]
        print(f"\n{plain_table(COLUMNS, cells)}")


def size_of(tiny):
    """The sizes of the layers."""
    return TINY if tiny else SIZES


@pytest.mark.parametrize("k", GOALS)
@pytest.mark.parametrize("how", ["probes", "auto"])
@pytest.mark.parametrize("activation", [tanh, relu])
def bench_locate(benchmark, tiny, table, monkeypatch, activation, how, k):
    """Evaluations until k wrong coordinates are found, over many seeded trials."""
    monkeypatch.setattr(sampled, "Prober", CountingProber)
    network = Network(size_of(tiny), activation)
    gradient = network.gradient(network.params)
    options = {"probes": {"coordinates": 6}, "auto": {"coordinates": "auto", "wrong_fraction": 0.1}}[how]
    trials = 2 if tiny else TRIALS if how == "probes" else max(1, TRIALS // 10)
    spent, seconds, evaluations, ladders, false, missed, certified = [], [], [], [], 0, 0, 0

    def run():
        nonlocal false, missed, certified
        for trial in range(trials):
            claim, planted = plant(network, gradient, k, np.random.default_rng([trial, k]))
            began = time.perf_counter()
            report = check(network, claim, trial, **options)
            seconds.append(time.perf_counter() - began)
            found = {w.flat_index for w in report.wrong}
            false, missed = false + len(found - planted), missed + len(planted - found)
            certified += report.coverage.certificate is not None
            spent.append(report.spent.get("localisation", 0))
            evaluations.append(report.evaluations)
            ladders.append(CountingProber.latest.ladders)

    benchmark.pedantic(run, rounds=1)
    goal = GOALS[k] if activation is tanh else ""
    benchmark.extra_info |= {
        "median_localisation": statistics.median(spent),
        "max_localisation": max(spent),
        "goal": goal,
        "false_accusations": false,
        "misses": missed,
        "ladders_in_all": sum(ladders),
    }
    table.append(
        {
            "what": f"{activation.__name__}, {k} wrong" + ", whole check" * (how == "auto"),
            "trials": trials,
            "median": f"{statistics.median(spent):.0f}",
            "max": max(spent),
            "goal": goal,
            "false": false,
            "missed": f"{missed} of {k * trials}",
            "certified": certified,
            "ladders": sum(ladders),
            "evaluations": f"{statistics.median(evaluations):.0f}",
            "seconds": f"{statistics.median(seconds):.2g}",
        }
    )


def bench_torch_gradcheck(benchmark, tiny, table):
    """One coordinate of the gradient doubled: whether gradcheck's fast mode notices, and fastgrad."""
    torch = pytest.importorskip("torch")
    network = Network(size_of(tiny), tanh)
    gradient = network.gradient(network.params)
    parameters = Parameters(network.params)
    trials = 2 if tiny else max(1, TRIALS // 5)
    places = np.random.default_rng(0).choice(parameters.size, trials, replace=False)
    noticed, seconds = {"torch": 0, "fastgrad": 0}, {"torch": [], "fastgrad": []}
    evaluations = {"torch": [], "fastgrad": []}

    def run():
        for trial, i in enumerate(places):
            block = parameters.block_of(int(i))
            claim = {name: b.copy() for name, b in gradient.items()}
            claim[block.name].reshape(-1)[i - block.start] *= 2
            began = time.perf_counter()
            passed, count = passes_gradcheck(torch, network, claim)
            seconds["torch"].append(time.perf_counter() - began)
            evaluations["torch"].append(count)
            noticed["torch"] += not passed
            began = time.perf_counter()
            report = check(network, claim, trial, coordinates=6)
            seconds["fastgrad"].append(time.perf_counter() - began)
            evaluations["fastgrad"].append(report.evaluations)
            noticed["fastgrad"] += [w.flat_index for w in report.wrong] == [int(i)]

    benchmark.pedantic(run, rounds=1)
    benchmark.extra_info |= {f"noticed_by_{name}": count for name, count in noticed.items()}
    for name, what in (("torch", "gradcheck fast_mode, 1 doubled"), ("fastgrad", "fastgrad, 1 doubled")):
        table.append(
            {
                "what": what,
                "trials": trials,
                "missed": f"{trials - noticed[name]} of {trials}",
                "evaluations": f"{statistics.median(evaluations[name]):.0f}",
                "seconds": f"{statistics.median(seconds[name]):.2g}",
            }
        )


class LeftFastModeError(Exception):
    """gradcheck's fast mode failed, and it looks at coordinates one by one."""


def passes_gradcheck(torch, network, claim):
    """Whether torch.autograd.gradcheck(fast_mode=True) takes the claim, and its evaluations of the cost."""
    names = list(network.params)
    count = 0

    class Claimed(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *leaves):
            nonlocal count
            count += 1
            if count > MOST_OF_TORCH:
                raise LeftFastModeError
            p = {name: leaf.numpy() for name, leaf in zip(names, leaves, strict=True)}
            return torch.tensor(network.cost(p), dtype=torch.float64)

        @staticmethod
        def backward(ctx, upstream):
            return tuple(upstream * torch.from_numpy(claim[name]) for name in names)

    leaves = [torch.tensor(network.params[name], requires_grad=True) for name in names]
    try:
        passed = torch.autograd.gradcheck(Claimed.apply, leaves, fast_mode=True, raise_exception=False)
    except LeftFastModeError:
        passed = False
    return bool(passed), count
