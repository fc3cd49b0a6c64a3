"""The engine for a fastgrad.Network: for each perturbed coordinate only what depends on it is computed.

Everything before the perturbed layer is computed once. Where the layers after it are Dense and activations,
the change of one unit is carried through by compiled kernels (network_dense.py); elsewhere the change
travels from layer to layer by NumPy rules (network_parts.py), a batch of perturbations at a time.

All of it is done in float64, also for float32 parameters: their perturbed values are representable in
float32, and the differences then carry no float32 rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.engines.base import EngineBase, Values
from fastgrad.engines.network_dense import DenseTail, dense_tail
from fastgrad.engines.network_nodes import (
    NODES,
    NodeSpace,
    affine_layers,
    choose_nodes,
    plain_node_changes,
    split_name,
)
from fastgrad.engines.network_plain import plain_changes, samples_stay_apart
from fastgrad.errors import InputError
from fastgrad.networks import Dense, Network
from fastgrad.networks.base import Blocks
from fastgrad.networks.network import is_penalised
from fastgrad.parameters import IndexArray, Parameters
from fastgrad.spaces import ParameterSpace, Space

PLAIN_BYTES = 2**20
"""Memory for the activations of one batch of plainly evaluated perturbations, one perturbation at least: so
little that a batch stays in the processor's cache from layer to layer."""


IN_FLOAT64 = (
    "the float32 parameters were moved and the network evaluated in float64: its differences are free of "
    "float32 rounding, a claimed gradient computed in float32 is not"
)


class NetworkState:
    """A network at its parameters in float64: every layer's input, the cost, and the dense tail."""

    def __init__(self, network: Network, params: Blocks, X: Any, Y: Any) -> None:
        X, self.target = network.check_batch(params, X, Y)
        self.network = network
        self.params = {name: np.array(block, dtype=np.float64) for name, block in params.items()}
        inputs = X if X.dtype.kind in "iu" else X.astype(np.float64)
        with np.errstate(all="ignore"):  # a NaN or inf shows in the cost, which is looked at
            self.values = network.chain.forward(self.params, inputs)
            self.each = network.loss.each(self.values[-1], self.target)
            self.cost = float(self.each.sum()) + network.penalty(self.params)
            self.tail: DenseTail | None = (
                dense_tail(network, self.params, self.values, self.target) if np.isfinite(self.cost) else None
            )

    def batch_size(self, position: int, offsets: int) -> int:
        """How many coordinates of a layer, with so many offsets each, are evaluated plainly together."""
        later = max(value.nbytes for value in self.values[position + 1 :])
        return max(1, PLAIN_BYTES // (later * offsets))


def work_after(state: NetworkState, position: int) -> float:
    """Operations of one sample for a change of one unit of a layer's output, roughly.

    The layer right after costs a rank-one update, only those after that a product; a change of an activation
    costs about as much as ten operations.
    """
    work, changed = 1.0, 1.0
    for k in range(position + 1, len(state.network.layers)):
        units = float(state.values[k + 1][0].size)
        is_dense = isinstance(state.network.layers[k], Dense)
        work += changed * units if is_dense else 10 * min(changed, units)
        changed = units if is_dense else changed
    return work


class NetworkEngine(EngineBase):
    """Evaluates a Network incrementally; `values` count from `origin`, the cost at the parameters."""

    name = "network"
    workers = "threads"
    preparation = "compiling kernels for this kind of network, once (they are kept on disk)"

    def __init__(
        self,
        cost: Any,
        parameters: Parameters,
        args: tuple[Any, ...],
        network: Network,
        state: NetworkState | None = None,
        space: Space | None = None,
    ) -> None:
        super().__init__(cost, parameters if space is None else space.parameters, args)
        self.network = network
        if state is None:
            state = NetworkState(network, parameters.build_arrays(parameters.leaves), *args)
        self.state = state
        if any(leaf.dtype == np.float32 for leaf in parameters.leaves):
            self.notes = (IN_FLOAT64,)
        self.space = space or ParameterSpace(parameters)
        self.origin = self.state.cost
        if isinstance(space, NodeSpace):
            self.granularity = len(state.values[0])  # one pass answers for a unit in every sample

    def through_nodes(self, perturb: str, indices: IndexArray) -> NetworkEngine:
        """The engine that moves nodes of Dense layers: of all, or with "auto" where that is less work.

        Raises
        ------
        InputError
            For perturb="nodes" and a network without a Dense layer.
        """
        if perturb == "auto":
            positions = choose_nodes(self.network, self.state, self.parameters, indices)
        else:
            positions = affine_layers(self.network)
            if not positions:
                raise InputError(
                    'perturb="nodes" moves the pre-activations of Dense layers, and this network has none: '
                    'leave perturb="parameters"'
                )
        if not positions:
            return self
        space = NodeSpace(self.parameters, self.state, positions)
        return NetworkEngine(self.cost, self.parameters, self.args, self.network, self.state, space)

    def baseline(self) -> float:
        """The cost at the parameters, in float64; what the network needs is compiled here, untimed."""
        if self.state.tail is not None:
            by_nodes = [split_name(b.name)[1] == NODES for b in self.parameters.blocks]
            self.state.tail.compile(weights=not all(by_nodes), nodes=any(by_nodes))
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

    def prices(self, indices: IndexArray) -> npt.NDArray[np.float64]:
        """The work after each coordinate's layer: products of a dense tail, sizes of other activations."""
        found = np.empty(len(indices))
        after = [work_after(self.state, k) for k in range(len(self.network.layers))]
        for number, where in self.parameters.segments(indices):
            position, own = split_name(self.parameters.blocks[number].name)
            together = own == NODES and samples_stay_apart(self.network, position)
            found[where] = after[position] / (len(self.state.values[0]) if together else 1)
        return found

    def for_worker(self) -> NetworkEngine:
        """A twin; both read the same state, which nothing writes to."""
        return NetworkEngine(self.cost, self.parameters, self.args, self.network, self.state, self.space)

    def _penalty_changes(self, name: str, inside: IndexArray, offsets: Values) -> Values:
        w = self.state.params[name].reshape(-1)[inside][:, None]
        return np.asarray(self.network.l2 * offsets * (w + 0.5 * offsets))

    def _loss_changes(self, name: str, inside: IndexArray, offsets: Values) -> Values:
        position, own = split_name(name)
        if own == NODES:
            return self._node_changes(position, inside, offsets)
        tail = self.state.tail
        if tail is None or position not in tail.positions:
            return plain_changes(self.state, position, own, inside, offsets)
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
            out[~small] = plain_changes(self.state, position, own, inside[~small], offsets[~small])
        return out

    def _node_changes(self, position: int, inside: IndexArray, offsets: Values) -> Values:
        tail = self.state.tail
        if tail is None or position not in tail.positions:
            return plain_node_changes(self.state, position, inside, offsets)
        stage = tail.positions.index(position)
        unit, sample = np.divmod(inside, len(self.state.values[0]))
        small = tail.is_small(stage, np.full_like(inside, -1), unit, offsets)
        out = np.empty(offsets.shape)
        out[small] = tail.node_values(stage, sample[small], unit[small], offsets[small])
        if not small.all():
            out[~small] = plain_node_changes(self.state, position, inside[~small], offsets[~small])
        return out
