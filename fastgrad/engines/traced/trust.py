"""Whether a tape may stand for the cost: it is compared with the plain cost before anything is taken from it.

Compared are the parameters themselves, random coordinates of the blocks, and points along random directions,
at which all parameters are moved. A cost that draws random numbers, keeps state or takes a way that was not
recorded is seen by that.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgrad.arrays import Floats, IndexArray
from fastgrad.engines.numbers import to_number
from fastgrad.engines.traced.declined import Declined
from fastgrad.engines.traced.engine import TracedEngine
from fastgrad.problem.parameters import Parameters

COORDINATES = 16
"""Coordinates at which tape and cost are compared, two of a block where there are few blocks."""

DIRECTIONS = 2
"""Points at which all parameters are moved."""

MOVED = 2.0**-10
"""How far, in units of the parameter's size."""

ROUNDINGS = 2.0**-40
"""What they may differ by, in units of what is added up to give the cost."""


def compared(engine: TracedEngine, seed: int) -> int:
    """Compare an engine with its plain cost; how many evaluations that took.

    Parameters
    ----------
    engine : TracedEngine
    seed : for the choice of points

    Raises
    ------
    Declined
        Where they differ.
    """
    rng = np.random.default_rng(seed)
    parameters = engine.parameters
    some = _coordinates(parameters, rng)
    x = parameters.take(parameters.leaves, some)
    size = np.where(x == 0, 1.0, np.abs(x))
    offsets = (MOVED * size * rng.choice([-1.0, 1.0], len(some)))[:, None]
    tolerance = ROUNDINGS * engine.costs.precision * engine.costs.scale
    by_tape, by_cost = engine.values(some, offsets), engine.plain.values(some, offsets)
    _require_same(by_tape, by_cost, tolerance, "where one parameter is moved")
    for _ in range(DIRECTIONS):
        leaves = [_moved(leaf, rng.normal(size=leaf.shape)) for leaf in parameters.shaped(parameters.leaves)]
        with np.errstate(all="ignore"):
            try:
                replayed = engine.tape.replay(leaves)
            except (ArithmeticError, ValueError, IndexError, np.linalg.LinAlgError):
                replayed = None
        if replayed is None:  # the cost takes another way there
            continue
        plain = _plain_cost(engine, leaves)
        found = np.asarray(replayed, dtype=np.float64).reshape(1, 1)
        _require_same(found, np.array([[plain]]), tolerance, "where all parameters are moved")
    return len(some) + DIRECTIONS


def _coordinates(parameters: Parameters, rng: np.random.Generator) -> IndexArray:
    """Two coordinates of each block, or of as many blocks as there is room for; increasing."""
    blocks = [parameters.blocks[k] for k in rng.permutation(len(parameters.blocks))]
    each = 2 if len(blocks) <= COORDINATES // 2 else 1
    drawn = [b.start + rng.choice(b.size, min(each, b.size), False) for b in blocks[:COORDINATES] if b.size]
    return np.sort(np.concatenate(drawn)).astype(np.intp)


def _moved(leaf: Any, noise: Floats) -> Any:
    size = np.where(leaf == 0, 1.0, np.abs(leaf))
    return (leaf + MOVED * size * noise).astype(leaf.dtype)


def _plain_cost(engine: TracedEngine, leaves: list[Any]) -> float:
    try:
        with np.errstate(all="ignore"):
            return to_number(engine.cost(engine.parameters.build(leaves), *engine.args))
    except (ArithmeticError, ValueError, np.linalg.LinAlgError):
        return float("nan")


def _require_same(found: Floats, expected: Floats, tolerance: float, where: str) -> None:
    both = np.isfinite(found) & np.isfinite(expected)
    same = np.where(both, np.abs(found - expected) <= tolerance, np.isnan(found) == np.isnan(expected))
    if not same.all():
        k = int(np.argmin(same))
        raise Declined(
            f"what was recorded gives {found.flat[k]:.17g} and the cost {expected.flat[k]:.17g} {where}: it "
            "depends on something beside its parameters, or takes a way that cannot be recorded"
        )
