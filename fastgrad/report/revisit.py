"""What can still be asked of a check that has ended: the user's cost, once more.

`report.build` makes a `Revisit` of what the check used, and nothing is evaluated until somebody asks. It
holds the user's cost, parameters and data, so that it is let go where a report is kept for long, and stays
behind where a report goes to another process.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgrad.arrays import Floats
from fastgrad.coordinates.derivatives import Measured
from fastgrad.coordinates.engines import Engines
from fastgrad.engines.base import told_apart
from fastgrad.engines.protocol import Engine
from fastgrad.engines.python import PythonEngine
from fastgrad.errors import InputError
from fastgrad.execution.run import Run
from fastgrad.execution.workers import one_blas_thread
from fastgrad.printable import printable
from fastgrad.problem.describe import quoted
from fastgrad.problem.parameters import Parameters
from fastgrad.report.findings import Arrays
from fastgrad.specification import Specification
from fastgrad.verdict.rule import Comparison

ROUNDINGS = 1024.0
"""By how many roundings the cost at the parameters may differ from what it was: an engine that knows the
layers of a network adds up in another order than the network's own cost."""

SIGMAS = 8.0
"""By how much of its noise."""

Context = Callable[[], AbstractContextManager[Any]]

GONE = "the cost is no longer at hand: the report was copied, came from another process, or was let go"

CHANGED = (
    "the cost at the parameters was {was} when it was checked and is {now}: the parameters, or the data of "
    "the cost, have changed since"
)


class CannotRevisitError(Exception):
    """Nothing can be asked of the check any more; the text says why, as a sentence without a full stop."""


@dataclass(frozen=True, eq=False)
class Ended:
    """What a check used, and what it found."""

    spec: Specification
    engine: Engine
    """For real points."""
    cost: float
    noise: float
    """The largest standard deviation of a value, 0 where nothing is known."""
    seconds: float
    """What an evaluation at the parameters took."""
    seconds_each: float
    """What one of many took, by one worker."""
    arrays: Arrays
    comparison: Comparison
    steps: Floats | None
    """(m,) the step of each checked coordinate; None where other points than the parameters were moved."""
    noise_parts: dict[str, tuple[float, float]]


class Revisit:
    """A check that has ended, of which something can still be asked, by one thread after the other.

    Parameters
    ----------
    ended : Ended
    """

    def __init__(self, ended: Ended) -> None:
        self._ended: Ended | None = ended
        self._context: Context = nullcontext
        self._one_at_a_time = threading.RLock()  # engines move the parameters in place

    @classmethod
    def of(
        cls,
        spec: Specification,
        engines: Engines,
        found: Measured,
        run: Run,
        arrays: Arrays,
        comparison: Comparison,
    ) -> Revisit:
        """Of a check that ends; the private copies of the parameters are freed."""
        evaluator = engines.in_reals
        evaluator.engine.release()
        noise = max((sigma for sigma in found.noise.values() if np.isfinite(sigma)), default=0.0)
        return cls(
            Ended(
                spec,
                evaluator.engine,
                engines.cost,
                noise,
                engines.seconds,
                _seconds_each(engines, run.most_workers),
                arrays,
                comparison,
                found.steps,
                dict(found.noise_parts),
            )
        )

    @property
    def ended(self) -> Ended:
        """What is known of it.

        Raises
        ------
        CannotRevisitError
            Where it was let go.
        """
        if self._ended is None:
            raise CannotRevisitError(GONE)
        return self._ended

    def let_go(self) -> None:
        """Hold on to nothing of the user's any more."""
        self._ended, self._context = None, nullcontext

    def inside(self, context: Context) -> None:
        """Call the cost inside a context from now on, such as one that puts random generators back.

        Parameters
        ----------
        context : what makes it
        """
        self._context = context

    @contextmanager
    def called(self) -> Iterator[Ended]:
        """What is known of the check, and a context in which its cost may be called.

        Raises
        ------
        CannotRevisitError
            Where it was let go.
        """
        ended = self.ended
        with self._one_at_a_time, self._context(), one_blas_thread(), np.errstate(all="ignore"):
            yield ended

    @contextmanager
    def moved(self) -> Iterator[Moved]:
        """The parameters, to be moved again: the cost is evaluated there once, and must be what it was.

        Raises
        ------
        CannotRevisitError
            Where it was let go, where the cost is another one by now, and where it raises.
        """
        with self._one_at_a_time:
            moved = Moved(self.ended)
            try:
                with self.called():
                    moved.require_same()
                    yield moved
                    moved.engine.finish()
            except CannotRevisitError:
                raise
            except InputError as error:
                raise CannotRevisitError(printable(str(error))) from None
            except (Exception, SystemExit) as error:
                raise CannotRevisitError(f"the cost raised {printable(quoted(error))}") from None
            finally:
                moved.engine.release()


def _seconds_each(engines: Engines, workers: int) -> float:
    """What an evaluation at a moved coordinate takes, when one coordinate is moved at a time."""
    engine, each = engines.in_reals.engine, engines.in_reals.seconds_each * workers
    if engine.moves_together:
        return engines.seconds
    return each if engine.knows_layers else min(each, engines.seconds)


class Moved:
    """The cost where single parameters are moved, after the check.

    Where the check moved nodes, the parameters themselves are moved, by calls of the cost.

    Parameters
    ----------
    ended : Ended
    """

    def __init__(self, ended: Ended) -> None:
        self.ended, spec = ended, ended.spec
        self.parameters: Parameters = spec.parameters
        self._plain = PythonEngine(spec.problem.cost, spec.parameters, spec.problem.args)
        self.engine: Engine = ended.engine if ended.engine.space.is_plain else self._plain
        self.seconds_each = ended.seconds_each if ended.engine.space.is_plain else ended.seconds

    def require_same(self) -> None:
        """See that the cost at the parameters is what it was.

        An engine that knows the layers computed at the parameters once and for all: there the cost itself
        tells.

        Raises
        ------
        CannotRevisitError
            Where it is not.
        """
        ended, engine = self.ended, self.engine
        teller = self._plain if ended.engine.knows_layers else engine
        now = teller.baseline()
        if engine is self._plain:  # which the check may never have called
            began = time.perf_counter()
            now = teller.baseline()
            self.seconds_each = time.perf_counter() - began
        epsilon = max(teller.epsilon, engine.epsilon, float(np.finfo(np.float64).eps))
        if teller is not engine:  # which computes in float64 whatever the parameters are
            epsilon = max(epsilon, *(float(np.finfo(leaf.dtype).eps) for leaf in self.parameters.leaves))
        allowed = ROUNDINGS * epsilon * abs(ended.cost) + SIGMAS * ended.noise
        if not abs(now - ended.cost) <= allowed:
            was, is_now = told_apart(ended.cost, now)
            raise CannotRevisitError(CHANGED.format(was=was, now=is_now))

    def values(self, index: int, offsets: Floats) -> Floats:
        """(s, k) the cost where one parameter is moved by offsets (s, k), less the same number for all.

        Engines choose for a row how its values are computed, and the most exact way is for small offsets.

        Parameters
        ----------
        index : flat index of the parameter
        offsets : (s, k)
        """
        return np.asarray(self.engine.values(np.full(len(offsets), index, dtype=np.intp), offsets))
