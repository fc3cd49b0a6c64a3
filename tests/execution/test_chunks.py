"""How a plan is cut: chunks cover it once, and take equally long."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import slow_waves, waves_batch

from fastgrad.engines.batched import BatchedEngine
from fastgrad.engines.python import PythonEngine
from fastgrad.execution import chunks, job
from fastgrad.execution.budget import Budget
from fastgrad.execution.evaluate import evaluate
from fastgrad.execution.run import Run
from fastgrad.execution.value_store import NoCheckpoint
from fastgrad.execution.workers import Workers
from fastgrad.problem.parameters import Parameters

pytestmark = pytest.mark.usefixtures("many_short_chunks")


def job_of(engine, total, prices):
    """A plan of so many coordinates of which nothing is known yet."""
    indices, offsets = np.arange(total), np.empty((total, 2))
    kept = job.KnownValues.of(engine, indices, offsets, NoCheckpoint())
    return job.Job(engine, indices, offsets, kept, prices, Budget())


class TestChunks:
    @given(
        total=st.integers(1, 5000),
        done=st.integers(0, 5000),
        seconds=st.floats(1e-8, 10),
        count=st.integers(1, 64),
        n=st.integers(1, 10_000),
        seed=st.integers(0, 1000),
    )
    def test_partition(self, total, done, seconds, count, n, seed):
        """Chunks cover what is left, once each, and start at multiples of the granularity."""
        prices = np.random.default_rng(seed).uniform(0.1, 10, total)
        engine = BatchedEngine(waves_batch, Parameters(np.ones(n)))
        done = min(total, done) // engine.granularity * engine.granularity
        work = job_of(engine, total, prices)
        pieces = list(chunks.cut(work, slice(done, total), seconds, Workers(count, "threads")))
        assert [i for c in pieces for i in range(c.start, c.stop)] == list(range(done, total))
        assert all(c.start % engine.granularity == 0 for c in pieces)

    def test_dear_coordinates_make_short_chunks(self):
        """Chunks are cut to take as long: where a coordinate costs ten times as much they hold a tenth."""
        engine = PythonEngine(slow_waves, Parameters(np.ones(4000)))
        work = job_of(engine, 4000, np.repeat([1.0, 10.0], 2000))
        pieces = list(chunks.cut(work, slice(0, 4000), 1e-3, Workers(2, "threads")))
        lengths = [c.stop - c.start for c in pieces]
        assert lengths[0] == 10 * lengths[-2]
        assert max(work.price(c) for c in pieces) <= 1.2 * min(work.price(c) for c in pieces[:-1])

    def test_progress_adds_up(self):
        """Progress is told of each coordinate once, whoever did it."""
        told = []
        engine = PythonEngine(slow_waves, Parameters(np.ones(50)))

        def watch(chunk, values):
            told.append(len(values))

        evaluate(engine, np.arange(50), np.zeros((50, 2)), Run(n_jobs=2), seconds=1e-3, watch=watch)
        assert sum(told) == 50
