"""A numerical gradient in the structure of the user's parameters: what `numerical_gradient` returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import IndexArray, Values
from fastgrad.coordinates.derivatives import Measured
from fastgrad.coordinates.engines import Engines
from fastgrad.execution.run import Run
from fastgrad.printable import printable
from fastgrad.problem.parameters import Parameters
from fastgrad.specification import Specification


@dataclass(frozen=True, eq=False)
class NumericalGradient:
    """A numerical gradient: values and error bounds in the structure of the parameters.

    Examples
    --------
    >>> import fastgrad
    >>> found = fastgrad.numerical_gradient(lambda p: p["a"] ** 2, {"a": 3.0})
    >>> round(float(found.values["a"]), 6), bool(found.error_bound["a"] < 1e-6)
    (6.0, True)
    """

    values: Any
    error_bound: Any
    cost: float
    evaluations: int
    seconds: float
    engine: str
    method: str
    n_jobs: int
    notes: tuple[str, ...] = ()
    reused: int = 0
    """Values that came from the checkpoint."""

    @classmethod
    def of(cls, spec: Specification, engines: Engines, found: Measured, run: Run) -> NumericalGradient:
        """From what was measured; entries that are not known are NaN with a bound of inf."""
        stopped = run.budget.stopped
        return cls(
            values=_scattered(spec.parameters, found.indices, found.estimates.numeric, np.nan),
            error_bound=_scattered(spec.parameters, found.indices, found.estimates.error_bound, np.inf),
            cost=engines.cost,
            evaluations=run.evaluations + run.resumption.compared,
            seconds=run.seconds,
            engine=engines.engine.name,
            method=spec.options.method,
            n_jobs=run.most_workers,
            notes=tuple(
                map(
                    printable,
                    (
                        *(*run.resumed, *found.notes, *run.notes_beside(found.notes)),
                        *(*[f"stopped early: {stopped}"] * bool(stopped), *run.overrun),
                    ),
                )
            ),
            reused=run.resumption.taken,
        )


def _scattered(parameters: Parameters, indices: IndexArray, values: Values, unknown: float) -> Any:
    """Values at some coordinates in the structure of the parameters, `unknown` at the others."""
    flat: npt.NDArray[np.float64] = np.full(parameters.size, unknown)
    flat[indices] = values
    return parameters.build_labelled([flat[b.start : b.stop] for b in parameters.blocks])
