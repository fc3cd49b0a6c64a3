"""The dense tail of a network: its last Dense layers, as far as the kernels know the layers between them.

The engine asks it for the changes (m, S) of the loss, for moved weights, biases or nodes of its Dense layers,
and compiled kernels (`kernels.dense_tail`) compute them. `state` packs the arrays that the kernels read once
for a network, its parameters and its batch, and all workers read the same arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from fastgrad import networks
from fastgrad.arrays import Bools, FloatArray, Floats, IndexArray
from fastgrad.engines.network.layer_rules import BoundLayer, Kind
from fastgrad.engines.network.place import largest_of_each
from fastgrad.index_sets import distinct
from fastgrad.kernels import changes, loss_changes
from fastgrad.kernels.rows import ACTIVATE, MASK, NORMALISE
from fastgrad.networks.base import Layer
from fastgrad.networks.known import kind_of
from fastgrad.networks.losses import Loss

if TYPE_CHECKING:
    from fastgrad.kernels.dense_tail import Scratch, Tail
    from fastgrad.kernels.rows import Between


TILE_LANES = 256
"""The least number of lanes of a tile. A lane is one sample under one perturbation of a unit; a tile has as
many perturbations as fit, at least one.

Each row of a tile is one innermost loop. Measured, in microseconds for a first-layer weight on one core:
64-32-10 with 128 samples takes 12.5, 12.2, 3.9, 5.1 with 64, 128, 256, 512 lanes; 784-256-128-10 with 32
samples takes the same with all. Without copies of the base for each perturbation, in a loop over the
perturbations, it takes twice as long: the compiled code then tests each short loop for overlapping arrays."""

COMPILED: set[tuple[str, tuple[type, ...]]] = set()
"""Kernels compiled in this process: the name, and the types of the activations, the loss and `Between`."""

OPERATIONS: dict[Kind, int] = {networks.BatchNorm: NORMALISE, networks.Dropout: MASK}
"""The layers beside activations that the kernels know, for inputs (samples, features)."""


class _Compiled(NamedTuple):
    """An activation as the kernels know it, and its Lipschitz constant: its largest |slope|."""

    kind: changes.Activation
    lipschitz: float


def _leaky_relu(leak: float) -> _Compiled:
    return _Compiled(changes.LeakyReLU(float(leak)), max(1.0, abs(float(leak))))


def _elu(alpha: float) -> _Compiled:
    return _Compiled(changes.ELU(float(alpha)), max(1.0, abs(float(alpha))))


_ACTIVATIONS: dict[Kind, Callable[[Layer], _Compiled]] = {
    networks.Sigmoid: lambda layer: _Compiled(changes.Sigmoid(), 0.25),
    networks.Tanh: lambda layer: _Compiled(changes.Tanh(), 1.0),
    networks.ReLU: lambda layer: _Compiled(changes.ReLU(), 1.0),
    networks.LeakyReLU: lambda layer: _leaky_relu(cast(networks.LeakyReLU, layer).leak),
    networks.ELU: lambda layer: _elu(cast(networks.ELU, layer).alpha),
    networks.Softplus: lambda layer: _Compiled(changes.Softplus(), 1.0),
    networks.SiLU: lambda layer: _Compiled(changes.SiLU(), 1.1),
    networks.GELU: lambda layer: _Compiled(changes.GELU(), 1.13),
}
"""The activations that the kernels know. No other can be part of the tail."""

_NO_ACTIVATION = _Compiled(changes.Identity(), 1.0)

_LOSSES: dict[Kind, Callable[[Floats], tuple[loss_changes.Loss, float]]] = {
    networks.HalfSquaredError: lambda y: (loss_changes.SquaredError(), 1.0),
    networks.MeanSquaredError: lambda y: (loss_changes.SquaredError(), 2.0 / y.size),
    networks.SoftmaxCrossEntropy: lambda y: (loss_changes.SoftmaxCrossEntropy(), 1.0 / len(y)),
    networks.LogisticLoss: lambda y: (loss_changes.LogisticLoss(), 1.0 / y.size),
}
"""The losses that the kernels know, for outputs y: the loss as the kernels know it, and the factor of a
sample's change. With any other loss a network has no tail."""


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
    of_outputs = _LOSSES.get(kind_of(loss))
    if of_outputs is None:
        return None
    stages = _stages(layers)
    inputs = [values[stage.position] for stage in stages]
    if not stages or any(x.ndim != 2 or not np.isrealobj(x) for x in inputs):
        return None
    if any(len(x) != len(values[0]) for x in (*inputs, values[-1])):
        return None
    positions = tuple(stage.position for stage in stages)
    weights = tuple(np.ascontiguousarray(layers[k].p["weight"]) for k in positions)
    kind, scale = of_outputs(values[-1])
    stage_arrays = [_StageArrays(layers, values, stage) for stage in stages]
    return DenseTail(
        positions=positions,
        inputs=tuple(np.ascontiguousarray(x.T, dtype=np.float64) for x in inputs),
        weights=weights,
        packed=_pack(stage_arrays, kind, weights, values[-1], target),
        growths=tuple(arrays.growth() for arrays in stage_arrays),
        scale=scale,
    )


def _distinct(kinds: list[changes.Activation]) -> tuple[tuple[changes.Activation, ...], IndexArray]:
    """The distinct activations, and the number of each in the list among them.

    The names of the types are compared too, since named tuples of two types may be equal.
    """
    keys = [(type(kind).__name__, kind) for kind in kinds]
    distinct = list(dict.fromkeys(keys))
    return tuple(kind for _, kind in distinct), np.array([distinct.index(key) for key in keys], dtype=np.intp)


