"""The dense tail of a network: its last Dense layers, as far as the kernels know the layers between them.

The engine asks it for the changes (m, S) of the loss, for moved weights, biases or nodes of its Dense layers,
and compiled kernels (`kernels.dense_tail`) compute them. `tail_arrays` packs what the kernels read. `state`
makes the tail once for a network, its parameters and its batch, and all workers read the same arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from fastgrad.arrays import Bools, FloatArray, Floats, IndexArray
from fastgrad.engines.network.layer_rules import BoundLayer
from fastgrad.engines.network.place import largest_of_each
from fastgrad.engines.network.tail_arrays import LOSSES, StageArrays, pack, stages_of
from fastgrad.index_sets import distinct
from fastgrad.kernels import changes, loss_changes
from fastgrad.networks.known import kind_of
from fastgrad.networks.losses import Loss

if TYPE_CHECKING:
    from fastgrad.kernels.dense_tail import Scratch, Tail


COMPILED: set[tuple[str, tuple[type, ...]]] = set()
"""Kernels compiled in this process: the name, and the types of the activations, the loss and `Between`."""


@dataclass(frozen=True, eq=False)
class DenseTail:
    """The Dense layers of the tail (its stages), and what the kernels read."""

    positions: tuple[int, ...]  # of each Dense layer in the network
    inputs: tuple[Floats, ...]  # of each, (features, samples)
    weights: tuple[Floats, ...]  # of each, (features, units)
    packed: Tail
    growths: tuple[tuple[float, float], ...]
    """For each stage two bounds on the factor by which the operations after its Dense layer can enlarge a
    change: the largest factor after any of them, and the factor after all."""
    scale: float  # the factor of a sample's change of the loss: 1 / samples for a mean

    def values(self, stage: int, feature: IndexArray, unit: IndexArray, offsets: Floats) -> Floats:
        """The loss's changes (m, S) for weights and biases of a stage; a bias has feature -1.

        Weights into one unit from features that are equal in every sample have the same effect, so that only
        one of them is propagated.
        """
        first, repeats = self._first_of_each_move(stage, feature, unit, offsets)
        if repeats is None:
            return self._sweep(stage, feature, unit, offsets)
        return self._sweep(stage, feature[first], unit[first], offsets[first])[repeats]

    def _first_of_each_move(
        self, stage: int, feature: IndexArray, unit: IndexArray, offsets: Floats
    ) -> tuple[IndexArray, IndexArray | None]:
        """The coordinates to propagate, and for each coordinate the position of its equal among these.

        None in place of the positions where no two coordinates have the same effect.
        """
        everyone = np.arange(len(feature))
        representative = self.equal_features[stage][feature]
        shared = np.flatnonzero(self._is_repeated[stage][feature])
        if len(shared) == 0:
            return everyone, None
        moves = np.column_stack([representative[shared], unit[shared], offsets[shared]])
        _, first, same = np.unique(moves, axis=0, return_index=True, return_inverse=True)
        propagated = everyone.copy()
        propagated[shared] = shared[first[same.reshape(-1)]]
        kept = distinct(propagated)
        return kept, np.searchsorted(kept, propagated)

    @cached_property
    def equal_features(self) -> list[IndexArray]:
        """For each stage and input feature the first feature equal to it in every sample; [-1] is the bias.

        A feature that is zero in every sample counts as its own: the kernels skip its weights.
        """
        return [np.append(_first_equal_row(inputs), -1) for inputs in self.inputs]

    @cached_property
    def _is_repeated(self) -> list[Bools]:
        return [np.bincount(first[:-1], minlength=len(first))[first] > 1 for first in self.equal_features]

    def _sweep(self, stage: int, feature: IndexArray, unit: IndexArray, offsets: Floats) -> Floats:
        from fastgrad.kernels.dense_tail import sweep

        out = np.empty(offsets.shape)
        order = np.argsort(unit, kind="stable")
        given = np.ascontiguousarray(offsets)
        sweep(self.packed, self._scratch(), stage, self.inputs[stage], feature, unit, given, order, out)
        return out * self.scale

    def node_values(self, stage: int, sample: IndexArray, unit: IndexArray, offsets: Floats) -> Floats:
        """The loss's changes (m, S) for moved nodes of a stage, each the node of one unit in one sample."""
        from fastgrad.kernels.dense_tail import sweep_nodes

        out = np.empty(offsets.shape)
        order = np.argsort(unit, kind="stable")
        given, samples = np.ascontiguousarray(offsets), self.inputs[0].shape[1]
        sweep_nodes(self.packed, self._scratch(), stage, samples, sample, unit, given, order, out)
        return out * self.scale

    def compile(self, weights: bool, nodes: bool) -> None:
        """Compile the kernels for this network's types of activations and loss, or load them from disk."""
        nothing = np.empty(0, dtype=np.intp)
        packed = self.packed
        kinds = tuple(type(kind) for kind in (*packed.activations, packed.loss, packed.between))
        for wanted, values in ((weights, self.values), (nodes, self.node_values)):
            if wanted and (values.__name__, kinds) not in COMPILED:
                values(0, nothing, nothing, np.empty((0, 2)))
                COMPILED.add((values.__name__, kinds))

    def is_small(self, stage: int, feature: IndexArray, unit: IndexArray, offsets: Floats) -> Bools:
        """Which coordinates change every later pre-activation by no more than the kernels' series allow."""
        reach = largest_of_each(offsets) * self.largest[stage][feature] * self.amplification[stage][unit]
        return np.asarray(reach <= changes.SMALL)

    @cached_property
    def largest(self) -> list[Floats]:
        """For each stage the largest |x| of each input feature; [-1] = 1 is the bias's."""
        return [np.append(np.abs(inputs).max(axis=1), 1.0) for inputs in self.inputs]

    @cached_property
    def amplification(self) -> list[Floats]:
        """For each stage and unit a bound on the factor by which later layers enlarge its change."""
        depth = len(self.weights)
        bounds = []
        for s in range(depth):
            largest, final = self.growths[s]
            bound = np.full(self.weights[s].shape[1], largest)
            reach = np.full((1, 1), final)
            for t in range(s + 1, depth):
                weight = np.abs(self.weights[t])
                reach = final * weight if t == s + 1 else reach @ weight
                largest, onward = self.growths[t]
                bound = np.maximum(bound, reach.max(axis=1) * largest)
                reach = reach * onward
            bounds.append(bound)
        return bounds

    def _scratch(self) -> Scratch:
        """Arrays for one call."""
        from fastgrad.kernels.dense_tail import Scratch

        width, most = self.packed.r0.shape[1], int(self.packed.units.max())
        groups = width // self.inputs[0].shape[1]
        line = np.empty((4, width))
        return Scratch(
            du=line[0],
            moved=line[1],
            buffers=np.empty((2, most, width)),
            rows=np.empty((4, width)),
            total=line[2],
            straight=line[3],
            group=np.empty(groups, dtype=np.intp),
            moments=np.empty((loss_changes.POWERS + 1, width)),
            moments_of=np.full(2, -1, dtype=np.intp),
        )


