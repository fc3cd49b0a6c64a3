"""The random weights w of the outputs, whose combination w . F is differenced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad.adapters.jax.scalar import Blocks
from fastgrad.adapters.jax.subject import Subject
from fastgrad.arrays import Floats
from fastgrad.errors import InputError
from fastgrad.vector.projection import VectorProblem


def weights_of(subject: Subject, options: dict[str, Any]) -> list[Floats]:
    """An array of weights for each output; by plain calls in float64, else in the user's precision.

    Parameters
    ----------
    subject : Subject
    options : of the check, for its seed

    Raises
    ------
    InputError
        Where no output is a float, or one is not finite.
    """
    outputs = subject.outputs(double=False)
    if not outputs:
        raise InputError("f returns no floats, so that it has no derivatives to check", code="FG825")
    blocks = dict(zip(subject.names, subject.values, strict=True))
    try:
        found = VectorProblem.of(_numbers(subject, True), blocks, (), options).weights
    except InputError:
        raise
    except Exception:  # it has no float64, which is said later
        found = VectorProblem.of(_numbers(subject, False), blocks, (), options).weights
    cuts = np.cumsum([np.size(out) for out in outputs])[:-1]
    return [w.reshape(np.shape(out)) for w, out in zip(np.split(found, cuts), outputs, strict=True)]


def _numbers(subject: Subject, double: bool) -> Callable[[Blocks], list[Any]]:
    """The function of blocks of NumPy, with a flat array of NumPy in float64 for all outputs."""

    def numbers(blocks: Blocks) -> Any:
        with subject.context(double):
            arrays = subject.arrays(list(blocks.values()), double)
            found = subject.function(arrays, subject.data_in(double))
            return np.concatenate([np.asarray(out).astype(np.float64).reshape(-1) for out in found])

    return numbers
