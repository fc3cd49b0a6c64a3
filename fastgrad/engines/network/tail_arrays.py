"""The arrays that the compiled kernels read of a dense tail, and which layers and losses they know.

`dense_tail` asks which stages a network ends with (`stages_of`) and packs their arrays (`pack`) into the
`Tail` of `kernels.dense_tail`. Arrays of samples are repeated to the width of a tile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from fastgrad import networks
from fastgrad.arrays import FloatArray, Floats, IndexArray
from fastgrad.engines.network.layer_rules import BoundLayer, Kind
from fastgrad.kernels import changes, loss_changes
from fastgrad.kernels.rows import ACTIVATE, MASK, NORMALISE
from fastgrad.networks.base import Layer

if TYPE_CHECKING:
    from fastgrad.kernels.dense_tail import Tail
    from fastgrad.kernels.rows import Between


TILE_LANES = 256
"""The least number of lanes of a tile. A lane is one sample under one perturbation of a unit; a tile has as
many perturbations as fit, at least one.

Each row of a tile is one innermost loop. Measured, in microseconds for a first-layer weight on one core:
64-32-10 with 128 samples takes 12.5, 12.2, 3.9, 5.1 with 64, 128, 256, 512 lanes; 784-256-128-10 with 32
samples takes the same with all. Without copies of the base for each perturbation, in a loop over the
perturbations, it takes twice as long: the compiled code then tests each short loop for overlapping arrays."""

OPERATIONS: dict[Kind, int] = {networks.BatchNorm: NORMALISE, networks.Dropout: MASK}
"""The layers beside activations that the kernels know, for inputs (samples, features)."""


class _Compiled(NamedTuple):
    """An activation as the kernels know it, and its Lipschitz constant: its largest |slope|."""

    kind: changes.Activation
    lipschitz: float
    """Rounded up for SiLU (1.0998) and GELU (1.1290), whose slopes exceed 1."""


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

LOSSES: dict[Kind, Callable[[Floats], tuple[loss_changes.Loss, float]]] = {
    networks.HalfSquaredError: lambda y: (loss_changes.SquaredError(), 1.0),
    networks.MeanSquaredError: lambda y: (loss_changes.SquaredError(), 2.0 / y.size),
    networks.SoftmaxCrossEntropy: lambda y: (loss_changes.SoftmaxCrossEntropy(), 1.0 / len(y)),
    networks.LogisticLoss: lambda y: (loss_changes.LogisticLoss(), 1.0 / y.size),
}
"""The losses that the kernels know, for outputs y: the loss as the kernels know it, and the factor of a
sample's change. With any other loss a network has no tail."""


def _distinct(kinds: list[changes.Activation]) -> tuple[tuple[changes.Activation, ...], IndexArray]:
    """The distinct activations, and the number of each in the list among them.

    The names of the types are compared too, since named tuples of two types may be equal.
    """
    keys = [(type(kind).__name__, kind) for kind in kinds]
    distinct = list(dict.fromkeys(keys))
    return tuple(kind for _, kind in distinct), np.array([distinct.index(key) for key in keys], dtype=np.intp)


@dataclass(frozen=True)
class Stage:
    """A Dense layer and the layers up to the next Dense."""

    position: int  # of the Dense layer in the network
    operations: tuple[tuple[int, int], ...]  # (operation, position in the network) of the layers after it
    activation: _Compiled  # the one activation among them, if there is any


def stages_of(layers: Sequence[BoundLayer]) -> list[Stage]:
    """The stages of the tail: from the last layer back to the first that the kernels do not know."""
    found: list[Stage] = []
    operations: list[tuple[int, int]] = []
    activation = _NO_ACTIVATION
    for k in reversed(range(len(layers))):
        kind = layers[k].kind
        operation = OPERATIONS.get(kind, ACTIVATE if kind in _ACTIVATIONS else 0)
        if kind is networks.Dense:
            found.append(Stage(k, tuple(reversed(operations)), activation))
            operations, activation = [], _NO_ACTIVATION
        elif operation and operation not in [known for known, _ in operations]:
            operations.append((operation, k))
            if operation == ACTIVATE:
                activation = _ACTIVATIONS[kind](layers[k].layer)
        else:
            break
    return found[::-1]


class StageArrays:
    """What the kernels read of one stage: arrays (units, samples) and (units,).

    Those of an operation that the stage does not have are neutral.
    """

    def __init__(self, layers: Sequence[BoundLayer], values: list[Floats], stage: Stage) -> None:
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


def pack(
    stages: list[StageArrays],
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


def _between(stages: list[StageArrays], units: IndexArray, samples: int, repeat: int) -> Between | None:
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
