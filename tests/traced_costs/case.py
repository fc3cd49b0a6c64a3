"""A cost in plain NumPy, as its user wrote it, with a right gradient and one that has a subtle mistake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from fastgrad import Problem


@dataclass(frozen=True)
class Case:
    """A cost and its gradients.

    Parameters
    ----------
    name : of the case
    cost : callable(params, *args) -> float
    gradient : callable(params, *args, mistake=False) -> structure of params; wrong where mistake=True
    params : its parameters
    args : what the functions take beside them
    """

    name: str
    cost: Callable[..., Any]
    gradient: Callable[..., Any]
    params: Any
    args: tuple[Any, ...] = ()

    @property
    def right(self) -> Problem:
        """The problem with the right gradient."""
        return Problem(self.cost, self.gradient, self.params, self.args)

    @property
    def wrong(self) -> Problem:
        """The problem with the mistaken one."""
        return Problem(self.cost, partial(self.gradient, mistake=True), self.params, self.args)


def flattened(tree: Any) -> Any:
    """A structure of arrays as one vector, in its order."""
    leaves = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else [tree]
    return np.concatenate([np.ravel(leaf) for leaf in leaves])
