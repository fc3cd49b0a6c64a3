"""What makes two checks the same one, so that one may go on from what another left in a file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad._version import __version__
from fastgrad.arrays import pieces
from fastgrad.execution.checkpoint import Checkpoint, NoCheckpoint
from fastgrad.options import OPTIONS, Options
from fastgrad.problem.arguments import array_leaves
from fastgrad.problem.claim import ClaimedGradient
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.problem import Problem


def open_checkpoint(
    problem: Problem, parameters: Parameters, claim: ClaimedGradient | None, options: Options
) -> NoCheckpoint | Checkpoint:
    """The file that keeps what is evaluated, where there is to be one.

    Raises
    ------
    InputError
        For the file of another problem, of other options or another version, for one that is damaged or not
        a checkpoint, and for one that another run is using.
    """
    if options.checkpoint is None:
        return NoCheckpoint()
    return Checkpoint(options.checkpoint, identity(problem, parameters, claim, options))


def identity(
    problem: Problem, parameters: Parameters, claim: ClaimedGradient | None, options: Options
) -> dict[str, str]:
    """What defines a check, by name. A claim that does not repeat itself to the last digit is left out."""
    said = "none" if claim is None else "jitters" if claim.jitter else _digest(claim.leaves)
    names = ", ".join(f"{b.name} {b.shape} {b.dtype}" for b in parameters.blocks)
    return {
        "blocks": names,
        "parameters": _digest(parameters.leaves),
        "gradient": said,
        "data": _digest(a.reshape(-1) for a in array_leaves(problem.args) if not a.dtype.hasobject),
        "cost": getattr(problem.cost, "__qualname__", type(problem.cost).__qualname__),
        "options": _in_words(options),
        "fastgrad": __version__,
    }


def _in_words(options: Options) -> str:
    values = ((o.name, getattr(options, o.name)) for o in OPTIONS if o.changes_values)
    return ", ".join(f"{name}={_one_value(value)}" for name, value in values)


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
