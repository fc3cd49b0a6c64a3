"""What all benchmarks share: the tiny mode for CI, and the figures printed at the end."""

from __future__ import annotations

import os

import pytest


@pytest.fixture
def tiny():
    """Whether to run small, only to see that the benchmark still works (FASTGRAD_BENCH=tiny)."""
    return os.environ.get("FASTGRAD_BENCH") == "tiny"


def pytest_terminal_summary(terminalreporter, config):
    """Print each benchmark's extra_info, which pytest-benchmark only writes to its JSON."""
    session = getattr(config, "_benchmarksession", None)
    for bench in getattr(session, "benchmarks", []):
        if bench.extra_info:
            terminalreporter.write_line(f"{bench.name}")
            for key, value in bench.extra_info.items():
                shown = f"{value:.4g}" if isinstance(value, float) else value
                terminalreporter.write_line(f"    {key}: {shown}")
