"""The one question that every engine answers: the cost at points that each differ in one coordinate.

A new engine is a file with these methods and a line in `choose.py`. Its values are tested against the Python
engine's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import IndexArray, Values
from fastgrad.engines.space import Space
from fastgrad.problem.parameters import Parameters

Run = Callable[["Engine", IndexArray, Values], Values]
"""run(engine, indices, offsets): all values of a plan, on all workers."""


class Engine(Protocol):
    """One way of evaluating the cost at many perturbed points.

    An engine owns a private copy of the parameters, so one engine serves one worker at a time;
    `for_worker` makes a twin for another thread, pickling makes one for another process.
    """

    name: str
    parameters: Parameters
    """What is moved: the user's parameters, or those of `space`."""
    space: Space
    """How the user's derivatives follow from those of what is moved."""
    dtype: type[np.float64] | type[np.complex128]
    """The dtype of values: float64, or complex128 for the complex step."""
    workers: str
    """Where chunks run side by side: in "threads", in "processes", or nowhere ("one")."""
    origin: float
    """What values are counted from: 0, or the cost at the parameters for an engine that knows changes of
    the cost more exactly than the cost itself."""
    epsilon: float
    """Machine epsilon of what the cost returns, known after `baseline`: a float32 cost rounds in float32."""
    notes: tuple[str, ...]
    """What the report should say of how this engine came to be used."""
    preparation: str
    """What `baseline` may take seconds for, said to a waiting user; empty where it does not."""
    points_of_baseline: int
    """Evaluations that `baseline` makes."""
    quoted: str
    """What the cost last raised at a perturbed point, outside its domain; empty if it never did."""
    incremental: bool
    """Whether only what a perturbation changes is computed: an evaluation then takes far less time than the
    cost itself, and coordinates that are asked for together share work."""
    granularity: int
    """Chunks hold a multiple of so many coordinates, that results do not depend on where they are cut."""

    def baseline(self) -> float:
        """The cost at the parameters, having seen that it is one number and left them as they were."""

    def values(self, indices: IndexArray, offsets: Values) -> Values:
        """The cost at theta + offsets[k, s] * e_indices[k], for k < m and s < S, shape (m, S).

        Where the cost raises one of DOMAIN_ERRORS the value is NaN, and `quoted` says what was raised.
        """

    def prepared(self, indices: IndexArray, offsets: Values, run: Run) -> Engine:
        """The engine itself, or one that holds what the coordinates of a whole plan have in common.

        It is asked once, before the plan is cut into chunks; `run` evaluates on all workers.
        """

    def prices(self, indices: IndexArray) -> npt.NDArray[np.float64] | None:
        """What a coordinate's evaluations cost, relative to the others'; None where all cost the same."""

    def finish(self) -> None:
        """See, after the last values, that the cost left the parameters alone at perturbed points too."""

    def pause(self) -> None:
        """The same between values, where `finish` is still to come: of very many parameters some will do."""

    def for_worker(self) -> Engine:
        """A twin with parameters (and where it has state, a cost) of its own."""

    def release(self) -> None:
        """Give the private copy of the parameters back; the next evaluation makes a new one."""
