"""Peak memory of a subset of a large vector, in processes of their own.

scripts/bench benchmarks/bench_memory.py
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
import json, os, resource, sys, threading, time
import numpy as np
import psutil
import fastgrad, joblib, scipy, threadpoolctl, fastgrad.engines.python
from numpy.linalg import norm

n, n_jobs = int(sys.argv[1]), int(sys.argv[2])

def cost(x):
    until = time.perf_counter() + 1e-3
    while time.perf_counter() < until:
        pass
    return float(x[0] * x[1] + x[-1])

def gradient(x):
    g = np.zeros_like(x)
    g[0], g[1], g[-1] = x[1], x[0], 1.0
    return g

def unshared(process):
    try:
        return process.memory_full_info().uss
    except psutil.Error:
        return 0

if __name__ == "__main__":
    me = psutil.Process()
    fastgrad.check_gradient(cost, gradient, np.ones(10))      # everything imported
    if n_jobs > 1:
        warm = joblib.Parallel(n_jobs=n_jobs, mmap_mode="c")
        warm(joblib.delayed(cost)(np.ones(10)) for _ in range(40))
    before = me.memory_info().rss
    workers_before = max([unshared(c) for c in me.children(recursive=True)], default=0)
    peak, worker_peak, running = [0], [0], [True]

    def watch():
        while running[0]:
            peak[0] = max(peak[0], me.memory_info().rss - before)
            for child in me.children(recursive=True):
                worker_peak[0] = max(worker_peak[0], unshared(child) - workers_before)
            time.sleep(0.01)

    watcher = threading.Thread(target=watch)
    watcher.start()
    x = np.ones(n)
    report = fastgrad.check_gradient(cost, gradient, x, coordinates=min(1000, n), n_jobs=n_jobs)
    running[0] = False
    watcher.join()
    print(json.dumps({
        "parent_peak_over_vector": peak[0] / x.nbytes,
        "worker_unshared_peak_over_vector": worker_peak[0] / x.nbytes,
        "seconds": report.seconds, "n_jobs": report.n_jobs, "verdict": report.verdict,
    }))
"""


@pytest.mark.parametrize("n_jobs", [1, 2])
def bench_subset_of_a_large_vector(benchmark, tiny, tmp_path, n_jobs):
    """1,000 of 10^7 coordinates: peak memory in the parent over the vector's size, and in each worker."""
    n = 100_000 if tiny else 10_000_000
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)

    def run():
        command = [sys.executable, str(program), str(n), str(n_jobs)]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    found = benchmark.pedantic(run, rounds=1)
    benchmark.extra_info |= found | {"goal": "parent <= 3 times the vector; workers share it"}
