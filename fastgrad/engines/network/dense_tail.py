"""The dense rule of the network engine: a weight or bias of a Dense layer with only dense layers after it.

Arrays are packed once for a network, its parameters and its batch; all workers read the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastgrad import networks
from fastgrad.engines.network.layer_rules import Kind, Step
from fastgrad.engines.network.place import largest_of_each
from fastgrad.index_sets import distinct
from fastgrad.kernels import changes, loss_changes
from fastgrad.kernels.rows import ACTIVATE, MASK, NORMALISE
from fastgrad.networks.known import kind_of

if TYPE_CHECKING:
    from fastgrad.kernels.dense_tail import Scratch, Tail
    from fastgrad.kernels.rows import Between


TILE_LANES = 256
"""Lanes of a tile (samples times perturbations of one unit) where the batch is not larger.

Each row of a tile is one innermost loop. Measured, in microseconds a first-layer weight on one core: 64-32-10
with 128 samples 12.5, 12.2, 3.9, 5.1 for 64, 128, 256, 512 lanes; 784-256-128-10 with 32 samples the same for
all. Keeping one copy of the base and looping over the perturbations outside it took twice as long: the checks
for overlapping arrays are then made again for every short loop."""

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

COMPILED: set[tuple[str, tuple[type, ...]]] = set()
"""Kernels that were compiled in this process, by name and the kinds of activations, loss and between."""

BETWEEN: dict[Kind, int] = {networks.BatchNorm: NORMALISE, networks.Dropout: MASK}
"""What a kernel can do to a row beside an activation, for batches of plain features."""


class _Compiled(NamedTuple):
    """An activation as kernels know it, and how much it can stretch a change: its largest slope."""

    kind: Any  # a type of changes.py, with its parameter
    lipschitz: float


_ACTIVATIONS: dict[Kind, Callable[[Any], _Compiled]] = {
    networks.Sigmoid: lambda layer: _Compiled(changes.Sigmoid(), 0.25),
    networks.Tanh: lambda layer: _Compiled(changes.Tanh(), 1.0),
    networks.ReLU: lambda layer: _Compiled(changes.ReLU(), 1.0),
    networks.LeakyReLU: lambda layer: _Compiled(
        changes.LeakyReLU(float(layer.leak)), max(1.0, abs(float(layer.leak)))
    ),
    networks.ELU: lambda layer: _Compiled(changes.ELU(float(layer.alpha)), max(1.0, abs(float(layer.alpha)))),
    networks.Softplus: lambda layer: _Compiled(changes.Softplus(), 1.0),
    networks.SiLU: lambda layer: _Compiled(changes.SiLU(), 1.1),
    networks.GELU: lambda layer: _Compiled(changes.GELU(), 1.13),
}
"""The activations that kernels know; one that is not here ends the tail."""

_NO_ACTIVATION = _Compiled(changes.Identity(), 1.0)

_LOSSES: dict[Kind, Callable[[Array], tuple[Any, float]]] = {
    networks.HalfSquaredError: lambda y: (loss_changes.SquaredError(), 1.0),
    networks.MeanSquaredError: lambda y: (loss_changes.SquaredError(), 2.0 / y.size),
    networks.SoftmaxCrossEntropy: lambda y: (loss_changes.SoftmaxCrossEntropy(), 1.0 / len(y)),
    networks.LogisticLoss: lambda y: (loss_changes.LogisticLoss(), 1.0 / y.size),
}
"""The losses that kernels know, for outputs y: the loss as a type of loss_changes.py, and what a sample's
change is multiplied by. With one that is not here a network has no tail."""


@dataclass(frozen=True, eq=False)
class DenseTail:
    """The last layers of a network, from the first Dense with only Dense and activations after it."""

    positions: tuple[int, ...]  # of the Dense layers in the network
    inputs: tuple[Array, ...]  # (features, samples) of each
    weights: tuple[Array, ...]
    packed: Tail
    stretches: tuple[tuple[float, float], ...]
    """For each layer how much what follows it can stretch a change, on the way at most and in the end."""
    scale: float  # of the loss's change: 1 / samples for a mean

    def values(self, stage: int, feature: Indices, unit: Indices, offsets: Array) -> Array:
        """The loss's change for coordinates of dense layer `stage`, shape (m, S).

        Weights into one unit from inputs that are the same in every sample change it alike: one of them is
        propagated.
        """
        first, repeats = self._first_of_each_move(stage, feature, unit, offsets)
        if repeats is None:
            return self._sweep(stage, feature, unit, offsets)
        return self._sweep(stage, feature[first], unit[first], offsets[first])[repeats]

    def _first_of_each_move(
        self, stage: int, feature: Indices, unit: Indices, offsets: Array
    ) -> tuple[Indices, Indices | None]:
        """Which coordinates stand for all, and which of those stands for each; None where all differ."""
        everyone = np.arange(len(feature))
        twin = self.twins[stage][feature]
        shared = np.flatnonzero(self._has_twin[stage][feature])
        if len(shared) == 0:
            return everyone, None
        moves = np.column_stack([twin[shared], unit[shared], offsets[shared]])
        _, first, same = np.unique(moves, axis=0, return_index=True, return_inverse=True)
        stands_for = everyone.copy()
        stands_for[shared] = shared[first[same.reshape(-1)]]
        kept = distinct(stands_for)
        return kept, np.searchsorted(kept, stands_for)

    @cached_property
    def twins(self) -> list[Indices]:
        """For each input of each dense layer, the first one equal to it in every sample; [-1] is the bias.

        Inputs that are zero throughout stand alone: they cost nothing anyway.
        """
        return [np.append(_first_equal_row(inputs), -1) for inputs in self.inputs]

    @cached_property
    def _has_twin(self) -> list[npt.NDArray[np.bool_]]:
        return [np.bincount(twin[:-1], minlength=len(twin))[twin] > 1 for twin in self.twins]

    def _sweep(self, stage: int, feature: Indices, unit: Indices, offsets: Array) -> Array:
        from fastgrad.kernels.dense_tail import sweep

        out = np.empty(offsets.shape)
        order = np.argsort(unit, kind="stable")
        given = np.ascontiguousarray(offsets)
        sweep(self.packed, self._scratch(), stage, self.inputs[stage], feature, unit, given, order, out)
        return out * self.scale

    def node_values(self, stage: int, sample: Indices, unit: Indices, offsets: Array) -> Array:
        """The loss's change for moved pre-activations of dense layer `stage`, shape (m, S)."""
        from fastgrad.kernels.dense_tail import sweep_nodes

        out = np.empty(offsets.shape)
        order = np.argsort(unit, kind="stable")
        given, samples = np.ascontiguousarray(offsets), self.inputs[0].shape[1]
        sweep_nodes(self.packed, self._scratch(), stage, samples, sample, unit, given, order, out)
        return out * self.scale

    def compile(self, weights: bool, nodes: bool) -> None:
        """Compile the kernels for this network's kinds of activations, or load them from disk."""
        nothing = np.empty(0, dtype=np.intp)
        packed = self.packed
        kinds = tuple(type(kind) for kind in (*packed.activations, packed.loss, packed.between))
        for wanted, values in ((weights, self.values), (nodes, self.node_values)):
            if wanted and (values.__name__, kinds) not in COMPILED:
                values(0, nothing, nothing, np.empty((0, 2)))
                COMPILED.add((values.__name__, kinds))

    def is_small(self, stage: int, feature: Indices, unit: Indices, offsets: Array) -> npt.NDArray[np.bool_]:
        """Which coordinates stay, at every later activation, within what the kernel's series allow."""
        reach = largest_of_each(offsets) * self.largest[stage][feature] * self.amplification[stage][unit]
        return np.asarray(reach <= changes.SMALL)

    @cached_property
    def largest(self) -> list[Array]:
        """The largest |x| of each input of each dense layer; [-1] is the bias, which moves its unit by 1."""
        return [np.append(np.abs(inputs).max(axis=1), 1.0) for inputs in self.inputs]

    @cached_property
    def amplification(self) -> list[Array]:
        """For each unit of each dense layer, a bound on how much a change of it grows on its way on."""
        depth = len(self.weights)
        bounds = []
        for s in range(depth):
            inside, stretch = self.stretches[s]
            bound = np.full(self.weights[s].shape[1], inside)
            reach = np.full((1, 1), stretch)
            for t in range(s + 1, depth):
                into = np.abs(self.weights[t])
                reach = stretch * into if t == s + 1 else reach @ into
                inside, onward = self.stretches[t]
                bound = np.maximum(bound, reach.max(axis=1) * inside)
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


