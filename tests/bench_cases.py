"""A result of the benchmark."""

from __future__ import annotations

from fastgrad.cli.bench.result import BenchResult, Row

RESULT = BenchResult(
    (
        Row("python", "a <network>", 1, 1234.5, 2469.0, 1.0),
        Row("network", "another", 2, 50_000.0, 100_000.0, 0.875, 0.5),
    ),
    "a processor, 2 cores",
    {"numpy": "2.4"},
    12.4,
)
