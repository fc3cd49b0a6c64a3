"""Node perturbation: the pre-activations of Dense layers are moved instead of their weights.

For z = x W + b with rows r (samples, or samples and positions), and D[r, j] the derivative at z[r, j],

    dJ/dW[i, j] = sum_r x[r, i] D[r, j]        dJ/db[j] = sum_r D[r, j]

exactly: a few thousand nodes stand for a million weights, and the linearity of the layer in its own weights
is taken for granted. |x| carries the bounds the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastgrad import networks
from fastgrad.engines.network_parts import Part, through_chain
from fastgrad.engines.network_plain import loss_changes, samples_stay_apart
from fastgrad.networks.base import Array
from fastgrad.networks.network import Network, is_penalised
from fastgrad.parameters import IndexArray, Parameters

if TYPE_CHECKING:
    from fastgrad.engines.network import NetworkState

Floats = npt.NDArray[np.float64]

NODES = "nodes"
"""The name of a layer's block of pre-activations, where its weight and bias would stand: "0.nodes"."""

GATHER_SHARE = 8
"""Coordinates are gathered one by one where they are fewer than an eighth of the block, else taken from the
product of whole matrices, which BLAS does at several times the speed of gathering."""

GATHERED_AT_ONCE = 2**16


def split_name(name: str) -> tuple[int, str]:
    """The layer's position and the parameter's own name: ("3.weight") -> (3, "weight")."""
    position, _, own = name.partition(".")
    return int(position), own


def choose_nodes(network: Network, state: NetworkState, theirs: Parameters, indices: IndexArray) -> list[int]:
    """The Dense layers for which moving nodes takes fewer evaluations of a batch than moving weights."""
    wanted = np.zeros(len(network.layers), dtype=np.intp)
    for number, where in theirs.segments(indices):
        wanted[split_name(theirs.blocks[number].name)[0]] += len(indices[where])
    return [k for k in affine_layers(network) if _batches(network, state, k) < wanted[k]]


def affine_layers(network: Network) -> list[int]:
    """The positions of the layers that can be checked through their nodes."""
    return [k for k, layer in enumerate(network.layers) if isinstance(layer, networks.Dense)]


def _batches(network: Network, state: NetworkState, position: int) -> int:
    z = state.values[position + 1]
    return z[0].size if samples_stay_apart(network, position) else z.size


class NodeSpace:
    """The parameters with the weight and bias of some Dense layers replaced by their pre-activations."""

    def __init__(self, theirs: Parameters, state: NetworkState, positions: Sequence[int]) -> None:
        self.theirs = theirs
        self.state = state
        self.positions = tuple(positions)
        leaves = dict(zip((b.name for b in theirs.blocks), theirs.leaves, strict=True))
        moved: dict[str, Any] = {}
        for block in theirs.blocks:
            position, _ = split_name(block.name)
            if position in self.positions:
                # Samples last: a run of nodes is then one unit in every sample, which one pass answers.
                moved[f"{position}.{NODES}"] = np.moveaxis(state.values[position + 1], 0, -1)
            else:
                moved[block.name] = leaves[block.name].reshape(block.shape)
        self.parameters = Parameters(moved)
        self._blocks = {block.name: block for block in self.parameters.blocks}

    @property
    def sentence(self) -> str:
        """What was perturbed and what is then taken for granted."""
        layers = ", ".join(f"layer {k}" for k in self.positions)
        others = "" if self._all_carried() else "; every other checked parameter itself"
        penalty = ", and of the derivative of the l2 penalty" if self.state.network.l2 else ""
        return (
            f"the pre-activations of {layers}, their derivatives carried to weights and biases by "
            f"dW = x^T dz, db = sum dz{others}. Taken for granted: that each of these layers is linear in "
            f"its own weights, z = x W + b{penalty}"
        )

    def needed(self, indices: IndexArray) -> IndexArray:
        """All rows of each unit that a wanted weight or bias belongs to; other parameters as they are."""
        found: list[IndexArray] = []
        units: dict[int, npt.NDArray[np.bool_]] = {}
        for number, where in self.theirs.segments(indices):
            block = self.theirs.blocks[number]
            position, _ = split_name(block.name)
            inside = indices[where] - block.start
            if position in self.positions:
                width = block.shape[-1]
                touched = units.setdefault(position, np.zeros(width, dtype=bool))
                touched[inside % width] = True
            else:
                found.append(self._blocks[block.name].start + inside)
        for position, touched in units.items():
            block = self._blocks[f"{position}.{NODES}"]
            mask = np.broadcast_to(touched[:, None], block.shape)
            found.append(block.start + np.flatnonzero(mask))
        return np.sort(np.concatenate(found))

    def carry(self, indices: IndexArray, moved: IndexArray, d: Floats, e: Floats) -> tuple[Floats, Floats]:
        """Derivatives and bounds of the user's parameters from those of what was moved."""
        numeric, bound = np.empty(len(indices)), np.empty(len(indices))
        for number, where in self.theirs.segments(indices):
            block = self.theirs.blocks[number]
            position, own = split_name(block.name)
            inside = indices[where] - block.start
            if position not in self.positions:
                at = np.searchsorted(moved, self._blocks[block.name].start + inside)
                numeric[where], bound[where] = d[at], e[at]
                continue
            slopes, bounds = self._matrices(position, moved, d, e)
            found = self._carried(position, own, inside, slopes, bounds)
            numeric[where], bound[where] = found
            if self.state.network.l2 and is_penalised(block.name):
                weights = self.state.params[block.name].reshape(-1)[inside]
                numeric[where] += self.state.network.l2 * weights
        return numeric, bound

    def _matrices(self, position: int, moved: IndexArray, d: Floats, e: Floats) -> tuple[Floats, Floats]:
        """D[r, j] and its bounds as matrices, NaN and inf where a node was not moved."""
        block = self._blocks[f"{position}.{NODES}"]
        lo, hi = np.searchsorted(moved, (block.start, block.stop))
        inside = moved[lo:hi] - block.start
        slopes, bounds = np.full(block.size, np.nan), np.full(block.size, np.inf)
        slopes[inside], bounds[inside] = d[lo:hi], e[lo:hi]
        return _by_row(slopes.reshape(block.shape)), _by_row(bounds.reshape(block.shape))

    def _carried(
        self, position: int, own: str, inside: IndexArray, slopes: Floats, bounds: Floats
    ) -> tuple[Floats, Floats]:
        rounding = (len(slopes) + 2) * np.finfo(np.float64).eps
        with np.errstate(invalid="ignore"):  # units that were not moved
            bounds = bounds + rounding * np.abs(slopes)
            if own == "bias":
                return slopes.sum(axis=0)[inside], bounds.sum(axis=0)[inside]
            x = self.state.values[position]
            x = x.reshape(-1, x.shape[-1])
            if GATHER_SHARE * len(inside) < x.shape[1] * slopes.shape[1]:
                return _gathered(x, slopes, inside), _gathered(np.abs(x), bounds, inside)
            carried, wide = x.T @ slopes, np.abs(x).T @ bounds
        return carried.reshape(-1)[inside], wide.reshape(-1)[inside]

    def _all_carried(self) -> bool:
        return all(split_name(b.name)[0] in self.positions for b in self.theirs.blocks)


