"""Points near the parameters where the gradient is asked once more, and whether the cost bends on the way.

Notation: x = the parameters, y = x + s u; u = positive numbers, one for each coordinate, in units of its
block's typical size; s = the distance. A gradient may be the same at all points that are moved alike, such as
after a softmax or of centred squares: hence each coordinate moves by an amount of its own.

A gradient that is the same at x and at y is right if the cost is linear. The cost is not if its second
differences along u are no noise: v . g then changes along v, and no gradient that stays the same is right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad.arrays import Floats, pieces
from fastgrad.engines.numbers import epsilon_of, loss_of, to_number
from fastgrad.problem.kinds.registry import to_array
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.working_copy import WorkingCopy

NEARBY = {np.dtype(np.float64): 2.0**-22, np.dtype(np.float32): 2.0**-10}
"""s by dtype. It is enough to change the last digits of any derivative that is not constant, and no farther
than differences of the cost go."""

FARTHER = 2.0**10
"""The factor on s for a second try, where the gradient was the same: a gradient that is rounded to a few
digits changes there."""

SEED = 0
"""Of u: any will do, and the same at each call."""

STEPS = 5
"""The steps from x to y at which the cost is looked at: for four second and two fourth differences."""

SHORTER = (1.0, 2.0**-5)
"""Parts of the way to y that are tried one after another: on a short one noise is larger, on a long one the
fourth differences of the cost itself."""

ABOVE_FOURTH = 16.0
"""How far second differences must be above fourth ones. Those of noise are 3.4 times below on average."""

ABOVE_ROUNDING = 64.0
"""And above the rounding error of the cost."""


def move(working: WorkingCopy, times: float) -> None:
    """Add times s u to the private copy, which may be x or not."""
    rng = np.random.default_rng(SEED)
    sizes = working.parameters.typical_sizes
    for leaf, typical in zip(working.flat_leaves, sizes, strict=True):
        distance = times * NEARBY[leaf.dtype] * float(typical)
        for piece in pieces(leaf):
            piece += distance * rng.uniform(1, 2, len(piece))


def put_back(working: WorkingCopy) -> None:
    """Make the private copy x again."""
    for leaf, x in zip(working.flat_leaves, working.parameters.leaves, strict=True):
        leaf[:] = x


def bends(
    cost: Callable[..., Any], parameters: Parameters, args: tuple[Any, ...], vectorized: bool = False
) -> bool:
    """Whether the cost is seen not to be linear along u; False where it raises, or has no value.

    Parameters
    ----------
    cost : callable(params, *args)
    parameters : Parameters
    args : what the cost takes beside the parameters
    vectorized : whether the cost takes a batch of parameters; it gets batches of one
    """
    working = WorkingCopy(parameters)
    structure = working.structure
    if vectorized:
        structure = parameters.build([leaf[None] for leaf in parameters.shaped(working.flat_leaves)])

    def values(part: float) -> Floats:
        return np.array([at(part * FARTHER * k / STEPS) for k in range(STEPS + 1)])

    def at(times: float) -> tuple[float, float]:
        move(working, times)
        value = cost(structure, *args)
        put_back(working)
        value = to_array(value, "the cost")[0] if vectorized else loss_of(value)
        return to_number(value), epsilon_of(value)

    try:
        return any(_is_curved(*values(part).T) for part in SHORTER)
    except Exception:  # y may be outside the domain; whatever else is wrong is found later
        return False


def _is_curved(values: Floats, epsilon: Floats) -> bool:
    """Whether values at equal distances are on a curve: NaN is on none."""
    second, fourth = np.abs(np.diff(values, 2)).min(), np.abs(np.diff(values, 4)).max()
    rounding = float(epsilon.max()) * np.abs(values).max()
    return bool(second > ABOVE_FOURTH * fourth and second > ABOVE_ROUNDING * rounding)
