"""What runs in a worker: costs that cannot travel, deaths, and memory maps."""

from __future__ import annotations

import mmap
import os

import numpy as np
import pytest
from problems import Unpicklable, slow_waves

import fastgrad
from fastgrad.engines.python import PythonEngine
from fastgrad.execution.evaluate import evaluate
from fastgrad.execution.processes import reason_not_sent
from fastgrad.execution.run import Run
from fastgrad.problem.parameters import Parameters

pytestmark = pytest.mark.usefixtures("many_short_chunks")


def killer(x):
    """A cost that ends its process, when perturbed."""
    if x[0] != 0.0:
        os._exit(7)
    return 1.0


def is_mapped(array):
    """Whether an array's memory is, at bottom, a map of a file."""
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(array, mmap.mmap)


def where_from(x, data):
    """A cost that says whether its parameters and its data are memory maps: 1 + 2 of 3."""
    return float(is_mapped(x)) + 2.0 * is_mapped(data)


def writes_to_data(x, data):
    """A cost that adds one to its data in each call, and says what it found."""
    data += 1
    return float(np.sum(x)) + 0.0 * data[0]


class TestWorkers:
    def test_unpicklable_cost(self):
        """A cost that cannot be pickled gets a clear warning, and is evaluated by one worker."""
        x = np.linspace(0, 1, 30)
        with pytest.warns(
            fastgrad.FastgradWarning, match="cannot be sent to worker .*_thread.lock"
        ) as caught:
            report = fastgrad.check_gradient(Unpicklable(), np.cos, x, n_jobs=2)
        assert caught[0].filename == __file__
        assert (report.n_jobs, report.verdict) == (1, "agree")
        assert 'backend="threading"' in report.notes[0]
        assert f"note: {report.notes[0]}" in str(report)

    def test_unpicklable_cost_in_threads(self):
        """The same cost runs in threads when the user says so."""
        x = np.linspace(0, 1, 30)
        report = fastgrad.check_gradient(Unpicklable(), np.cos, x, n_jobs=2, backend="threading")
        assert (report.n_jobs, report.verdict, report.notes) == (2, "agree", ())

    def test_dead_worker(self):
        """A worker that dies is an error of its own, not a hang."""
        with pytest.raises(fastgrad.WorkerError, match="a worker process died"):
            fastgrad.check_gradient(killer, np.zeros(20), np.zeros(20), n_jobs=2, backend="loky")

    def test_parameters_and_data_are_memory_mapped(self):
        """Large parameters and large data reach worker processes as memory maps."""
        engine = PythonEngine(where_from, Parameters(np.zeros(200_000)), (np.zeros(200_000),))
        run = evaluate(engine, np.arange(8), np.zeros((8, 1)), Run(n_jobs=2, backend="loky"), seconds=1e-4)
        assert run.n_jobs == 2
        assert run.values.ravel().tolist() == [3.0] * 8

    def test_a_worker_cannot_write_to_the_callers_data(self):
        """What a cost writes into its data in a worker process stays there."""
        data = np.zeros(200_000)
        engine = PythonEngine(writes_to_data, Parameters(np.zeros(200_000)), (data,))
        evaluate(engine, np.arange(8), np.zeros((8, 1)), Run(n_jobs=2, backend="loky"), seconds=1e-4)
        assert not data.any()

    def test_memory_mapped_parameters_are_not_written(self, tmp_path):
        """Parameters in a memory-mapped file open for writing are left as they were, by workers too."""
        path = tmp_path / "theta.npy"
        np.save(path, np.linspace(0, 1, 200_000))
        before = path.read_bytes()
        theta = np.load(path, mmap_mode="r+")
        report = fastgrad.check_gradient(
            slow_waves, np.cos(theta), theta, coordinates=12, n_jobs=2, backend="loky"
        )
        assert report.passed
        assert report.n_jobs == 2
        theta.flush()
        assert path.read_bytes() == before


class Stubborn(Exception):
    """An exception that cannot be pickled."""

    def __reduce__(self):
        """Refuse to travel."""
        raise TypeError("not this one")


def raises_stubbornly(x):
    """A cost that raises what cannot be pickled, at the last coordinate: no other task is then cut off."""
    if x[-1] != 0.0:
        raise Stubborn("from the cost")
    return float(np.sum(x))


def raises_ordinarily(x):
    """A cost that raises an exception of its own, at the last coordinate too."""
    if x[-1] != 0.0:
        raise RuntimeError("from the cost")
    return float(np.sum(x))


def in_two_processes(cost):
    """Evaluate a cost once for each of eight coordinates, on two worker processes."""
    engine = PythonEngine(cost, Parameters(np.zeros(8)))
    evaluate(engine, np.arange(8), np.full((8, 1), 0.5), Run(n_jobs=2, backend="loky"), seconds=1e-4)


class TestExceptionsComeHome:
    def test_with_a_note(self):
        """An exception of the cost arrives with its type, and a note has the worker's traceback."""
        with pytest.raises(RuntimeError, match=r"\Afrom the cost\n") as caught:
            in_two_processes(raises_ordinarily)

        assert any(
            note.startswith("fastgrad: in a worker process") and "raises_ordinarily" in note
            for note in caught.value.__notes__
        )

    def test_as_text(self):
        """An exception that cannot be pickled arrives as a WorkerError that quotes it."""
        with pytest.raises(fastgrad.WorkerError, match=r"(?s)the cost raised in a worker:.*from the cost"):
            in_two_processes(raises_stubbornly)


class TestReasonNotSent:
    def test_last_line_that_says_something(self):
        """Of a traceback in text the last line with words is the reason."""
        assert reason_not_sent(ValueError("first\n  the reason  \n\n")) == "the reason"
        assert reason_not_sent(ValueError()) == "ValueError()"
