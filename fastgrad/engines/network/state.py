"""A network at its parameters: the activations and losses, in float64, that every perturbation changes.

The engine makes one state for a network, its parameters and its batch, and all workers read it. A layer or a
loss without a rule (`networks.known`) is evaluated by its own methods, one whole batch at a time.
"""

from __future__ import annotations

import copy
from functools import cached_property
from typing import Any, cast

import numpy as np

from fastgrad import networks
from fastgrad.engines.network.dense_tail import DenseTail, dense_tail
from fastgrad.engines.network.layer_rules import bind_layers, forward_values, layers_without_rule
from fastgrad.engines.network.place import Place
from fastgrad.engines.numbers import epsilon_of, to_number
from fastgrad.networks.base import Array, Blocks, Layer
from fastgrad.networks.known import kind_of
from fastgrad.networks.losses import Loss, SummedLoss

RULES_BYTES = 2**20
"""The largest size, in bytes, of an activation of the perturbations that NumPy rules propagate together. It
is so small that activations stay in the processor's cache from layer to layer. A single perturbation may be
larger."""


class NetworkState:
    """Every layer's input, the loss of each sample, the cost, and the dense tail if there is one.

    Raises
    ------
    NotArrays
        For a layer of the user's own that returns something else than an array.
    """

    def __init__(self, network: networks.Network, params: Blocks, X: Any, Y: Any) -> None:
        X, self.target = network.check_batch(params, X, Y)
        self.network = network
        self.params = {name: np.array(block, dtype=np.float64) for name, block in params.items()}
        self.layers = bind_layers(network.chain, self.params)
        kept = X.dtype.kind in "iu" or (self.layers[0].kind is None and X.dtype.kind != "f")
        inputs = X if kept else X.astype(np.float64)
        self._places: dict[str, Place] = {}
        with np.errstate(all="ignore"):  # a NaN or an infinity shows in the cost, which is examined
            self.values = forward_values(self.layers, inputs)
            self.summed_loss = self._known_loss()
            self.epsilon = float(np.finfo(np.float64).eps)
            self.each = self._loss()
            self.cost = float(self.each.sum()) + network.penalty(self.params)
            self.tail: DenseTail | None = (
                dense_tail(network.loss, self.layers, self.values, self.target)
                if np.isfinite(self.cost)
                else None
            )

    def _known_loss(self) -> SummedLoss | None:
        """The loss, if it has a rule and is thus a sum over the samples of the batch."""
        as_many = self.values[-1].shape[:1] == self.values[0].shape[:1]
        known = as_many and kind_of(self.network.loss) is not None
        return cast(SummedLoss, self.network.loss) if known else None

    def _loss(self) -> Array:
        """The loss of each sample, (samples,); the whole of a loss without a rule, (1,)."""
        y = self.values[-1]
        if self.summed_loss is not None:
            return self.summed_loss.each(y, self.target)
        self.target = copy.deepcopy(self.target)  # the loss may write to its targets
        value = self.network.loss.value(y.copy(), self.target)
        self.epsilon = epsilon_of(value)
        return np.array([to_number(value)])

    @cached_property
    def own_parts(self) -> tuple[str, ...]:
        """The layers and the loss without a rule, as a report names them: "layer 1 (Steep())"."""
        loss = self.network.loss
        layers = tuple(f"layer {name} ({_named(layer)})" for name, layer in layers_without_rule(self.layers))
        return (*layers, f"the loss {_named(loss)}") if kind_of(loss) is None else layers

    @property
    def samples(self) -> int:
        """The number of samples in the batch."""
        return len(self.values[0])

    @property
    def rounding(self) -> float:
        """The rounding error of the largest loss of a sample."""
        return float(np.finfo(np.float64).eps * np.abs(self.each).max())

    @property
    def dense_places(self) -> list[Place]:
        """The Dense layers, those inside residual branches too."""
        places = dict.fromkeys(self.locate(name)[0] for name in self.params)
        return [place for place in places if place.kind is networks.Dense]

    def locate(self, block: str) -> tuple[Place, str]:
        """The place of a block's layer, and the parameter's name there: "3.1.weight" -> (3.1, "weight").

        Blocks of a layer of the user's own may have dots in their names: "2.0.weight" -> (2, "0.weight").
        """
        name, _, parameter = block.partition(".")
        while self.place(name).kind is networks.Residual:
            inner, _, parameter = parameter.partition(".")
            name = f"{name}.{inner}"
        return self.place(name), parameter

    def place(self, name: str) -> Place:
        """The place of a name: "3", or "3.1" for layer 1 of the branch that layer 3 is."""
        if name not in self._places:
            outer, _, last = name.rpartition(".")
            self._places[name] = self.place(outer).inside(name, int(last)) if outer else self._outermost(name)
        return self._places[name]

    def _outermost(self, name: str) -> Place:
        by_sample = self.summed_loss is not None
        return Place(name, int(name), self.layers, self.values, None, by_sample)

    def stage(self, place: Place) -> int | None:
        """The number of a layer within the dense tail; None for a layer outside it."""
        if self.tail is None or place.outer is not None or place.position not in self.tail.positions:
            return None
        return self.tail.positions.index(place.position)

    def batch_size(self, place: Place, offsets: int) -> int:
        """The number of coordinates, with so many offsets each, that NumPy rules propagate together."""
        return max(1, int(RULES_BYTES / (place.largest_change * offsets)))


def _named(part: Layer | Loss) -> str:
    """A layer or a loss as it prints itself; its class where it would print an address."""
    printed = repr(part)
    return f"{type(part).__name__}()" if printed == object.__repr__(part) else printed
