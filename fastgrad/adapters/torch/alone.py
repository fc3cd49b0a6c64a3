"""Whether the backward pass of a function with several outputs gives for each alone what it gives for all.

A loss that reads one of several outputs leaves the gradients of the others undefined. A backward pass may be
right where all are given and wrong where one is: that of torch's native_group_norm leaves out the mean and
the deviation unless all three gradients come.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from fastgrad.adapters.torch.own_precision import epsilon_of
from fastgrad.adapters.torch.tensor_function import TensorFunction
from fastgrad.report.report import Report
from fastgrad.verdict.rule import DISAGREE

SAME = 2.0**20
"""Units of rounding by which both may differ."""

ALONE = (
    "the backward pass gives other gradients where it is asked for the outputs one by one, the gradients of "
    "the others undefined, than where it is asked for all at once: it was checked one by one"
)


def each_alone(function: TensorFunction, check: Callable[[], Report]) -> Report:
    """The report of a check; where that does not disagree but outputs alone do differ, of another check.

    Parameters
    ----------
    function : whose products are checked
    check : the check of them
    """
    report = check()
    if report.verdict == DISAGREE or not differs_alone(function):
        return report
    function.one_by_one = True
    report = check()
    return replace(report, notes=(*report.notes, ALONE))


def differs_alone(function: TensorFunction) -> bool:
    """Whether products are others where outputs are asked for one by one.

    Parameters
    ----------
    function : whose products are compared, for one random vector
    """
    outputs = function(function.at)
    if len(outputs) < 2:
        return False
    rng = np.random.default_rng(0)
    u = {name: rng.choice([-1.0, 1.0], y.shape) * rng.uniform(1, 2, y.shape) for name, y in outputs.items()}
    together = function.vjp(function.at, u)
    function.one_by_one = True
    alone = function.vjp(function.at, u)
    function.one_by_one = False
    epsilon = max(epsilon_of(slot.tensor.dtype.to_real()) for slot in function.slots)
    return any(_differ(together[name], alone[name], SAME * epsilon) for name in together)


def _differ(a: np.ndarray, b: np.ndarray, share: float) -> bool:
    """Whether two gradients differ by more than a share of the larger one's largest entry."""
    largest = max(np.abs(a).max(initial=0.0), np.abs(b).max(initial=0.0))
    return bool((np.abs(a - b) > share * largest).any())
