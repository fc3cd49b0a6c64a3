"""The kernel of fixed size that every benchmark's seconds are divided by, timed beside it in the same run."""

from __future__ import annotations

import statistics
import time

import numpy as np
import threadpoolctl

SIZE = 192
LOOPS = 8_000


def reference_kernel() -> float:
    """A matrix product and tanh, then a loop in Python: some 1 ms of arithmetic and of interpreter."""
    a = np.linspace(-1, 1, SIZE * SIZE).reshape(SIZE, SIZE)
    total = float(np.tanh(a @ a.T).sum())
    for k in range(LOOPS):
        total += 1.0 / (k + 1)
    return total


def reference_seconds(rounds: int = 9) -> list[float]:
    """What it took, several times over, BLAS held to one thread."""
    seconds = []
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        reference_kernel()
        for _ in range(rounds):
            began = time.perf_counter()
            reference_kernel()
            seconds.append(time.perf_counter() - began)
    return seconds


def median_of(*parts: list[float]) -> float:
    """The median of several lists of seconds taken together."""
    return statistics.median(second for part in parts for second in part)
