"""Chunks in worker processes, and how an exception of the cost gets from there to the caller.

`evaluate` calls `in_processes` for engines that do not release the GIL.
"""

from __future__ import annotations

import contextlib
import pickle
import signal
import threading
import traceback
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np

from fastgrad.arrays import IndexArray, Values
from fastgrad.engines.protocol import Engine
from fastgrad.errors import WorkerError
from fastgrad.execution.job import Job
from fastgrad.execution.workers import Workers, closing_quietly, one_blas_thread, run_tasks
from fastgrad.printable import printable_lines


def in_processes(
    job: Job, chunks: Iterator[slice], workers: Workers
) -> Generator[tuple[slice, Values], None, None]:
    """Chunks and their values, each from a worker process with an engine of its own."""
    job.engine.finish()
    job.engine.release()  # the workers have their own; the caller's would only take up memory
    tasks = ((job.engine, c, job.indices[c], job.offsets[c]) for c in chunks)
    answers = run_tasks(workers, _run_in_process, tasks, job.budget.seconds is None)
    with closing_quietly(answers):
        for chunk, answer in answers:
            if isinstance(answer, Raised):
                raise answer.error()
            yield chunk, answer


def _run_in_process(
    engine: Engine, chunk: slice, indices: IndexArray, offsets: Values
) -> tuple[slice, Values | Raised]:
    with one_blas_thread(), _deaf_to_ctrl_c():
        return chunk, answer_of(engine, indices, offsets)


def answer_of(engine: Engine, indices: IndexArray, offsets: Values) -> Values | Raised:
    """A worker's answer: the values (m, S) of some coordinates, or what the cost raised.

    Parameters
    ----------
    engine : Engine
    indices : (m,)
    offsets : (m, S)
    """
    try:
        values = engine.values(np.asarray(indices), np.asarray(offsets))
        engine.finish()
        return values
    except BaseException as error:  # SystemExit too: the caller is to hear of it, and the worker to live on
        return Raised.of(error)


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Leave Ctrl-C to the caller's process, to which the terminal sends it too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@dataclass(frozen=True)
class Raised:
    """An exception of the cost on its way from a worker, as text too: not every exception can be pickled."""

    pickled: bytes | None
    text: str

    @classmethod
    def of(cls, error: BaseException) -> Raised:
        """An exception as it travels."""
        import cloudpickle

        text = "".join(traceback.format_exception(error))
        try:
            data = cloudpickle.dumps(error)
            pickle.loads(data)
        except Exception:
            data = None
        return cls(data, text)

    def error(self) -> BaseException:
        """The exception, or where it could not travel a WorkerError that quotes it."""
        if self.pickled is None:
            return WorkerError("the cost raised in a worker:", self.text, code="FG931")
        error: BaseException = pickle.loads(self.pickled)
        error.add_note(f"fastgrad: in a worker process\n{printable_lines(self.text)}")
        return error


def reason_not_sent(error: BaseException) -> str:
    """The last line that says something: loky hands a worker's traceback over as the cause's text."""
    lines = str(error.__cause__ or error).replace('"', "").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), repr(error))
