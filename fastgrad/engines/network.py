"""The engine for a fastgrad.Network: for each perturbed coordinate only what depends on it is computed.

Everything before the perturbed layer is computed once. Where the layers after it are Dense and activations,
the change of one unit is carried through by compiled kernels (network_dense.py); for any other layer the
change becomes "everything": the rest of the network is evaluated plainly, a batch of perturbations at a time.

All of it is done in float64, also for float32 parameters: their perturbed values are representable in
float32, and the differences then carry no float32 rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.engines.base import EngineBase, Values
from fastgrad.engines.network_dense import DenseTail, dense_tail
from fastgrad.networks import Network
from fastgrad.networks.base import Array, Blocks
from fastgrad.networks.network import is_penalised
from fastgrad.parameters import IndexArray, Parameters

PLAIN_BYTES = 16 * 2**20
"""Memory for the activations of one batch of plainly evaluated perturbations, one perturbation at least."""


class NetworkState:
    """A network at its parameters in float64: every layer's input, the cost, and the dense tail."""

    def __init__(self, network: Network, params: Blocks, X: Any, Y: Any) -> None:
        X, self.target = network.check_batch(params, X, Y)
        self.network = network
        self.params = {name: np.array(block, dtype=np.float64) for name, block in params.items()}
        inputs = X if X.dtype.kind in "iu" else X.astype(np.float64)
        with np.errstate(all="ignore"):  # a NaN or inf shows in the cost, which is looked at
            self.values = network.chain.forward(self.params, inputs)
            loss = network.loss.value(self.values[-1], self.target)
            self.cost = loss + network.penalty(self.params)
            self.tail: DenseTail | None = (
                dense_tail(network, self.params, self.values, self.target) if np.isfinite(self.cost) else None
            )


class NetworkEngine(EngineBase):
    """Evaluates a Network incrementally; `values` count from `origin`, the cost at the parameters."""

    name = "network"
    workers = "threads"

    def __init__(
        self,
        cost: Any,
        parameters: Parameters,
        args: tuple[Any, ...],
        network: Network,
        state: NetworkState | None = None,
    ) -> None:
        super().__init__(cost, parameters, args)
        self.network = network
        params = parameters.build_arrays(parameters.leaves)
        self.state = state or NetworkState(network, params, *args)
        self.origin = self.state.cost

    def baseline(self) -> float:
        """The cost at the parameters, in float64; what the network needs is compiled here, untimed."""
        if self.state.tail is not None:
            self.state.tail.compile()
        return self.state.cost

    def values(self, indices: IndexArray, offsets: Values) -> Values:
        """The cost at theta + offsets[k, s] * e_indices[k] minus the cost at theta, shape (m, S)."""
        out = np.empty(offsets.shape)
        for number, where in self.parameters.segments(indices):
            block = self.parameters.blocks[number]
            inside = indices[where] - block.start
            out[where] = self._loss_changes(block.name, inside, offsets[where])
            if self.network.l2 and is_penalised(block.name):
                out[where] += self._penalty_changes(block.name, inside, offsets[where])
        return out

    def for_worker(self) -> NetworkEngine:
        """A twin; both read the same state, which nothing writes to."""
        return NetworkEngine(self.cost, self.parameters, self.args, self.network, self.state)

    def _penalty_changes(self, name: str, inside: IndexArray, offsets: Values) -> Values:
        w = self.state.params[name].reshape(-1)[inside][:, None]
        return np.asarray(self.network.l2 * offsets * (w + 0.5 * offsets))

    def _loss_changes(self, name: str, inside: IndexArray, offsets: Values) -> Values:
        position, own = _split(name)
        tail = self.state.tail
        if tail is None or position not in tail.positions:
            return self._plain(position, own, inside, offsets)
        stage = tail.positions.index(position)
        outputs = tail.weights[stage].shape[1]
        feature, unit = (
            (inside // outputs, inside % outputs) if own == "weight" else (np.full_like(inside, -1), inside)
        )
        small = tail.is_small(stage, feature, unit, offsets)
        out = np.empty(offsets.shape)
        if small.any():
            out[small] = tail.values(stage, feature[small], unit[small], offsets[small])
        if not small.all():
            out[~small] = self._plain(position, own, inside[~small], offsets[~small])
        return out

    def _plain(self, position: int, own: str, inside: IndexArray, offsets: Values) -> Values:
        """Evaluate the perturbed layer and all after it, a batch of perturbations at a time."""
        flat_inside = np.repeat(inside, offsets.shape[1])
        flat_offsets = offsets.reshape(-1)
        later = max(value.nbytes for value in self.state.values[position + 1 :])
        size = max(1, PLAIN_BYTES // later)
        before = self.state.network.loss.value(self.state.values[-1], self.state.target)
        found: list[float] = []
        for i in range(0, len(flat_inside), size):
            outputs = self._perturbed(position, own, flat_inside[i : i + size], flat_offsets[i : i + size])
            found += [self.network.loss.value(y, self.state.target) - before for y in outputs]
        return np.array(found).reshape(offsets.shape)

    def _perturbed(self, position: int, own: str, inside: IndexArray, offsets: npt.NDArray[Any]) -> Array:
        """The network's outputs (K, samples, ...) for K perturbations of one layer's parameter."""
        chain, state = self.network.chain, self.state
        params = chain.own(state.params, position)
        block = params[own] = params[own].copy()
        flat = block.reshape(-1)
        outputs = []
        with np.errstate(all="ignore"):
            for i, offset in zip(inside, offsets, strict=True):
                saved = flat[i]
                flat[i] = saved + offset
                outputs.append(chain.layers[position].forward(params, state.values[position]))
                flat[i] = saved
            y = np.stack(outputs)
            for k in range(position + 1, len(chain.layers)):
                y = forward_many(chain.layers[k], chain.own(state.params, k), y)
        return y


def forward_many(layer: Any, p: Blocks, x: Array) -> Array:
    """A layer's outputs for K batches (K, samples, ...): one call where samples are independent."""
    if getattr(layer, "couples_samples", False):
        return np.stack([layer.forward(p, batch) for batch in x])
    y = layer.forward(p, x.reshape(-1, *x.shape[2:]))
    return np.asarray(y.reshape(*x.shape[:2], *y.shape[1:]))


def _split(name: str) -> tuple[int, str]:
    position, _, own = name.partition(".")
    return int(position), own
