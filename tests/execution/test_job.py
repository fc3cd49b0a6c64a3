"""A plan being evaluated: what is known, and what is missing."""

from __future__ import annotations

import numpy as np

from fastgrad.engines.python import PythonEngine
from fastgrad.execution.budget import Budget
from fastgrad.execution.checkpoint import Checkpoint
from fastgrad.execution.job import Job, KnownValues, unknown_values
from fastgrad.execution.value_store import NoCheckpoint
from fastgrad.problem.parameters import Parameters

INDICES, OFFSETS = np.arange(6), np.full((6, 2), 0.25)


def engine():
    """An engine of the sum."""
    return PythonEngine(lambda x: float(np.sum(x)), Parameters(np.zeros(6)))


def test_unknown_is_nan_in_both_parts():
    """A complex value that is not known has no derivative in its imaginary part either."""
    values = unknown_values((2, 1), np.complex128)
    assert np.isnan(values.real).all()
    assert np.isnan(values.imag).all()


def test_gaps_are_what_was_not_stored():
    """What is stored leaves gaps around it, until all is known."""
    known = KnownValues.of(engine(), INDICES, OFFSETS, NoCheckpoint())
    assert known.there().tolist() == []
    known.store(slice(2, 4), np.ones((2, 2)))
    assert known.gaps == [slice(0, 2), slice(4, 6)]
    assert known.missing().tolist() == [True, True, False, False, True, True]
    assert known.there().tolist() == [2, 3]
    known.store(slice(0, 2), np.ones((2, 2)))
    known.store(slice(4, 6), np.ones((2, 2)))
    assert known.gaps == []
    assert known.missing() is None
    assert known.there().tolist() == [0, 1, 2, 3, 4, 5]


def test_chunks_that_overlap():
    """A chunk inside an earlier one makes no gap of what the earlier one knows."""
    known = KnownValues.of(engine(), INDICES, OFFSETS, NoCheckpoint())
    known.store(slice(0, 5), np.ones((5, 2)))
    known.store(slice(1, 3), np.ones((2, 2)))
    assert known.gaps == [slice(5, 6)]


def test_a_checkpoint_is_asked_first(tmp_path):
    """Chunks that an earlier run stored are known from the start."""
    for run in range(2):
        with Checkpoint(tmp_path / "run", {}) as checkpoint:
            known = KnownValues.of(engine(), INDICES, OFFSETS, checkpoint)
            assert known.gaps == ([slice(0, 6)] if run == 0 else [slice(0, 1), slice(3, 6)])
            if run == 0:
                known.store(slice(1, 3), np.full((2, 2), 7.0))
    assert known.values[1:3].tolist() == [[7.0, 7.0], [7.0, 7.0]]


def test_a_job_runs_a_chunk():
    """A chunk that is run here is stored, and shown to who watches."""
    seen = []
    known = KnownValues.of(engine(), INDICES, OFFSETS, NoCheckpoint())
    job = Job(engine(), INDICES, OFFSETS, known, np.ones(6), Budget(), lambda c, v: seen.append((c, v.shape)))
    job.run(slice(1, 3))
    assert known.values[1:3].tolist() == [[0.25, 0.25], [0.25, 0.25]]
    assert seen == [(slice(1, 3), (2, 2))]
    assert job.price(slice(0, 4)) == 4.0
