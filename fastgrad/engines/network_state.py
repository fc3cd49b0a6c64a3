"""A network at its parameters, in float64: what every perturbation starts from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fastgrad import networks
from fastgrad.engines.network_dense import DenseTail, dense_tail
from fastgrad.engines.network_parts import Part, felt_by, keeps_the_part, share_of_own, through_chain
from fastgrad.networks.base import Array, Blocks
from fastgrad.networks.chain import Chain

PLAIN_BYTES = 2**20
"""Memory for the activations of one batch of plainly evaluated perturbations, one perturbation at least: so
little that a batch stays in the processor's cache from layer to layer."""


def split_name(name: str) -> tuple[str, str]:
    """The layer's place and the parameter's own name: "3.weight" -> ("3", "weight")."""
    place, _, own = name.rpartition(".")
    return place, own


class NetworkState:
    """Every layer's input, the cost, and the dense tail."""

    def __init__(self, network: networks.Network, params: Blocks, X: Any, Y: Any) -> None:
        X, self.target = network.check_batch(params, X, Y)
        self.network = network
        self.params = {name: np.array(block, dtype=np.float64) for name, block in params.items()}
        inputs = X if X.dtype.kind in "iu" else X.astype(np.float64)
        self._places: dict[str, Place] = {}
        with np.errstate(all="ignore"):  # a NaN or inf shows in the cost, which is looked at
            self.values = network.chain.forward(self.params, inputs)
            self.each = network.loss.each(self.values[-1], self.target)
            self.cost = float(self.each.sum()) + network.penalty(self.params)
            self.tail: DenseTail | None = (
                dense_tail(network, self.params, self.values, self.target) if np.isfinite(self.cost) else None
            )

    @property
    def samples(self) -> int:
        """How many there are in the batch."""
        return len(self.values[0])

    @property
    def rounding(self) -> float:
        """Of the largest loss of a sample."""
        return float(np.finfo(np.float64).eps * np.abs(self.each).max())

    @property
    def dense_places(self) -> list[Place]:
        """The Dense layers, those inside residual branches too."""
        names = dict.fromkeys(split_name(name)[0] for name in self.params)
        places = map(self.place, names)
        return [place for place in places if isinstance(place.layer, networks.Dense)]

    def place(self, name: str) -> Place:
        """The layer of that name: "3", or "3.1" for layer 1 of the branch that layer 3 is."""
        if name not in self._places:
            outer, _, last = name.rpartition(".")
            self._places[name] = self.place(outer).inside(name, int(last)) if outer else self._outermost(name)
        return self._places[name]

    def _outermost(self, name: str) -> Place:
        return Place(name, int(name), self.network.chain, self.params, self.values, None)

    def stage(self, place: Place) -> int | None:
        """Which layer of the dense tail it is; None where it is none."""
        if self.tail is None or place.outer is not None or place.position not in self.tail.positions:
            return None
        return self.tail.positions.index(place.position)

    def batch_size(self, place: Place, offsets: int) -> int:
        """How many coordinates of a layer, with so many offsets each, are evaluated plainly together."""
        return max(1, int(PLAIN_BYTES / (place.largest_new * offsets)))


@dataclass(frozen=True, eq=False)
class Place:
    """One layer where it stands: the chain it is in, and what that chain computed."""

    name: str
    position: int
    chain: Chain
    params: Blocks  # of the chain
    values: list[Array]  # of the chain, as Chain.forward gives them
    outer: Place | None  # the Residual layer whose branch the chain is

    @property
    def layer(self) -> Any:
        """The layer itself."""
        return self.chain.layers[self.position]

    @cached_property
    def own(self) -> Blocks:
        """Its parameters by their bare names."""
        return self.chain.own(self.params, self.position)

    @property
    def x(self) -> Array:
        """Its input."""
        return self.values[self.position]

    @property
    def z(self) -> Array:
        """Its output."""
        return self.values[self.position + 1]

    @cached_property
    def felt(self) -> Array:
        """What its weights multiply."""
        return felt_by(self.layer, self.x)

    @property
    def later(self) -> tuple[Any, ...]:
        """The layers after it, to the end of the network."""
        here = self.chain.layers[self.position + 1 :]
        return here if self.outer is None else here + self.outer.later

    @cached_property
    def samples_stay_apart(self) -> bool:
        """Whether no layer after it mixes samples."""
        return not any(_any_layer(layer, networks.BatchNorm) for layer in self.later)

    @cached_property
    def dropout_follows(self) -> bool:
        """Whether what is left of a sample depends on where in the batch it stands."""
        return any(_any_layer(layer, networks.Dropout) for layer in self.later)

    @cached_property
    def largest_new(self) -> float:
        """Bytes of what one perturbation makes new of an activation after it, at most.

        (By whole activations the 4,608 weights of a second convolution went one by one, in small arrays.)
        """
        return self._largest_new(share_of_own(self.layer, self.z), self.position + 1)

    def _largest_new(self, share: float, start: int) -> float:
        largest = self.values[start].nbytes * share
        for k in range(start, len(self.chain.layers)):
            share = share if keeps_the_part(self.chain.layers[k]) else 1.0
            largest = max(largest, self.values[k + 1].nbytes * share)
        if self.outer is None:  # of the outputs everything is written down
            return max(largest, self.values[-1].nbytes)
        return max(largest, self.outer._largest_new(share, self.outer.position + 1))

    @cached_property
    def work_after(self) -> float:
        """Operations of one sample for a change of one unit of the layer's output, roughly.

        The layer right after costs a rank-one update, only those after that a product; a change of an
        activation costs about as much as ten operations.
        """
        work, changed = 1.0, 1.0
        for k in range(self.position + 1, len(self.chain.layers)):
            units = float(self.values[k + 1][0].size)
            is_dense = isinstance(self.chain.layers[k], networks.Dense)
            work += changed * units if is_dense else 10 * min(changed, units)
            changed = units if is_dense else changed
        return work if self.outer is None else work + changed * self.outer.work_after

    def inside(self, name: str, position: int) -> Place:
        """Layer `position` of the branch that this layer is."""
        branch: Chain = self.layer.chain
        with np.errstate(all="ignore"):
            values = branch.forward(self.own, self.x)
        return Place(name, position, branch, self.own, values, self)

    def onward(self, part: Part) -> Part:
        """A change of the layer's output, carried to the network's."""
        part = through_chain(self.chain, self.params, self.values, self.position + 1, part)
        if self.outer is None:
            return part
        x = self.outer.x
        return self.outer.onward(Part(part.lo, part.hi, part.new + x[:, part.lo : part.hi]))


def _any_layer(layer: Any, kind: type) -> bool:
    if isinstance(layer, networks.Residual):
        return any(_any_layer(inner, kind) for inner in layer.chain.layers)
    return isinstance(layer, kind)