def _first_equal_row(inputs: Array) -> Indices:
    """For each row the number of the first one equal to it; its own for rows of zeros.

    Only rows that agree with another in their first number are looked at as a whole: seldom any, where it
    took 7 ms to look at all 1,168 of 784-256-128-10.
    """
    twin = np.arange(len(inputs))
    order = np.argsort(inputs[:, 0], kind="stable")
    same = inputs[order[1:], 0] == inputs[order[:-1], 0]
    maybe = np.sort(order[np.append(same, False) | np.append(False, same)])
    first: dict[bytes, int] = {}
    for i in maybe[inputs[maybe].any(axis=1)].tolist():
        twin[i] = first.setdefault(inputs[i].tobytes(), i)
    return twin


def dense_tail(loss: Any, steps: Sequence[Step], values: list[Any], target: Any) -> DenseTail | None:
    """The tail of a network, from its loss, its layers and each layer's input; None if it has none.

    values[k] is the input of layer k and values[-1] the output, as Chain.forward gives them.
    """
    of_outputs = _LOSSES.get(kind_of(loss))
    if of_outputs is None:
        return None
    stages = _stages(steps)
    inputs = [values[stage.position] for stage in stages]
    if not stages or any(x.ndim != 2 or not np.isrealobj(x) for x in inputs):
        return None
    if any(len(x) != len(values[0]) for x in (*inputs, values[-1])):
        return None
    positions = tuple(stage.position for stage in stages)
    weights = tuple(np.ascontiguousarray(steps[k].p["weight"]) for k in positions)
    kind, scale = of_outputs(values[-1])
    pieces = [_Piece(steps, values, stage) for stage in stages]
    return DenseTail(
        positions=positions,
        inputs=tuple(np.ascontiguousarray(x.T, dtype=np.float64) for x in inputs),
        weights=weights,
        packed=_pack(pieces, kind, weights, values[-1], target),
        stretches=tuple(piece.stretch() for piece in pieces),
        scale=scale,
    )