def _by_row(nodes: Floats) -> Floats:
    """(positions..., units, samples) as a matrix (samples x positions, units)."""
    return np.ascontiguousarray(np.moveaxis(nodes, -1, 0)).reshape(-1, nodes.shape[-2])


def _gathered(x: Array, matrix: Floats, inside: IndexArray) -> Floats:
    """sum_r x[r, i] matrix[r, j] for entries (i, j) of the weight given by their flat index."""
    i, j = np.divmod(inside, matrix.shape[1])
    out = np.empty(len(inside))
    each = max(1, GATHERED_AT_ONCE // len(x))
    for k in range(0, len(inside), each):
        some = slice(k, k + each)
        out[some] = np.einsum("rk,rk->k", x[:, i[some]], matrix[:, j[some]])
    return out


def plain_node_changes(state: NetworkState, position: int, inside: IndexArray, offsets: Floats) -> Floats:
    """The loss's changes (m, S) for moved nodes of one layer, through any layers after it, by NumPy rules."""
    z = state.values[position + 1]
    unit, sample = np.divmod(inside, len(z))
    out = np.empty(offsets.shape)
    together = samples_stay_apart(state.network, position)
    each = state.batch_size(position, offsets.shape[1])
    for u in np.unique(unit):
        where = np.flatnonzero(unit == u)
        if together:
            out[where] = _all_samples_at_once(state, position, int(u), sample[where], offsets[where])
            continue
        for i in range(0, len(where), each):
            some = where[i : i + each]
            out[some] = _one_at_a_time(state, position, int(u), sample[some], offsets[some])
    return out


def _all_samples_at_once(
    state: NetworkState, position: int, unit: int, sample: IndexArray, offsets: Floats
) -> Floats:
    shift = np.zeros((offsets.shape[1], len(state.values[0])))
    shift[:, sample] = offsets.T
    return np.asarray(loss_changes(state, _outputs(state, position, unit, shift))[:, sample].T)


def _one_at_a_time(
    state: NetworkState, position: int, unit: int, sample: IndexArray, offsets: Floats
) -> Floats:
    shift = np.zeros((offsets.size, len(state.values[0])))
    shift[np.arange(offsets.size), np.repeat(sample, offsets.shape[1])] = offsets.reshape(-1)
    changes = loss_changes(state, _outputs(state, position, unit, shift))
    return np.asarray(changes.sum(axis=1).reshape(offsets.shape))


def _outputs(state: NetworkState, position: int, unit: int, shift: Floats) -> Array:
    """The outputs (K, samples, ...) with one node of each sample moved by shift (K, samples)."""
    z, chain = state.values[position + 1], state.network.chain
    if z.ndim == 2:
        part = Part(unit, unit + 1, z[None, :, unit : unit + 1] + shift[:, :, None])
    else:
        new = np.repeat(z[None], len(shift), axis=0)
        new.reshape(len(shift), len(z), -1)[:, :, unit] += shift
        part = Part(0, z.shape[1], new)
    with np.errstate(all="ignore"):  # what is not finite shows in the values
        part = through_chain(chain, state.params, state.values, position + 1, part)
    return part.everything(state.values[-1]).new