@dataclass(frozen=True)
class _Stage:
    """A Dense layer and the layers up to the next Dense."""

    position: int  # of the Dense layer in the network
    operations: tuple[tuple[int, int], ...]  # (operation, position in the network) of the layers after it
    activation: _Compiled  # the one activation among them, if there is any


def _stages(layers: Sequence[BoundLayer]) -> list[_Stage]:
    """The stages of the tail: from the last layer back to the first that the kernels do not know."""
    found: list[_Stage] = []
    operations: list[tuple[int, int]] = []
    activation = _NO_ACTIVATION
    for k in reversed(range(len(layers))):
        kind = layers[k].kind
        operation = OPERATIONS.get(kind, ACTIVATE if kind in _ACTIVATIONS else 0)
        if kind is networks.Dense:
            found.append(_Stage(k, tuple(reversed(operations)), activation))
            operations, activation = [], _NO_ACTIVATION
        elif operation and operation not in [known for known, _ in operations]:
            operations.append((operation, k))
            if operation == ACTIVATE:
                activation = _ACTIVATIONS[kind](layers[k].layer)
        else:
            break
    return found[::-1]


class _StageArrays:
    """What the kernels read of one stage: arrays (units, samples) and (units,).

    Those of an operation that the stage does not have are neutral.
    """

    def __init__(self, layers: Sequence[BoundLayer], values: list[Floats], stage: _Stage) -> None:
        z = values[stage.position + 1]
        at = dict(stage.operations)
        self.activation, self.lipschitz = stage.activation
        self.operations = [operation for operation, _ in stage.operations]
        self.input = values[at[ACTIVATE]].T if ACTIVATE in at else z.T
        self.centred, self.mask = np.zeros(z.T.shape), np.ones(z.T.shape)
        self.deviation, self.gain = np.ones(z.shape[1]), np.ones(z.shape[1])
        if NORMALISE in at:
            norm, x = layers[at[NORMALISE]], values[at[NORMALISE]]
            self.centred = (x - x.mean(axis=0)).T
            self.deviation = np.sqrt(x.var(axis=0) + cast(networks.BatchNorm, norm.layer).epsilon)
            self.gain = norm.p["scale"]
        if MASK in at:
            self.mask = cast(networks.Dropout, layers[at[MASK]].layer).mask(z).T

    def growth(self) -> tuple[float, float]:
        """Bounds on the factor by which a change grows: the largest after any operation, and the last."""
        farthest = np.abs(self.centred).max(axis=1, initial=0.0) / self.deviation
        # In the notation of kernels.rows: |g d'/t| <= 2 |g d| / s, and the change of the deviation adds at
        # most |z'| / s times as much.
        normalised = float(np.max(2 * np.abs(self.gain) / self.deviation * (1 + farthest)))
        masked = float(self.mask.max(initial=1.0))
        by = {NORMALISE: normalised, ACTIVATE: self.lipschitz, MASK: masked}
        factor, largest = 1.0, 1.0
        for operation in self.operations:
            factor *= by[operation]
            largest = max(largest, factor)
        return largest, factor


def _pack(
    stages: list[_StageArrays],
    loss: loss_changes.Loss,
    weights: tuple[Floats, ...],
    y: Floats,
    target: FloatArray,
) -> Tail:
    """All arrays of the tail; arrays of samples are repeated to the width of a tile."""
    from fastgrad.kernels.dense_tail import Tail

    repeat = max(1, TILE_LANES // len(y))
    kinds, which = _distinct([stage.activation for stage in stages])
    bases = [changes.prepared(stage.activation, stage.input) for stage in stages]
    q0, q1, q2 = (_tiled(parts, repeat) for parts in zip(*bases, strict=True))
    r0, r1 = (np.tile(r.T, (1, repeat)) for r in loss_changes.prepared(loss, y, target))
    units = np.array([w.shape[1] for w in weights], dtype=np.intp)
    last = stages[-1]
    ends_linearly = isinstance(last.activation, changes.Identity) and set(last.operations) <= {ACTIVATE}
    return Tail(
        activations=kinds,
        loss=loss,
        which=which,
        units=units,
        weights=np.concatenate([w.reshape(-1) for w in weights]),
        weight_at=_starts([w.size for w in weights]),
        q0=q0,
        q1=q1,
        q2=q2,
        base_at=_starts(units * repeat * len(y)),
        between=_between(stages, units, len(y), repeat),
        by_moments=int(ends_linearly and loss_changes.has_moments(loss)),
        r0=r0,
        r1=r1,
    )


def _between(stages: list[_StageArrays], units: IndexArray, samples: int, repeat: int) -> Between | None:
    """The operations between the Dense layers; None where there are only activations."""
    if all(set(stage.operations) <= {ACTIVATE} for stage in stages):
        return None
    from fastgrad.kernels.rows import Between

    operations = [[*stage.operations, 0, 0, 0][:3] for stage in stages]
    return Between(
        steps=np.array(operations, dtype=np.intp),
        samples=samples,
        centred=_tiled([stage.centred for stage in stages], repeat),
        deviation=np.concatenate([stage.deviation for stage in stages]),
        gain=np.concatenate([stage.gain for stage in stages]),
        unit_at=_starts(units),
        mask=_tiled([stage.mask for stage in stages], repeat),
    )


def _tiled(arrays: Sequence[Floats], repeat: int) -> Floats:
    """The entries of arrays (units, samples), each row repeated, in one flat array."""
    return np.concatenate([np.tile(array, (1, repeat)).reshape(-1) for array in arrays])


def _starts(sizes: Sequence[int] | IndexArray) -> IndexArray:
    """Where each of some arrays of these sizes begins in a flat array of all."""
    return np.asarray(np.cumsum(sizes) - sizes, dtype=np.intp)
