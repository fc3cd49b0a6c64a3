"""Node perturbation: the engine moves the nodes (pre-activations) of Dense layers instead of their weights.

Notation: z = x W + b, one Dense layer; r = a row of x, one for each sample (or sample and position in a
sequence); D[r, j] = the derivative of the cost J by z[r, j], a node. Then

    dJ/dW[i, j] = sum_r x[r, i] D[r, j]        dJ/db[j] = sum_r D[r, j]

So a few thousand nodes give the derivatives by a million weights. This takes for granted that the layer is
linear in its own weights. Error bounds of nodes become error bounds of weights by the same sums, with |x| in
place of x.

`coordinates` asks a NodeSpace which nodes to move and carries their derivatives to the weights; the engine
asks `node_changes_by_rules` for changes of the loss (m, S) where compiled kernels do not apply.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastgrad.arrays import Bools, FloatArray, Floats, IndexArray
from fastgrad.engines.network.layer_rules import Change
from fastgrad.engines.network.place import Place, split_name
from fastgrad.engines.network.propagate import loss_changes
from fastgrad.engines.network.state import NetworkState
from fastgrad.index_sets import as_run, distinct, positions_of
from fastgrad.networks.base import Array
from fastgrad.networks.network import is_penalised
from fastgrad.problem.parameters import Parameters

NODES = "nodes"
"""The name of a layer's block of pre-activations, which replaces its weight and bias: "0.nodes"."""

GATHER_SHARE = 8
"""Where fewer than one in so many weights of a block is wanted, their sums are computed one by one. Otherwise
BLAS multiplies the whole matrices, at several times the speed for each weight."""

GATHER_NUMBERS = 2**16
"""The number of entries of x, and as many of D, that are gathered in one go."""


def choose_nodes(state: NetworkState, theirs: Parameters, indices: IndexArray) -> list[str]:
    """The Dense layers for which moving all nodes takes fewer evaluations than moving the wanted weights."""
    wanted: dict[str, int] = {}
    for number, where in theirs.segments(indices):
        name = split_name(theirs.blocks[number].name)[0]
        wanted[name] = wanted.get(name, 0) + len(indices[where])
    return [place.name for place in state.dense_places if _evaluations(place) < wanted.get(place.name, 0)]


def _evaluations(place: Place) -> int:
    """The evaluations of a batch that move all nodes of a layer.

    Where samples are independent, one evaluation moves a unit in all of them.
    """
    return place.z[0].size if place.samples_stay_apart else place.z.size


class NodeSpace:
    """The parameters with the weight and bias of some Dense layers replaced by their pre-activations."""

    is_plain = False

    def __init__(self, theirs: Parameters, state: NetworkState, places: Sequence[str]) -> None:
        self.theirs = theirs
        self.state = state
        self.places = tuple(places)
        leaves = dict(zip((b.name for b in theirs.blocks), theirs.leaves, strict=True))
        moved: dict[str, FloatArray] = {}
        for block in theirs.blocks:
            name, _ = split_name(block.name)
            if name in self.places:
                # With samples last, consecutive nodes are one unit in every sample, which one pass moves.
                moved[f"{name}.{NODES}"] = np.moveaxis(state.place(name).z, 0, -1)
            else:
                moved[block.name] = leaves[block.name].reshape(block.shape)
        self.parameters = Parameters(moved)
        self._blocks = {block.name: block for block in self.parameters.blocks}

    @property
    def sentence(self) -> str:
        """What was moved and what this takes for granted."""
        layers = ", ".join(f"layer {k}" for k in self.places)
        others = "" if self._all_carried() else "; every other checked parameter itself"
        penalty = ", and of the derivative of the l2 penalty" if self.state.network.l2 else ""
        return (
            f"the pre-activations of {layers}, their derivatives carried to weights and biases by "
            f"dW = x^T dz, db = sum dz{others}. Taken for granted: that each of these layers is linear in "
            f"its own weights, z = x W + b{penalty}"
        )

    def needed(self, indices: IndexArray) -> IndexArray:
        """All nodes of the units that wanted weights and biases lead to; other parameters as they are."""
        found: list[IndexArray] = []
        units: dict[str, Bools] = {}
        for number, where in self.theirs.segments(indices):
            block = self.theirs.blocks[number]
            name, _ = split_name(block.name)
            inside = indices[where] - block.start
            if name in self.places:
                width = block.shape[-1]
                touched = units.setdefault(name, np.zeros(width, dtype=bool))
                run = as_run(inside)
                whole_row = isinstance(run, slice) and len(inside) >= width
                touched[slice(None) if whole_row else inside % width] = True
            else:
                found.append(self._blocks[block.name].start + inside)
        for name, touched in units.items():
            block = self._blocks[f"{name}.{NODES}"]
            mask = np.broadcast_to(touched[:, None], block.shape)
            everywhere = np.arange(block.size) if touched.all() else np.flatnonzero(mask)
            found.append(block.start + everywhere)
        return np.sort(np.concatenate(found))

    def carry(self, indices: IndexArray, moved: IndexArray, d: Floats, e: Floats) -> tuple[Floats, Floats]:
        """The derivatives and bounds at the user's `indices`, from those at the `moved` ones."""
        numeric, bound = np.empty(len(indices)), np.empty(len(indices))
        for number, where in self.theirs.segments(indices):
            block = self.theirs.blocks[number]
            name, parameter = split_name(block.name)
            inside = indices[where] - block.start
            if name not in self.places:
                at = positions_of(moved, self._blocks[block.name].start + inside)
                numeric[where], bound[where] = d[at], e[at]
                continue
            slopes, bounds = self._matrices(name, moved, d, e)
            x = self.state.place(name).x if parameter == "weight" else None
            numeric[where], bound[where] = carried_to_weights(x, inside, slopes, bounds)
            if self.state.network.l2 and is_penalised(block.name):
                weights = self.state.params[block.name].reshape(-1)[inside]
                numeric[where] += self.state.network.l2 * weights
        return numeric, bound

    def _matrices(self, name: str, moved: IndexArray, d: Floats, e: Floats) -> tuple[Floats, Floats]:
        """D and its bounds, (rows, units); NaN and inf where a node was not moved."""
        block = self._blocks[f"{name}.{NODES}"]
        lo, hi = np.searchsorted(moved, (block.start, block.stop))
        inside = as_run(moved[lo:hi] - block.start)
        slopes, bounds = np.full(block.size, np.nan), np.full(block.size, np.inf)
        slopes[inside], bounds[inside] = d[lo:hi], e[lo:hi]
        return _by_row(slopes.reshape(block.shape)), _by_row(bounds.reshape(block.shape))

    def _all_carried(self) -> bool:
        return all(split_name(b.name)[0] in self.places for b in self.theirs.blocks)