def _first_equal_row(inputs: Floats) -> IndexArray:
    """For each row the number of the first row equal to it; for a row of zeros its own.

    Only rows that equal another row in their first entry are compared as a whole. These are few, whereas
    comparing all 1,168 rows of 784-256-128-10 takes 7 ms.
    """
    first_equal = np.arange(len(inputs))
    order = np.argsort(inputs[:, 0], kind="stable")
    same = inputs[order[1:], 0] == inputs[order[:-1], 0]
    maybe = np.sort(order[np.append(same, False) | np.append(False, same)])
    first: dict[bytes, int] = {}
    for i in maybe[inputs[maybe].any(axis=1)].tolist():
        first_equal[i] = first.setdefault(inputs[i].tobytes(), i)
    return first_equal


def dense_tail(
    loss: Loss, layers: Sequence[BoundLayer], values: list[Floats], target: FloatArray
) -> DenseTail | None:
    """The tail of a network; None if it has none.

    values[k] is the input of layer k and values[-1] the output, as Chain.forward gives them.
    """
    of_outputs = LOSSES.get(kind_of(loss))
    if of_outputs is None:
        return None
    stages = stages_of(layers)
    inputs = [values[stage.position] for stage in stages]
    if not stages or any(x.ndim != 2 or not np.isrealobj(x) for x in inputs):
        return None
    if any(len(x) != len(values[0]) for x in (*inputs, values[-1])):
        return None
    positions = tuple(stage.position for stage in stages)
    weights = tuple(np.ascontiguousarray(layers[k].p["weight"]) for k in positions)
    kind, scale = of_outputs(values[-1])
    stage_arrays = [StageArrays(layers, values, stage) for stage in stages]
    return DenseTail(
        positions=positions,
        inputs=tuple(np.ascontiguousarray(x.T, dtype=np.float64) for x in inputs),
        weights=weights,
        packed=pack(stage_arrays, kind, weights, values[-1], target),
        growths=tuple(arrays.growth() for arrays in stage_arrays),
        scale=scale,
    )
