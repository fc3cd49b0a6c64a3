"""An engine within a run, as one function: (m,) coordinates and (m, S) offsets in, (m, S) values out.

Calibration, stages, probes and the forecast all ask an `Evaluator`. It keeps within the budget, counts what
was evaluated, and times it.
"""

from __future__ import annotations

import time

import numpy as np

from fastgrad.arrays import Bools, IndexArray, Values
from fastgrad.engines.protocol import Engine
from fastgrad.execution.evaluate import evaluate
from fastgrad.execution.job import Watch, unknown_values
from fastgrad.execution.run import Run


class Evaluator:
    """evaluate(indices (m,), offsets (m, S)) -> (m, S) values, counted from the engine's origin.

    Parameters
    ----------
    engine : Engine
    seconds : what one evaluation was seen to take
    run : Run
    """

    def __init__(self, engine: Engine, seconds: float, run: Run) -> None:
        self.engine = engine
        self.seconds = seconds
        self.run = run
        self.evaluations = 0
        self.elapsed = 0.0

    def __call__(self, indices: IndexArray, offsets: Values) -> Values:
        """The values; NaN for what the budget had no room for."""
        return self.as_far_as_possible(indices, offsets)[0]

    def as_far_as_possible(
        self, indices: IndexArray, offsets: Values, watch: Watch | None = None
    ) -> tuple[Values, Bools]:
        """The values, and (m,) which coordinates have theirs; `watch` is shown finished chunks."""
        values = unknown_values(offsets.shape, self.engine.dtype)
        known = np.zeros(len(indices), dtype=bool)
        budget, each = self.run.budget, offsets.shape[1]
        if offsets.size == 0:
            return values, known
        rows = budget.rows(each)
        some = slice(0, len(indices) if rows is None else min(rows, len(indices)))
        if budget.is_over() or some.stop == 0:
            return values, known
        began = time.perf_counter()
        found = evaluate(
            self.engine, indices[some], offsets[some], self.run, seconds=self.seconds, watch=watch
        )
        self.elapsed += time.perf_counter() - began
        known[some] = True if found.missing is None else ~found.missing
        if some.stop == len(indices):
            values = found.values
        else:
            values[some] = found.values
        lost = int(np.count_nonzero(~np.isfinite(values[known])))
        if lost:
            self.run.lose(lost, self.engine.raised[0] if self.engine.raised else "")
        count = int(known.sum()) * each
        self.evaluations += count
        budget.spend(count)
        self.run.most_workers = max(self.run.most_workers, found.n_jobs)
        self.run.note(*found.notes)
        return values, known

    @property
    def seconds_each(self) -> float:
        """What an evaluation was seen to take, on as many workers as there are."""
        return self.elapsed / self.evaluations if self.evaluations else self.seconds
