"""An engine and its workers as one function: values at moved coordinates, counted as they are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgrad.engines.base import Engine, Values
from fastgrad.parallel import Advance, evaluate
from fastgrad.parameters import IndexArray


class Sampler:
    """sample(indices (m,), offsets (m, S)) -> (m, S) values, counted from the engine's origin.

    Parameters
    ----------
    engine : Engine
    seconds : what one evaluation was seen to take
    n_jobs, backend : as joblib.Parallel takes them
    """

    def __init__(self, engine: Engine, seconds: float, n_jobs: int | None, backend: Any) -> None:
        self.engine = engine
        self.seconds = seconds
        self.n_jobs = n_jobs
        self.backend = backend
        self.evaluations = 0
        self.most_workers = 1
        self.notes: tuple[str, ...] = ()

    def __call__(self, indices: IndexArray, offsets: Values, advance: Advance = lambda count: None) -> Values:
        """The values; `advance` is told of finished coordinates."""
        if offsets.size == 0:
            return np.empty(offsets.shape, dtype=self.engine.dtype)
        run = evaluate(
            self.engine,
            indices,
            offsets,
            seconds=self.seconds,
            n_jobs=self.n_jobs,
            backend=self.backend,
            advance=advance,
        )
        self.evaluations += offsets.size
        self.most_workers = max(self.most_workers, run.n_jobs)
        self.notes += tuple(note for note in run.notes if note not in self.notes)
        return run.values
