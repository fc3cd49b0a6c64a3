"""Whether a cost, its network and the network engine compute the same.

`choose` asks before it takes the network engine. Each function returns None, or the sentence that the report
then gives as the reason for the python engine.
"""

from __future__ import annotations

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
"""The largest relative difference of two ways to compute a cost that rounding explains, by the blocks'
dtype."""

DISPLACEMENT = 0.01
"""The standard deviation of each block's random displacement, relative to its typical size."""


def is_own_cost(problem: Problem) -> bool:
    """Whether the cost is the network's own method, Network.cost."""
    cost = problem.cost
    is_method = getattr(cost, "__func__", None) is Network.cost
    return is_method and getattr(cost, "__self__", None) is problem.structure


def own_methods(structure: object) -> str | None:
    """A sentence where methods of a network are not those of fastgrad.Network; None where they are."""
    if kind_of(structure) is Network:
        return None
    name = type(structure).__name__
    return f"the structure, a {name}, does not compute its cost by the methods of fastgrad.Network"


def disagreement_of_parts(engine: NetworkEngine) -> str | None:
    """A sentence where the layers, called one by one, do not give the network's cost; None where they do.

    Only a layer or a loss of the user's own can cause this: it may write to its input, or draw at random.
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
    """A sentence that says where the cost and its network differ; None where they agree.

    The two are compared at the parameters, then with one block after the other moved at random, so that the
    sentence can name the block.
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
        by = DISPLACEMENT * typical_size(original) * rng.standard_normal(block.size)
        leaf += by.astype(leaf.dtype)
        found = differ()
        leaf[:] = original
        if found:
            return f"the cost and its structure differ when {block.shown} is moved: {found}"
    return None
