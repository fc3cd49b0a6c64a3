"""A network that keeps its parameters in itself, seen as a function of its parameters.

`Problem.from_object` makes these functions. Each has an object of its own: the user's is never changed.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastgrad.errors import InputError
from fastgrad.problem.block import describe


@dataclass(frozen=True)
class ObjectMethod:
    """A method of a stateful object as a function of its parameters: set them, then call it."""

    net: Any
    setter: str
    method: str
    is_cost: bool

    @property
    def __name__(self) -> str:
        return f"{type(self.net).__name__}.{self.method}"

    def __call__(self, params: Any, *args: Any) -> Any:
        """Set the parameters, then call the method with the data."""
        getattr(self.net, self.setter)(params)
        result = getattr(self.net, self.method)(*args)
        if self.is_cost and isinstance(result, np.ndarray) and result.size == 1:
            return result.item()  # the classic 0.5 * sum((y - yHat) ** 2), with Python's own sum
        return result

    def for_worker(self) -> ObjectMethod:
        """The same with an object of its own, for a worker that shares this one's memory."""
        return replace(self, net=copy.deepcopy(self.net))


def flat_vector(value: Any, what: str) -> Any:
    """What the object gave as its parameters, if that is one flat vector; else InputError."""
    try:
        vector = np.array(value)
    except ValueError:
        vector = None
    if vector is None or vector.ndim != 1:
        raise InputError(
            f"{what}() must return all parameters as one flat vector; got {describe(value)}. Join them: "
            "np.concatenate((W1.ravel(), W2.ravel()))"
        )
    return vector
