"""The ways of evaluating a module's cost, beside one forward pass for each point.

A Sequential of known layers is a Network. For any other module it is measured, for each tensor, whether many
points in one pass are faster than one pass for each, and by which kind of batch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fastgrad.adapters.torch.batches import LayerBatch, TensorBatch
from fastgrad.adapters.torch.loss_cost import LossCost
from fastgrad.adapters.torch.lower import network_way
from fastgrad.adapters.torch.uses import uses
from fastgrad.engines.alternatives import FASTER, Alternatives, first_difference
from fastgrad.engines.by_block import Batch, ByBlockEngine
from fastgrad.engines.protocol import Engine
from fastgrad.engines.python import PythonEngine

ROWS = (64, 16)
"""Points in a batch, as they are tried: 256 were as fast as 64 and take four times the memory; of large
activations 16 fit into the caches."""

LARGEST = 2**26
"""Bytes that a batched tensor may take."""

SUFFICIENT = 3.0
"""So many times faster than a pass for each point, the larger batches are taken, and no others tried."""

FEWEST = 64
"""Entries of a tensor from which batches are tried: a trial takes as many evaluations."""

BATCHED = (
    "up to {rows} values of one tensor were evaluated in one pass, for {some}; they gave the same as "
    "one pass for each"
)


def batched_way(plain: PythonEngine) -> Engine | None:
    """The engine that batches each tensor where that is faster; None where it is for none."""
    cost: Any = plain.cost
    if not isinstance(cost, LossCost):
        return None
    return engine_of_batches(plain, Candidates(cost).of)


def engine_of_batches(plain: PythonEngine, candidates: Callable[[int], Iterator[Batch]]) -> Engine | None:
    """The engine that takes the fastest batch of each block; None where none is faster than the plain engine.

    Parameters
    ----------
    plain : the engine for the cost
    candidates : the batches that may evaluate a block, by its number, the likely fastest first
    """
    seconds = _seconds_of_a_pass(plain)
    batches: dict[int, Batch] = {}
    total = 0.0
    for number, block in enumerate(plain.parameters.blocks):
        best = seconds
        for batch in candidates(number) if block.size >= FEWEST else ():
            if batch.rows < ROWS[0] and best * SUFFICIENT < seconds:
                break
            each = _seconds_each(plain, number, batch)
            if each < min(best, FASTER * seconds):
                best, batches[number] = each, batch
        total += best * block.size
    if not batches:
        return None
    engine = ByBlockEngine(plain, batches, "batched", total / plain.parameters.size)
    some = f"{len(batches)} of {len(plain.parameters.blocks)} tensors"
    engine.notes = (BATCHED.format(rows=engine.granularity, some=some),)
    return engine


class Candidates:
    """The batches that may evaluate a tensor.

    Parameters
    ----------
    cost : LossCost
    """

    def __init__(self, cost: LossCost) -> None:
        import torch

        self.cost = cost
        with torch.no_grad():
            self.used = uses(cost.value, [slot.tensor for slot in cost.slots])

    def of(self, number: int) -> Iterator[Batch]:
        """Those of one slot, the likely fastest first."""
        slot = self.cost.slots[number]
        layer, _, name = slot.name.rpartition(".")
        owner = None if slot.number is not None else self.cost.subject.module.get_submodule(layer)
        is_layers = self.used[id(slot.tensor)] == 1 and name in ("weight", "bias") and _is_linear(owner)
        for rows in ROWS:
            if is_layers:
                yield LayerBatch(self.cost, layer, name == "bias", rows)
            if rows * slot.tensor.numel() * slot.tensor.element_size() <= LARGEST:
                yield TensorBatch(self.cost, number, rows)


def _is_linear(owner: Any) -> bool:
    """Whether a module is a layer whose outputs are linear in each weight, as torch computes it."""
    import torch

    if "forward" in vars(owner):
        return False
    if type(owner) is torch.nn.Conv2d:
        return owner.padding_mode == "zeros" and not isinstance(owner.padding, str)
    return type(owner) is torch.nn.Linear


def _seconds_of_a_pass(plain: PythonEngine) -> float:
    structure, times = plain.working.structure, []
    for _ in range(3):
        began = time.perf_counter()
        plain.cost(structure, *plain.args)
        times.append(time.perf_counter() - began)
    return min(times)


def _seconds_each(plain: PythonEngine, number: int, batch: Batch) -> float:
    """What a point takes in a full batch; infinity where the batch raises or gives something else."""
    block, leaf = plain.parameters.blocks[number], plain.working.flat_leaves[number]
    inside = np.resize(np.arange(block.size), batch.rows)
    by = np.where(np.arange(batch.rows) % 2, -(2.0**-8), 2.0**-8) * np.fmax(np.abs(leaf[inside]), 2.0**-8)
    points = (leaf[inside] + by).astype(leaf.dtype)
    few = np.array([0, batch.rows // 2, batch.rows - 1])
    try:
        found = batch(plain.working.structure, inside, points)
        began = time.perf_counter()
        batch(plain.working.structure, inside, points)
        each = (time.perf_counter() - began) / batch.rows
        offsets = (points - leaf[inside]).astype(np.float64)[few, None]
        expected = plain.values(block.start + inside[few], offsets)
    except Exception:  # vmap has no rule for something, or a branch depends on numbers
        return float("inf")
    return each if first_difference(expected, found[few, None], plain) is None else float("inf")


WAYS = Alternatives((network_way, batched_way))
"""In the order in which they are tried: the fastest first."""
