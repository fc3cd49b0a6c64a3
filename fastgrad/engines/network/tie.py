"""Whether a cost, the Network said to be its structure, and the engine for networks compute the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgrad.engines.network.engine import NetworkEngine
from fastgrad.engines.numbers import to_number
from fastgrad.networks import Network
from fastgrad.networks.known import kind_of
from fastgrad.problem.block import typical_size
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.problem import Problem, Structure
from fastgrad.problem.working_copy import WorkingCopy

AGREEMENT = {np.dtype(np.float64): 1e-10, np.dtype(np.float32): 1e-4}
"""Relative difference between two ways of computing one cost that rounding explains."""

MOVE = 0.01
"""How far each block is moved, in units of its typical size."""


def is_own_cost(problem: Problem) -> bool:
    """Whether the cost is the network's own method, Network.cost."""
    cost = problem.cost
    is_method = getattr(cost, "__func__", None) is Network.cost
    return is_method and getattr(cost, "__self__", None) is problem.structure


def own_methods(structure: object) -> str | None:
    """A sentence where a network's cost is not that of its layers and its loss; None where it is."""
    if kind_of(structure) is Network:
        return None
    name = type(structure).__name__
    return f"the structure, a {name}, does not compute its cost by the methods of fastgrad.Network"


def disagreement_of_parts(engine: NetworkEngine) -> str | None:
    """A sentence where the layers one by one do not give the network's cost; None where they do.

    That is looked at where a layer or a loss is the user's own: it may write to its input, or draw at random.
    """
    if not engine.state.own_parts:
        return None
    whole, parts = engine.plain_cost, engine.state.cost
    allowed = max(AGREEMENT[b.dtype] for b in engine.space.parameters.blocks)
    if not np.isfinite([whole, parts]).all() or abs(whole - parts) <= allowed * max(abs(whole), abs(parts)):
        return None
    return (
        f"the network's cost is {whole:.10g}, and {parts:.10g} when its layers are called one by one on "
        "copies of their inputs"
    )


def disagreement(problem: Problem, network: Structure, parameters: Parameters) -> str | None:
    """A sentence that says where the cost and the network differ; None where they agree.

    They are compared at the parameters, then with each block moved at random in turn, so that a sentence can
    name the block.
    """
    rng = np.random.default_rng(0)
    allowed = max(AGREEMENT[b.dtype] for b in parameters.blocks)
    working = WorkingCopy(parameters)

    def differ() -> str | None:
        theirs = float(to_number(problem.cost(working.structure, *problem.args)))
        ours = network.cost(working.structure, *problem.args)
        if abs(theirs - ours) <= allowed * max(abs(theirs), abs(ours)):
            return None
        return f"{theirs:.10g} by the cost, {ours:.10g} by the network"

    found = differ()
    if found:
        return f"the cost and its structure differ at the parameters themselves: {found}"
    for block, leaf, original in zip(parameters.blocks, working.flat_leaves, parameters.leaves, strict=True):
        step: Any = MOVE * typical_size(original) * rng.standard_normal(block.size)
        leaf += step.astype(leaf.dtype)
        found = differ()
        leaf[:] = original
        if found:
            return f"the cost and its structure differ when {block.name} is moved: {found}"
    return None
