"""What a suite of gradient tests takes under the plugin of pytest, over what it takes with bare loops.

    scripts/bench benchmarks/bench_plugin.py

Each suite has 200 tests, each of a cost and a gradient in plain NumPy at numbers of its own. "bare" moves one
number at a time by 1e-5 up and down and compares the classic relative error with 1e-6, as most projects do.
Whole processes of pytest are timed in turns, from their start to their end, without other plugins. What the
suites consist of:

    few       5 to 30 parameters: quadratic forms, logistic regression of 50 samples
    some      43 to 408 parameters: two layers of tanh on 50 samples
    layers    785 to 2,410 parameters: two layers of tanh on 100 samples
    all       of each in turn
    wrong     as "few", each gradient off by 1e-3 in one entry: the failures of both
    none      no check at all: what the plugin costs a project that does not use it
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from measure import in_turns, median_ratio

import fastgrad

TESTS, TINY = 200, 6
ROUNDS = 3
GOAL = 1.3

CASES = """
    import numpy as np

    def quadratic(rng, n):
        A = rng.normal(size=(n, n))
        A = A + A.T
        return lambda x: float(0.5 * x @ (A @ x)), lambda x: A @ x, rng.normal(size=n)

    def logistic(rng, n, samples):
        X, y = rng.normal(size=(samples, n)), np.sign(rng.normal(size=samples))

        def cost(w):
            return float(np.mean(np.logaddexp(0, -y * (X @ w))) + 0.05 * w @ w)

        def gradient(w):
            return X.T @ (-y / (1 + np.exp(y * (X @ w)))) / samples + 0.1 * w

        return cost, gradient, rng.normal(size=n)

    def network(rng, inputs, hidden, outputs, samples):
        X, Y = rng.normal(size=(samples, inputs)), rng.normal(size=(samples, outputs))

        def forward(p):
            a = np.tanh(X @ p["W1"] + p["b1"])
            return a, a @ p["W2"] + p["b2"] - Y

        def cost(p):
            return float(0.5 * np.sum(forward(p)[1] ** 2))

        def gradient(p):
            a, d = forward(p)
            e = (d @ p["W2"].T) * (1 - a**2)
            return {"W1": X.T @ e, "b1": e.sum(axis=0), "W2": a.T @ d, "b2": d.sum(axis=0)}

        sizes = {"W1": (inputs, hidden), "b1": hidden, "W2": (hidden, outputs), "b2": outputs}
        return cost, gradient, {name: rng.normal(size=size) / 4 for name, size in sizes.items()}

    KINDS = {
        "few": [(quadratic, 5), (quadratic, 20), (logistic, 30, 50)],
        "some": [(network, 4, 5, 3, 50), (network, 8, 8, 4, 50), (network, 16, 16, 8, 50)],
        "layers": [(network, 20, 25, 10, 100), (network, 32, 32, 10, 100), (network, 64, 32, 10, 100)],
    }

    def makers(kind):
        return KINDS.get(kind) or [maker for some in zip(*KINDS.values()) for maker in some]

    def case(kind, number):
        make, *sizes = makers(kind)[number % len(makers(kind))]
        return make(np.random.default_rng(number), *sizes)

    def off(gradient, x):
        found = gradient(x)
        found[0] += 1e-3
        return found

    def assert_by_a_loop(cost, gradient, x):
        claimed = gradient(x)
        blocks = [(x, claimed)] if not isinstance(x, dict) else [(x[name], claimed[name]) for name in x]
        for values, given in blocks:
            numeric = np.empty(values.shape)
            for index in np.ndindex(values.shape):
                kept = values[index]
                values[index] = kept + 1e-5
                above = cost(x)
                values[index] = kept - 1e-5
                numeric[index] = (above - cost(x)) / 2e-5
                values[index] = kept
            assert np.linalg.norm(given - numeric) / np.linalg.norm(given + numeric) < 1e-6
"""

SUITE = """
    import pytest
    from cases import *

    @pytest.mark.parametrize("number", range({tests}))
    def test_it({arguments}):
        {body}
"""
CASE = "cost, gradient, x = case({kind!r}, number); "
WAYS = {"bare": ("number", "assert_by_a_loop"), "plugin": ("check_gradient, number", "check_gradient")}
"""What a test takes, and what it calls."""


def suite(way, kind, tests):
    """The text of a module of tests."""
    arguments, check = WAYS[way]
    body = CASE.format(kind="few" if kind == "wrong" else kind)
    body += f"{check}(cost, {'lambda x: off(gradient, x)' if kind == 'wrong' else 'gradient'}, x)"
    if kind == "none":
        arguments, body = "number", "assert number >= 0"
    return textwrap.dedent(SUITE).format(tests=tests, arguments=arguments, body=body)


def pytest_of(folder, way, expected):
    """A function that runs a suite in a process of its own."""
    plugin = ["-p", "fastgrad.pytest_plugin"] if way == "plugin" else []
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin, f"test_{way}.py"]
    source = str(Path(fastgrad.__file__).parents[1])
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH", "")]))

    def run():
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert f"\n{expected} in " in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]

    return run


@pytest.mark.parametrize("kind", ["few", "some", "layers", "all", "wrong", "none"])
def bench_suite(benchmark, tiny, tmp_path, kind):
    """Seconds of a suite under the plugin over those of the same suite with bare loops."""
    tests, rounds = (TINY, 1) if tiny else (TESTS, ROUNDS)
    (tmp_path / "cases.py").write_text(textwrap.dedent(CASES))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    expected = f"{tests} {'failed' if kind == 'wrong' else 'passed'}"
    run = {}
    for way in WAYS:
        (tmp_path / f"test_{way}.py").write_text(suite(way, kind, tests))
        run[way] = pytest_of(tmp_path, way, expected)
        run[way]()  # compiles what Python and pytest keep on disk
    seconds = benchmark.pedantic(in_turns, args=(run, rounds), rounds=1)
    medians = {way: statistics.median(found) for way, found in seconds.items()}
    benchmark.extra_info |= {
        "price_over_bare_loops": median_ratio(seconds, "plugin", "bare"),
        "goal": f"<= {GOAL}",
        "bare_suite_seconds": medians["bare"],
        "plugin_suite_seconds": medians["plugin"],
        "milliseconds_more_for_each_test": 1e3 * (medians["plugin"] - medians["bare"]) / tests,
    }
