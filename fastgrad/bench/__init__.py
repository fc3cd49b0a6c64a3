"""`fastgrad bench`: how fast each engine is on this machine, with one worker and with more."""

from fastgrad.bench.measure import run_bench
from fastgrad.bench.result import BenchResult, Row

__all__ = ["BenchResult", "Row", "run_bench"]
