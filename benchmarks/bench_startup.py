"""What `import fastgrad` takes beyond NumPy's own import.

scripts/bench benchmarks/bench_startup.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys

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
