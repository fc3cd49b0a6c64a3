"""Perturbations carried from layer to layer by NumPy rules, a batch of perturbations at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastgrad import networks
from fastgrad.engines.network_parts import Part, own_change, through_chain
from fastgrad.networks.base import Array
from fastgrad.parameters import IndexArray

if TYPE_CHECKING:
    from fastgrad.engines.network import NetworkState

Floats = npt.NDArray[np.float64]


def mixes_samples(layer: Any) -> bool:
    """Whether one sample's output depends on the others."""
    return _any_layer(layer, networks.BatchNorm)


def knows_its_place(layer: Any) -> bool:
    """Whether a sample's output depends on where in the batch it stands, as under a dropout mask."""
    return _any_layer(layer, networks.Dropout)


def samples_stay_apart(network: networks.Network, position: int) -> bool:
    """Whether no layer after `position` mixes samples."""
    return not any(mixes_samples(layer) for layer in network.layers[position + 1 :])


def loss_changes(state: NetworkState, outputs: Array) -> Floats:
    """How much the loss changes for K outputs (K, samples, ...) of the batch, by sample (K, samples)."""
    k, n = outputs.shape[:2]
    target = np.concatenate([state.target] * k)
    each = state.network.loss.each(outputs.reshape(k * n, *outputs.shape[2:]), target, n)
    return np.asarray(each.reshape(k, n) - state.each)


def plain_changes(
    state: NetworkState, position: int, own: str, inside: IndexArray, offsets: Floats
) -> Floats:
    """The loss's changes (m, S) for moved entries of one layer's parameter."""
    layer = state.network.layers[position]
    later = state.network.layers[position + 1 :]
    apart = samples_stay_apart(state.network, position)
    if isinstance(layer, networks.Embedding) and apart and not any(map(knows_its_place, later)):
        return _of_touched_samples(state, position, inside, offsets)
    size = state.batch_size(position, offsets.shape[1])
    out = np.empty(offsets.shape)
    # Entries of one column of a weight make the same feature new, and travel together.
    columns = state.params[f"{position}.{own}"].shape[-1] if isinstance(layer, networks.Dense) else 1
    order = np.argsort(inside % columns, kind="stable")
    with np.errstate(all="ignore"):  # what is not finite shows in the values
        for i in range(0, len(inside), size):
            some = order[i : i + size]
            outputs = _outputs(state, position, own, inside[some], offsets[some])
            out[some] = loss_changes(state, outputs).sum(axis=1).reshape(offsets[some].shape)
    return out


def _outputs(state: NetworkState, position: int, own: str, inside: IndexArray, offsets: Floats) -> Array:
    """The network's outputs (m * S, samples, ...).

    Perturbations that make the same features new travel together.
    """
    chain, values = state.network.chain, state.values
    layer, params = chain.layers[position], chain.own(state.params, position)
    x, y = values[position : position + 2]
    shape = params[own].shape
    parts = [
        own_change(layer, params, own, x, y, tuple(int(k) for k in np.unravel_index(i, shape)), row)
        for i, row in zip(inside, offsets, strict=True)
    ]
    outputs = np.empty((offsets.size, *values[-1].shape))
    rows = np.arange(offsets.size).reshape(offsets.shape)
    for where in sorted({(part.lo, part.hi) for part in parts}):
        members = [k for k, part in enumerate(parts) if (part.lo, part.hi) == where]
        part = Part(*where, np.concatenate([parts[k].new for k in members]))
        part = through_chain(chain, state.params, values, position + 1, part)
        outputs[rows[members].reshape(-1)] = part.everything(values[-1]).new
    return outputs


def _of_touched_samples(state: NetworkState, position: int, inside: IndexArray, offsets: Floats) -> Floats:
    """An Embedding's entries touch the samples that hold their row, and only these are evaluated."""
    x, y = state.values[position : position + 2]
    row, feature = np.divmod(inside, y.shape[-1])
    touched = [np.flatnonzero((x == r).reshape(len(x), -1).any(axis=1)) for r in row]
    size = state.batch_size(position, offsets.shape[1]) * len(x)
    out = np.zeros(offsets.shape)
    ends = np.cumsum([len(t) for t in touched])
    start = 0
    while start < len(inside):
        stop = max(start + 1, int(np.searchsorted(ends, (ends[start - 1] if start else 0) + size)))
        some = range(start, min(stop, len(inside)))
        coordinate = np.repeat(some, [len(touched[k]) for k in some])
        sample = np.concatenate([touched[k] for k in some])
        if len(sample):
            here = (x[sample] == row[coordinate].reshape(-1, *(1,) * (x.ndim - 1))).astype(np.float64)
            for s in range(offsets.shape[1]):
                moved = y[sample].astype(np.float64)
                moved[np.arange(len(sample)), ..., feature[coordinate]] += here * offsets[
                    coordinate, s
                ].reshape(-1, *(1,) * (x.ndim - 1))
                change = _plain_each(state, position + 1, moved, sample)
                out[:, s] += np.bincount(coordinate, change, minlength=len(inside))
        start = some.stop
    return out


def _plain_each(state: NetworkState, start: int, x: Array, sample: IndexArray) -> Floats:
    """The changes of single samples' losses for new inputs x of layer `start`."""
    with np.errstate(all="ignore"):
        y = state.network.chain.forward(state.params, x, start)[-1]
        each = state.network.loss.each(y, state.target[sample], len(state.values[0]))
    return np.asarray(each - state.each[sample])


def _any_layer(layer: Any, kind: type) -> bool:
    if isinstance(layer, networks.Residual):
        return any(_any_layer(inner, kind) for inner in layer.chain.layers)
    return isinstance(layer, kind)
