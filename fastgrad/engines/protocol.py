"""What an engine is: it evaluates the cost at points that each differ from the parameters in one coordinate.

`execution` calls `values` chunk by chunk, with coordinates (m,) and offsets (m, S), and gets values (m, S).
A new engine is a module with these methods and a function in `choose`. The tests compare its values with
those of the Python engine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from fastgrad.arrays import Floats, IndexArray, Values
from fastgrad.engines.numbers import DType
from fastgrad.engines.space import Space
from fastgrad.problem.parameters import Parameters

EvaluateAll = Callable[["Engine", IndexArray, Values], Values]
"""evaluate_all(engine, indices (m,), offsets (m, S)) -> (m, S): an engine's values, computed on all
workers."""


class Engine(Protocol):
    """One way of evaluating the cost at many perturbed points.

    An engine owns a private copy of the parameters, so one engine serves one worker at a time;
    `for_worker` makes a twin for another thread. Pickling makes a twin for another process.
    """

    name: str
    parameters: Parameters
    """What the engine moves: the user's parameters, or those of `space`."""
    args: tuple[Any, ...]
    """What the cost takes beside the parameters. Arrays are the user's, lists and dicts its own."""
    space: Space
    """How the user's derivatives follow from those with respect to `parameters`."""
    dtype: DType
    """The dtype of values: float64, or complex128 for the complex step."""
    workers: str
    """Where chunks run side by side: in "threads", in "processes", or nowhere ("one")."""
    origin: float
    """What `values` subtracts from the cost: 0, or the cost at the parameters for an engine that computes
    changes of the cost with a smaller rounding error than the cost itself."""
    epsilon: float
    """Machine epsilon of the dtype that the cost returns (a float32 cost rounds in float32); known after
    `baseline`."""
    notes: tuple[str, ...]
    """Sentences for the report: why this engine is used, and what it does to the cost."""
    preparation: str
    """What `baseline` may spend seconds on, shown to the waiting user; empty where `baseline` is fast."""
    points_of_baseline: int
    """Evaluations that `baseline` makes."""
    quoted: str
    """The exception that the cost last raised at a point outside its domain, as text; empty if it raised
    none."""
    raised: list[str]
    """The first such exception; threads share it, processes do not tell of theirs."""
    incremental: bool
    """Whether the engine computes only what a perturbation changes. An evaluation then takes far less time
    than the cost itself, and coordinates of one call share work."""
    knows_layers: bool
    """Whether the engine propagates changes through layers that it knows. Coordinates of a block are then
    alike, and its values right by construction, so that a block is calibrated at a few coordinates and no
    second witness is asked."""
    moves_together: bool
    """Whether one evaluation moves many coordinates, whose values it tells apart."""
    overhead: float
    """The work of a call of `values` by itself, in units of `prices`: chunks are large beside it."""
    granularity: int
    """The number of coordinates in a chunk is a multiple of this one, so that values do not depend on where
    the plan is cut into chunks."""

    def baseline(self) -> float:
        """The cost at the parameters.

        Raises
        ------
        InputError
            Where the cost does not return one number, or writes to its parameters.
        """

    def values(self, indices: IndexArray, offsets: Values) -> Values:
        """The cost at theta + offsets[k, s] * e_indices[k], for k < m and s < S, less `origin`; shape (m, S).

        Where the cost raises one of DOMAIN_ERRORS the value is NaN, and `quoted` says what the cost raised.
        """

    def prepared(self, indices: IndexArray, offsets: Values, evaluate_all: EvaluateAll) -> Engine:
        """The engine itself, or a twin that holds what all coordinates of a plan have in common.

        `execution` calls this once, before it cuts the plan into chunks.
        """

    def prices(self, indices: IndexArray) -> Floats | None:
        """The relative work of each coordinate's evaluations, (m,); None where all take the same."""

    def finish(self) -> None:
        """Refuse, after the last values, a cost that wrote to its parameters at a perturbed point."""

    def pause(self) -> None:
        """Refuse such a cost between two calls of `values`; of many parameters this compares only some."""

    def for_worker(self) -> Engine:
        """A twin with its own private copy of the parameters, and its own copy of a cost that keeps state."""

    def release(self) -> None:
        """Free the private copy of the parameters; the next evaluation makes a new one."""
