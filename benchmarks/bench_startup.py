"""What `import fastgrad` takes beyond NumPy's own import, and a first check after it.

scripts/bench benchmarks/bench_startup.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys

import pytest

CODE = """
import time, numpy
began = time.perf_counter()
import fastgrad
print(time.perf_counter() - began)
"""


def bench_import(benchmark, tiny):
    """Seconds of `import fastgrad` in a fresh process that has imported NumPy."""
    seconds = []

    def run():
        out = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
        seconds.append(float(out.stdout))

    benchmark.pedantic(run, rounds=2 if tiny else 15)
    benchmark.extra_info |= {"import_seconds_beyond_numpy": statistics.median(seconds), "goal": "< 0.2"}


FIRST_CHECK = """
import time, numpy as np
began = time.perf_counter()
import fastgrad
rng = np.random.default_rng(0)
X, Y, w = rng.normal(size=(50, 8)), rng.normal(size=(50, 3)), rng.normal(size=(8, 3))
cost = lambda w: 0.5 * np.sum((np.tanh(X @ w) - Y) ** 2)
def gradient(w):
    a = np.tanh(X @ w)
    return X.T @ ((a - Y) * (1 - a**2))
def numba_cost(w):
    total = 0.0
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            total += w[i, j] ** 3
    return total
if KIND == "compiled":
    import numba
    cost, gradient = numba.njit(numba_cost), lambda w: 3 * w**2
for _ in range(2):
    assert fastgrad.check_gradient(cost, gradient, w).passed
    print(time.perf_counter() - began)
    began = time.perf_counter()
"""


@pytest.mark.parametrize("kind", ["python", "compiled"])
def bench_first_check(benchmark, tiny, kind):
    """Seconds of import and first check in a fresh process beyond NumPy's import, and of a second check.

    A Numba cost's loop is compiled in each process (it cannot be kept on disk); that of a Network is in
    bench_network.py, cold and warm.
    """
    first, second = [], []

    def run():
        code = f"KIND = {kind!r}\n{FIRST_CHECK}"
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        one, two = map(float, out.stdout.split())
        first.append(one)
        second.append(two)

    benchmark.pedantic(run, rounds=1 if tiny else 5)
    benchmark.extra_info |= {
        "first_check_seconds": statistics.median(first),
        "second_check_seconds": statistics.median(second),
    }