def carried_to_weights(
    x: Array | None, inside: IndexArray, slopes: Floats, bounds: Floats
) -> tuple[Floats, Floats]:
    """The derivatives by entries of a weight and their bounds; without x, by entries of a bias."""
    rounding = (len(slopes) + 2) * np.finfo(np.float64).eps
    with np.errstate(invalid="ignore"):  # slopes and bounds of units that were not moved
        bounds = bounds + rounding * np.abs(slopes)
        at = as_run(inside)
        if x is None:
            return slopes.sum(axis=0)[at], bounds.sum(axis=0)[at]
        x = x.reshape(-1, x.shape[-1])
        if GATHER_SHARE * len(inside) < x.shape[1] * slopes.shape[1]:
            return _gathered(x, slopes, inside), _gathered(np.abs(x), bounds, inside)
        carried, carried_bounds = x.T @ slopes, np.abs(x).T @ bounds
    return carried.reshape(-1)[at], carried_bounds.reshape(-1)[at]


def _by_row(nodes: Floats) -> Floats:
    """Nodes (positions..., units, samples) as a matrix (samples x positions, units)."""
    return np.ascontiguousarray(np.moveaxis(nodes, -1, 0)).reshape(-1, nodes.shape[-2])


def _gathered(x: Array, matrix: Floats, inside: IndexArray) -> Floats:
    """sum_r x[r, i] matrix[r, j] for entries (i, j) of the weight given by their flat index."""
    i, j = np.divmod(inside, matrix.shape[1])
    out = np.empty(len(inside))
    each = max(1, GATHER_NUMBERS // len(x))
    for k in range(0, len(inside), each):
        some = slice(k, k + each)
        out[some] = np.einsum("rk,rk->k", x[:, i[some]], matrix[:, j[some]])
    return out


def node_changes_by_rules(state: NetworkState, place: Place, inside: IndexArray, offsets: Floats) -> Floats:
    """The loss's changes (m, S) for moved nodes of one layer, by NumPy rules."""
    unit, sample = np.divmod(inside, state.samples)
    out = np.empty(offsets.shape)
    each = state.batch_size(place, offsets.shape[1])
    for u in distinct(unit):
        where = np.flatnonzero(unit == u)
        if place.samples_stay_apart:
            out[where] = _all_samples_at_once(state, place, int(u), sample[where], offsets[where])
            continue
        for i in range(0, len(where), each):
            some = where[i : i + each]
            out[some] = _one_at_a_time(state, place, int(u), sample[some], offsets[some])
    return out


def _all_samples_at_once(
    state: NetworkState, place: Place, unit: int, sample: IndexArray, offsets: Floats
) -> Floats:
    shift = np.zeros((offsets.shape[1], state.samples))
    shift[:, sample] = offsets.T
    return np.asarray(loss_changes(state, _outputs(state, place, unit, shift))[:, sample].T)


def _one_at_a_time(
    state: NetworkState, place: Place, unit: int, sample: IndexArray, offsets: Floats
) -> Floats:
    shift = np.zeros((offsets.size, state.samples))
    shift[np.arange(offsets.size), np.repeat(sample, offsets.shape[1])] = offsets.reshape(-1)
    with np.errstate(all="ignore"):  # a NaN or an infinity shows in the values
        changes = loss_changes(state, _outputs(state, place, unit, shift))
    return np.asarray(changes.sum(axis=1).reshape(offsets.shape))


def _outputs(state: NetworkState, place: Place, unit: int, shift: Floats) -> Array:
    """The network's outputs (K, samples, ...) with one unit moved by shift (K, samples)."""
    z = place.z
    if z.ndim == 2:
        change = Change(unit, unit + 1, z[None, :, unit : unit + 1] + shift[:, :, None])
    else:
        new = np.repeat(z[None], len(shift), axis=0)
        new.reshape(len(shift), len(z), -1)[:, :, unit] += shift
        change = Change(0, z.shape[1], new)
    with np.errstate(all="ignore"):  # a NaN or an infinity shows in the values
        change = place.propagated(change)
    return change.widened(state.values[-1]).new
