"""What it takes to write the page of a report, and how large it becomes.

    scripts/bench benchmarks/bench_report.py

A square matrix of 10^6 entries, whose cost is a sum of squares, and claims of four kinds: right; wrong in a
column; wrong everywhere by chance, so that no picture can be put together; and a sample of 20,000. The first
time holds what is done once in a process (imports, reading style and script) and once in a report.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
import pytest
from measure import in_turns

import fastgrad

SIDE, TINY = 1000, 40
BLOCKS = 500
GOAL = "seconds < 1, megabytes < 2"


def right(g):
    """The gradient."""
    return g


def wrong(g):
    """The gradient with a column that is off by 1% and an entry that is off by half."""
    g[:, 7] *= 1.01
    g[12, 34] *= 1.5
    return g


def noisy(g):
    """The gradient, off by up to 1e-3 of each entry, by chance."""
    return g * (1 + 1e-3 * np.random.default_rng(0).uniform(-1, 1, g.shape))


def report_of(claim, side, **options):
    """The report on the claim."""
    x = np.linspace(-1, 1, side * side).reshape(side, side)
    return fastgrad.check_gradient(lambda w: float(np.sum(w * w)), lambda w: claim(2 * w), x, **options)


CASES = {"right": right, "wrong": wrong, "noisy": noisy, "sampled": wrong}


@pytest.mark.parametrize("case", CASES)
def bench_page(benchmark, tiny, tmp_path, case):
    """Seconds until the page is in its file, the first time and later, and its size."""
    side = TINY if tiny else SIDE
    sample = min(side * side // 2, 20_000)
    report = report_of(CASES[case], side, coordinates=sample if case == "sampled" else "all")
    assert report.passed == (case == "right")
    write_and_measure(benchmark, tiny, tmp_path, report)


def bench_page_of_blocks(benchmark, tiny, tmp_path):
    """The same of 500 blocks of 2,000 entries, of which a tenth is checked; most are wrong somewhere."""
    blocks, size = (20, 20) if tiny else (BLOCKS, SIDE * SIDE // BLOCKS)
    params = {f"layer.{k}": np.linspace(0.5, 1.5, size) for k in range(blocks)}

    def gradient(p):
        return {
            name: v * (2 + 0.1 * (np.arange(size) % 50 == k % 50)) for k, (name, v) in enumerate(p.items())
        }

    def cost(p):
        return float(np.sum(np.concatenate(list(p.values())) ** 2))

    report = fastgrad.check_gradient(cost, gradient, params, coordinates=400 if tiny else 100_000)
    write_and_measure(benchmark, tiny, tmp_path, report)


def write_and_measure(benchmark, tiny, tmp_path, report):
    """Write the page of a report several times."""
    path = tmp_path / "report.html"
    began = time.perf_counter()
    report.to_html(path)
    first = time.perf_counter() - began
    seconds = in_turns({"html": lambda: report.to_html(path)}, 1 if tiny else 5)["html"]
    megabytes = path.stat().st_size / 1e6
    assert megabytes < 2
    benchmark.extra_info |= {
        "seconds_first_time": first,
        "seconds": statistics.median(seconds),
        "megabytes": megabytes,
        "coordinates": report.coverage.checked,
        "goal": GOAL,
    }
    benchmark.pedantic(lambda: report.to_html(path), rounds=1)
