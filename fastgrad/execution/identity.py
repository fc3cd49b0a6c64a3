"""The identity of a check: hashes of all that its values depend on.

`Run` hands it to the checkpoint, which refuses a file of another check.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad._version import __version__
from fastgrad.arrays import pieces
from fastgrad.execution.value_store import NoCheckpoint, ValueStore
from fastgrad.options import Options, changing_values
from fastgrad.problem.arguments import array_leaves
from fastgrad.problem.claim import ClaimedGradient
from fastgrad.specification import Specification


def open_checkpoint(spec: Specification, claim: ClaimedGradient | None) -> ValueStore:
    """The file that keeps what a check evaluates, where there is to be one.

    Raises
    ------
    InputError
        For the file of another problem, of other options or another version, for one that is damaged or not
        a checkpoint, and for one that another run is using.
    """
    if spec.options.checkpoint is None:
        return NoCheckpoint()
    from fastgrad.execution.checkpoint import Checkpoint  # SQLite is loaded where a file is asked for

    return Checkpoint(spec.options.checkpoint, identity(spec, claim))


def identity(spec: Specification, claim: ClaimedGradient | None) -> dict[str, str]:
    """What defines a check, by name. A claim that does not repeat itself to the last digit is left out."""
    problem, parameters = spec.problem, spec.parameters
    said = "none" if claim is None else "jitters" if claim.jitter else _digest(claim.leaves)
    names = ", ".join(f"{b.name} {b.shape} {b.dtype}" for b in parameters.blocks)
    return {
        "blocks": names,
        "parameters": _digest(parameters.leaves),
        "gradient": said,
        "data": _digest(a.reshape(-1) for a in array_leaves(problem.args) if not a.dtype.hasobject),
        "cost": getattr(problem.cost, "__qualname__", type(problem.cost).__qualname__),
        "options": _in_words(spec.options),
        "fastgrad": __version__,
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
