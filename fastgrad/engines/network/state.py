"""A network at its parameters, in float64: what every perturbation starts from."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgrad import networks
from fastgrad.engines.network.dense_tail import DenseTail, dense_tail
from fastgrad.engines.network.place import Place, split_name
from fastgrad.networks.base import Blocks

PLAIN_BYTES = 2**20
"""Memory for the activations of one batch of plainly evaluated perturbations, one perturbation at least: so
little that a batch stays in the processor's cache from layer to layer."""


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
