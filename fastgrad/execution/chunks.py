"""How a plan is cut into chunks: a timed pilot first, then chunks that are predicted to take equally long.

`evaluate` runs the pilot and hands the chunks, slices of the plan's coordinates, to the workers.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from fastgrad.execution.job import Job
from fastgrad.execution.workers import Workers

PILOT_SECONDS = {"threads": 0.001, "processes": 0.005, "cluster": 0.005}
"""Work done in the caller first: it sets the measured price of a coordinate, and none of it is wasted, but
other workers wait for it."""

PILOT_START = 64
"""The first piece of a pilot is at most so large, though a cost is expected to be quick: it may be wrong."""

PILOT_GROWTH = 16
"""The next piece of a pilot is at most so many times the last, whose timing may be that of a hiccup."""

SHORTEST_CHUNK = {"threads": 0.003, "processes": 0.2, "cluster": 0.1}
"""Seconds a chunk should take at least. Handing over an empty one of 2,410 parameters took 0.2 ms to a thread
and 1.6 ms to a process (pickle, BLAS limit). To a dask worker it took 6 ms, most of them while the worker had
another one."""

LONGEST_CHUNK = 0.5
"""Seconds a chunk should take at most, so that Ctrl-C and progress are answered soon."""

WORTH_SHUFFLING = 2.0
"""Seconds of work that are done in a random order of chunks."""

OVERHEADS = 4.0
"""The least work of a chunk, in units of what a call takes by itself."""

CHUNKS_PER_WORKER = 16
"""Chunks for each worker where the work is long enough: the last ones to finish leave little idle."""


def in_order(chunks: list[slice], seconds: float) -> list[slice]:
    """Chunks of long work in a random order, so that where it is stopped something of each block is known."""
    if seconds < WORTH_SHUFFLING:
        return chunks
    return [chunks[k] for k in np.random.default_rng(0).permutation(len(chunks))]


def run_pilot(job: Job, gap: slice, seconds_each: float, kind: str) -> float:
    """Do a little of the work here, more until it can be timed: the seconds that it took, for price 1.

    seconds_each is what a coordinate is expected to take, until one was timed.
    """
    total, done, enough = gap.stop, gap.start, PILOT_SECONDS[kind]
    seconds_each /= float(job.prices[done])
    size = job.engine.granularity * int(np.clip(enough / max(4 * seconds_each, 1e-9), 1, PILOT_START))
    while done < total and seconds_each * job.prices[done] < enough and not job.budget.is_over():
        chunk = slice(done, min(done + size, total))
        began = time.perf_counter()
        job.run(chunk)
        elapsed = time.perf_counter() - began
        done = chunk.stop
        seconds_each = elapsed / (job.price(chunk) + job.engine.overhead)
        if elapsed > enough:
            break
        size *= int(np.clip(enough / max(elapsed, 1e-9), 2, PILOT_GROWTH))  # a coarse clock may stand still
    return seconds_each


def cut(job: Job, gap: slice, seconds_each: float, workers: Workers) -> Iterator[slice]:
    """Slices of a gap: multiples of the granularity, of a price worth handing over.

    All are predicted to take as long, so that workers finish together.
    """
    total, done, grain = gap.stop, gap.start, job.engine.granularity
    ideal = job.price(gap) * seconds_each / (workers.count * CHUNKS_PER_WORKER)
    ideal = min(float(np.clip(ideal, SHORTEST_CHUNK[workers.kind], LONGEST_CHUNK)), job.budget.longest_chunk)
    target = max(ideal / max(seconds_each, 1e-12), OVERHEADS * job.engine.overhead)
    spent = np.concatenate(([0.0], np.cumsum(job.prices[gap])))
    start = 0
    while start < total - done:
        end = int(np.searchsorted(spent, spent[start] + target, side="right")) - 1
        end = start + grain * max(1, (end - start) // grain)
        yield slice(done + start, min(done + end, total))
        start = end