def _distinct(kinds: list[Any]) -> tuple[tuple[Any, ...], Indices]:
    """The distinct ones, and the number of each (named tuples of two types may be equal)."""
    keys = [(type(kind).__name__, kind) for kind in kinds]
    distinct = list(dict.fromkeys(keys))
    return tuple(kind for _, kind in distinct), np.array([distinct.index(key) for key in keys], dtype=np.intp)


@dataclass(frozen=True)
class _Stage:
    """A Dense layer and what follows it: (step, position in the network), an activation among the steps."""

    position: int
    steps: tuple[tuple[int, int], ...]
    activation: _Compiled


def _stages(layers: Sequence[Step]) -> list[_Stage]:
    """Dense layers from the back as far as kernels know what stands between them."""
    found: list[_Stage] = []
    steps: list[tuple[int, int]] = []
    activation = _NO_ACTIVATION
    for k in reversed(range(len(layers))):
        kind = layers[k].kind
        step = BETWEEN.get(kind, ACTIVATE if kind in _ACTIVATIONS else 0)
        if kind is networks.Dense:
            found.append(_Stage(k, tuple(reversed(steps)), activation))
            steps, activation = [], _NO_ACTIVATION
        elif step and step not in [known for known, _ in steps]:
            steps.append((step, k))
            if step == ACTIVATE:
                activation = _ACTIVATIONS[kind](layers[k].layer)
        else:
            break
    return found[::-1]


