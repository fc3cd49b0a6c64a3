"""An engine and its workers as one function: values at moved coordinates, counted as they are asked for."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import IndexArray, Values
from fastgrad.engines.protocol import Engine
from fastgrad.execution.budget import Budget
from fastgrad.execution.checkpoint import Checkpoint, NoCheckpoint
from fastgrad.execution.evaluate import evaluate
from fastgrad.execution.job import Advance, Watch, unknown_values


class Evaluator:
    """sample(indices (m,), offsets (m, S)) -> (m, S) values, counted from the engine's origin.

    Parameters
    ----------
    engine : Engine
    seconds : what one evaluation was seen to take
    n_jobs, backend : as joblib.Parallel takes them
    budget : what may be spent
    keeper : where finished values are kept
    """

    def __init__(
        self,
        engine: Engine,
        seconds: float,
        n_jobs: int | None,
        backend: Any,
        budget: Budget | None = None,
        keeper: NoCheckpoint | Checkpoint | None = None,
    ) -> None:
        self.budget = budget or Budget()
        self.keeper = keeper or NoCheckpoint()
        self.engine = engine
        self.seconds = seconds
        self.n_jobs = n_jobs
        self.backend = backend
        self.evaluations = 0
        self.elapsed = 0.0
        self.most_workers = 1
        self.notes: tuple[str, ...] = ()

    def __call__(self, indices: IndexArray, offsets: Values, advance: Advance = lambda count: None) -> Values:
        """The values, NaN for what the budget had no room for; `advance` is told of finished coordinates."""
        values, _ = self.as_far_as_possible(indices, offsets, advance)
        return values

    def as_far_as_possible(
        self,
        indices: IndexArray,
        offsets: Values,
        advance: Advance = lambda count: None,
        watch: Watch | None = None,
    ) -> tuple[Values, npt.NDArray[np.bool_]]:
        """The values, and (m,) which coordinates have theirs."""
        values = unknown_values(offsets.shape, self.engine.dtype)
        known = np.zeros(len(indices), dtype=bool)
        if offsets.size == 0:
            return values, known
        rows = self.budget.rows(offsets.shape[1])
        some = slice(0, len(indices) if rows is None else min(rows, len(indices)))
        if self.budget.is_over() or some.stop == 0:
            return values, known
        began = time.perf_counter()
        run = evaluate(
            self.engine,
            indices[some],
            offsets[some],
            seconds=self.seconds,
            n_jobs=self.n_jobs,
            backend=self.backend,
            advance=advance,
            watch=watch,
            budget=self.budget,
            keeper=self.keeper,
        )
        self.elapsed += time.perf_counter() - began
        known[some] = True if run.missing is None else ~run.missing
        if some.stop == len(indices):
            values = run.values
        else:
            values[some] = run.values
            self.budget.rows(offsets.shape[1])
        count = int(known.sum()) * offsets.shape[1]
        self.evaluations += count
        self.budget.spend(count)
        self.most_workers = max(self.most_workers, run.n_jobs)
        self.notes += tuple(note for note in run.notes if note not in self.notes)
        return values, known

    @property
    def seconds_each(self) -> float:
        """What an evaluation was seen to take, on as many workers as there are."""
        return self.elapsed / self.evaluations if self.evaluations else self.seconds
