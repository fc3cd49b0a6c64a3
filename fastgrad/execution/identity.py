"""The identity of a check: hashes of all that its values depend on.

`Run` hands it to the checkpoint, which refuses a file of another check. What the functions and the data
consist of is apart, by place (`ProblemContents`): a check may change some of that itself, say a counter of
calls.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad._version import __version__
from fastgrad.arrays import pieces
from fastgrad.execution.contents import Known, contents
from fastgrad.execution.same_problem import Contents
from fastgrad.execution.value_store import NoCheckpoint, ValueStore
from fastgrad.options import Options, changing_values
from fastgrad.problem.arguments import array_leaves
from fastgrad.problem.claim import ClaimedGradient
from fastgrad.problem.problem import Problem
from fastgrad.specification import Specification


def open_checkpoint(
    spec: Specification, claim: ClaimedGradient | None, before: ProblemContents | None
) -> ValueStore:
    """The file that keeps what a check evaluates, where there is to be one.

    Parameters
    ----------
    spec : Specification
    claim : the claimed gradient; None where there is none
    before : what `first_look` saw before the gradient was called

    Raises
    ------
    InputError
        For the file of another problem, of other options or another version, for one that is damaged or not
        a checkpoint, and for one that another run is using.
    """
    if before is None:
        return NoCheckpoint()
    from fastgrad.execution.checkpoint import Checkpoint  # SQLite is loaded where a file is asked for

    return Checkpoint(spec.options.checkpoint, identity(spec, claim), before.first, before.now)


def first_look(spec: Specification) -> ProblemContents | None:
    """What the problem consists of before any of its functions is called; None without a checkpoint."""
    return None if spec.options.checkpoint is None else ProblemContents(spec.problem)


class ProblemContents:
    """What the functions and the data of a problem consist of, when it is made and whenever it is asked.

    Arrays in args are read the first time only: `args_unchanged` sees that nobody writes to them.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.known: Known = {id(a): None for a in array_leaves(problem.args) if not a.dtype.hasobject}
        self.first = self.now()

    def now(self) -> Contents:
        """The hashes, by part and place."""
        problem = self.problem
        function = problem.gradient if callable(problem.gradient) else None
        return {
            "cost": contents({"cost": problem.cost}),
            "gradient": contents({"gradient": function}),
            "network": contents({"network": problem.structure}),
            "data": contents({f"args[{k}]": arg for k, arg in enumerate(problem.args)}, self.known),
        }


def identity(spec: Specification, claim: ClaimedGradient | None) -> dict[str, str]:
    """What defines a check, by name. A claim that does not repeat itself to the last digit is left out."""
    parameters = spec.parameters
    said = "none" if claim is None else "jitters" if claim.jitter else _digest(claim.leaves)
    names = ", ".join(f"{b.name} {b.shape} {b.dtype}" for b in parameters.blocks)
    return {
        "blocks": names,
        "parameters": _digest(parameters.leaves),
        "gradient": said,
        "options": _in_words(spec.options),
        "fastgrad": __version__,
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",  # on which bytecode depends
    }


def _in_words(options: Options) -> str:
    """The options on which values depend: a check may go on with other workers, or more time."""
    return ", ".join(f"{name}={_one_value(getattr(options, name))}" for name in changing_values())


def _one_value(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"array {_digest([np.ravel(value)])[:16]}"
    return repr(value)


def _digest(leaves: Iterable[npt.NDArray[Any]]) -> str:
    found = hashlib.blake2b(digest_size=20)
    for leaf in leaves:
        found.update(f"{leaf.dtype} {leaf.size};".encode())
        for piece in pieces(leaf):
            found.update(np.ascontiguousarray(piece).data)
    return found.hexdigest()
