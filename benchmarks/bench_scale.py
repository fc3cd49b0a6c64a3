"""A check of 10^7 and 10^8 parameters that lie in files: time, evaluations and memory, in own processes.

scripts/bench benchmarks/bench_scale.py

FASTGRAD_BENCH=tiny runs 10^4 of them. The two files of 10^8 take 1.6 GB of disk while a benchmark runs.
"""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

PIECE = 1 << 20
"""Numbers that are written to a file at a time."""

PLANTED = 0.37
"""Where the wrong coordinate is, as a share of the way through the vector."""

GOAL = "the wrong coordinate is found and named; at most 1.1 vectors of memory beside the files"

PROGRAM = """
import json, sys, threading, time
import numpy as np
import fastgrad

folder, n, mode, n_jobs = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
evaluations = [0]

def cost(x):
    evaluations[0] += 1
    return 0.5 * sum(float(x[k : k + 65536] @ x[k : k + 65536]) for k in range(0, x.size, 65536))

def status(name):
    with open("/proc/self/status") as file:
        return next(1024 * int(line.split()[1]) for line in file if line.startswith(name + ":"))

if __name__ == "__main__":
    # Everything is imported and compiled before memory is looked at.
    warm = np.linspace(-1, 1, 3000)
    fastgrad.check_gradient(cost, warm + (np.arange(3000) == 7), warm, wrong_fraction=0.1, probes=20)
    x = np.memmap(f"{folder}/parameters", dtype=np.float64, mode=mode, shape=(n,))
    g = np.memmap(f"{folder}/gradient", dtype=np.float64, mode="r", shape=(n,))
    before, peak, running = status("RssAnon"), [0], [True]

    def watch():
        while running[0]:
            now = status("RssAnon") - before
            if now > peak[0]:
                peak[0] = now
            time.sleep(0.005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    began, evaluations[0] = time.perf_counter(), 0
    report = fastgrad.check_gradient(cost, g, x, n_jobs=n_jobs, progress=False)
    seconds = time.perf_counter() - began
    running[0] = False
    watcher.join()
    certificate = report.coverage.certificate
    print(json.dumps({
        "seconds": seconds,
        "evaluations": report.evaluations,
        "calls of the cost in this process": evaluations[0],
        "anonymous memory, in vectors": peak[0] / (8 * n),
        "peak resident memory with the files, in vectors": status("VmHWM") / (8 * n),
        "verdict": report.verdict,
        "wrong": [f.label for f in report.wrong],
        "probes": certificate.probes if certificate else 0,
        "spent": dict(report.spent),
        "n_jobs": report.n_jobs,
        "doubt": report.doubt,
    }))
"""


def write_files(folder, n, planted):
    """The parameters and the claimed gradient of half the sum of squares, one of it wrong if it is to be."""
    x = np.memmap(folder / "parameters", dtype=np.float64, mode="w+", shape=(n,))
    rng = np.random.default_rng(0)
    for start in range(0, n, PIECE):
        x[start : start + PIECE] = rng.standard_normal(min(PIECE, n - start))
    g = np.memmap(folder / "gradient", dtype=np.float64, mode="w+", shape=(n,))
    for start in range(0, n, PIECE):
        g[start : start + PIECE] = x[start : start + PIECE]
    if planted:
        g[int(PLANTED * n)] += 1.0
    x.flush()
    g.flush()


@pytest.mark.parametrize("n", [10_000_000, 100_000_000])
@pytest.mark.parametrize(("planted", "mode", "n_jobs"), [(False, "r", 1), (True, "r", 1), (True, "c", 1)])
def bench_vector_in_a_file(benchmark, tiny, tmp_path, n, planted, mode, n_jobs):
    """Probes and a subset of a memory-mapped vector, with one wrong entry of the gradient or none."""
    n = 10_000 if tiny else n
    write_files(tmp_path, n, planted)
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)

    def run():
        command = [sys.executable, str(program), str(tmp_path), str(n), mode, str(n_jobs)]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    try:
        found = benchmark.pedantic(run, rounds=1)
    finally:
        (tmp_path / "parameters").unlink()
        (tmp_path / "gradient").unlink()
    benchmark.extra_info |= found | {"n": n, "goal": GOAL}
    assert found["wrong"] == ([f"params[{int(PLANTED * n)}]"] if planted else [])
