"""A job: which values of a plan are known, which are missing, and who is told of finished chunks."""

from __future__ import annotations

import numpy as np
import pytest
from problems import sphere

from fastgrad.engines.python import PythonEngine
from fastgrad.execution.budget import Budget
from fastgrad.execution.checkpoint import Checkpoint, NoCheckpoint
from fastgrad.execution.job import Job, KnownValues, unknown_values
from fastgrad.problem.parameters import Parameters

INDICES = np.arange(6)
OFFSETS = np.full((6, 2), 0.5)


def known(keeper=None):
    """What is known of a plan of six coordinates, and the engine that would evaluate it."""
    engine = PythonEngine(sphere, Parameters(np.arange(6.0)))
    return KnownValues.of(engine, INDICES, OFFSETS, keeper or NoCheckpoint()), engine


class TestUnknownValues:
    @pytest.mark.parametrize("dtype", [np.float64, np.complex128])
    def test_all_nan(self, dtype):
        """Nothing is known of either part: the derivative of the complex step is the imaginary one."""
        values = unknown_values((2, 3), dtype)

        assert values.dtype == dtype
        assert np.isnan(values.real).all()
        assert np.isnan(values.imag).all() == (dtype is np.complex128)


class TestKnownValues:
    @pytest.mark.parametrize(
        ("chunks", "gaps"),
        [
            ([], [(0, 6)]),
            ([(2, 4)], [(0, 2), (4, 6)]),
            ([(4, 6), (0, 2)], [(2, 4)]),
            ([(0, 4), (2, 6)], []),
            ([(0, 3), (0, 1)], [(3, 6)]),
            ([(0, 5), (1, 3)], [(5, 6)]),
        ],
    )
    def test_gaps(self, chunks, gaps):
        """What is missing is the rest of the plan, in whatever order chunks came, overlapping or not."""
        kept, _ = known()
        for start, stop in chunks:
            kept.store(slice(start, stop), np.ones((stop - start, 2)))
        inside = [k for start, stop in gaps for k in range(start, stop)]
        missing = kept.missing()

        assert [(gap.start, gap.stop) for gap in kept.gaps] == gaps
        assert (missing is None) == (gaps == [])
        assert np.flatnonzero(np.isnan(kept.values[:, 0])).tolist() == inside
        assert missing is None or np.flatnonzero(missing).tolist() == inside

    def test_found_again(self, tmp_path):
        """Chunks that went into a checkpoint are known to the next run of the same plan."""
        with Checkpoint(tmp_path / "run", {}) as first:
            known(first)[0].store(slice(1, 3), np.array([[1.0, 2.0], [3.0, 4.0]]))
        with Checkpoint(tmp_path / "run", {}) as second:
            kept, _ = known(second)

        assert kept.ranges == [(1, 3)]
        assert kept.values[1:3].tolist() == [[1.0, 2.0], [3.0, 4.0]]


class TestJob:
    def test_run(self):
        """A chunk that was run is known, and whoever watches is shown it with its values."""
        kept, engine = known()
        shown = []

        def watch(chunk, values):
            shown.append((chunk, values.shape))

        job = Job(engine, INDICES, OFFSETS, kept, np.arange(6.0), Budget(), watch)

        job.run(slice(2, 5))

        assert kept.values[2:5].tolist() == [
            [sphere(np.arange(6.0) + 0.5 * (np.arange(6) == k))] * 2 for k in (2, 3, 4)
        ]
        assert shown == [(slice(2, 5), (3, 2))]
        assert job.price(slice(2, 5)) == 2 + 3 + 4
