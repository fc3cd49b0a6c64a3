"""What all benchmarks share: tiny mode for CI, the reference kernel, figures printed at the end."""

from __future__ import annotations

import os

import pytest
from reference import median_of, reference_seconds


@pytest.fixture
def tiny():
    """Whether to run small, only to see that the benchmark still works (FASTGRAD_BENCH=tiny)."""
    return os.environ.get("FASTGRAD_BENCH") == "tiny"


@pytest.fixture(autouse=True)
def beside_reference(request):
    """Time the reference kernel before and after each benchmark; comparison.py divides by its median."""
    if "benchmark" not in request.fixturenames:
        yield
        return
    benchmark = request.getfixturevalue("benchmark")
    before = reference_seconds()
    yield
    benchmark.extra_info["reference_seconds"] = median_of(before, reference_seconds())


def pytest_terminal_summary(terminalreporter, config):
    """Print each benchmark's extra_info, which pytest-benchmark only writes to its JSON."""
    session = getattr(config, "_benchmarksession", None)
    for bench in getattr(session, "benchmarks", []):
        if bench.extra_info:
            terminalreporter.write_line(f"{bench.name}")
            for key, value in bench.extra_info.items():
                shown = f"{value:.4g}" if isinstance(value, float) else value
                terminalreporter.write_line(f"    {key}: {shown}")
