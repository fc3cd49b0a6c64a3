"""`fastgrad bench`: how fast each engine is on this machine, with one worker and with more."""

from __future__ import annotations

__all__ = ["BenchResult", "Row", "run_bench"]