class _Piece:
    """What the kernels read of one stage: arrays (units, samples), of zeros where there is no such step."""

    def __init__(self, layers: Sequence[Step], values: list[Any], stage: _Stage) -> None:
        z = values[stage.position + 1]
        at = dict(stage.steps)
        self.activation, self.lipschitz = stage.activation
        self.steps = [step for step, _ in stage.steps]
        self.input = values[at[ACTIVATE]].T if ACTIVATE in at else z.T
        self.centred, self.mask = np.zeros(z.T.shape), np.ones(z.T.shape)
        self.deviation, self.gain = np.ones(z.shape[1]), np.ones(z.shape[1])
        if NORMALISE in at:
            norm, x = layers[at[NORMALISE]], values[at[NORMALISE]]
            self.centred = (x - x.mean(axis=0)).T
            self.deviation = np.sqrt(x.var(axis=0) + norm.layer.epsilon)
            self.gain = norm.p["scale"]
        if MASK in at:
            self.mask = layers[at[MASK]].layer.mask(z).T

    def stretch(self) -> tuple[float, float]:
        """How much a change can grow in these steps: on the way at most, and in the end."""
        farthest = np.abs(self.centred).max(axis=1, initial=0.0) / self.deviation
        # |g d'/t| <= 2 |g d| / s, and the change of the deviation moves z' by as much times |z'| / s.
        normalised = float(np.max(2 * np.abs(self.gain) / self.deviation * (1 + farthest)))
        masked = float(self.mask.max(initial=1.0))
        by = {NORMALISE: normalised, ACTIVATE: self.lipschitz, MASK: masked}
        now, most = 1.0, 1.0
        for step in self.steps:
            now *= by[step]
            most = max(most, now)
        return most, now


def _pack(pieces: list[_Piece], loss: Any, weights: tuple[Array, ...], y: Array, target: Any) -> Tail:
    """All arrays of the tail, each base repeated from the batch to a tile's width."""
    from fastgrad.kernels.dense_tail import Tail

    repeat = max(1, TILE_LANES // len(y))
    kinds, which = _distinct([piece.activation for piece in pieces])
    bases = [changes.prepared(piece.activation, piece.input) for piece in pieces]
    q0, q1, q2 = (_tiled(parts, repeat) for parts in zip(*bases, strict=True))
    r0, r1 = (np.tile(r.T, (1, repeat)) for r in loss_changes.prepared(loss, y, target))
    units = np.array([w.shape[1] for w in weights], dtype=np.intp)
    last = pieces[-1]
    ends_plainly = isinstance(last.activation, changes.Identity) and set(last.steps) <= {ACTIVATE}
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
        between=_between(pieces, units, len(y), repeat),
        by_moments=int(ends_plainly and loss_changes.has_moments(loss)),
        r0=r0,
        r1=r1,
    )


def _between(pieces: list[_Piece], units: Indices, samples: int, repeat: int) -> Between | None:
    """What stands between the layers beside activations; None where nothing does."""
    if all(set(piece.steps) <= {ACTIVATE} for piece in pieces):
        return None
    from fastgrad.kernels.rows import Between

    steps = [[*piece.steps, 0, 0, 0][:3] for piece in pieces]
    return Between(
        steps=np.array(steps, dtype=np.intp),
        samples=samples,
        centred=_tiled([piece.centred for piece in pieces], repeat),
        deviation=np.concatenate([piece.deviation for piece in pieces]),
        gain=np.concatenate([piece.gain for piece in pieces]),
        unit_at=_starts(units),
        mask=_tiled([piece.mask for piece in pieces], repeat),
    )


def _tiled(arrays: Sequence[Array], repeat: int) -> Array:
    """Arrays (units, samples), each row repeated, all one after the other."""
    return np.concatenate([np.tile(array, (1, repeat)).reshape(-1) for array in arrays])


def _starts(sizes: Any) -> Indices:
    return np.asarray(np.cumsum(sizes) - sizes, dtype=np.intp)
