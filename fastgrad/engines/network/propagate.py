"""Perturbations carried from layer to layer by NumPy rules, a batch of perturbations at a time."""

from __future__ import annotations

import numpy as np

from fastgrad import networks
from fastgrad.arrays import Floats, IndexArray
from fastgrad.engines.network.layer_rules import Change, own_change
from fastgrad.engines.network.place import Place
from fastgrad.engines.network.state import NetworkState
from fastgrad.engines.numbers import to_number
from fastgrad.index_sets import distinct
from fastgrad.networks.base import Array


def loss_changes(state: NetworkState, outputs: Array) -> Floats:
    """How much the loss changes for K outputs (K, samples, ...) of the batch: by sample, (K, samples).

    A loss that no rule stands for need not be a sum over samples: its changes are (K, 1), of whole batches.
    """
    if state.summed_loss is None:
        values = [to_number(state.network.loss.value(y, state.target)) for y in outputs]
        return np.array(values).reshape(-1, 1) - state.each
    k, n = outputs.shape[:2]
    target = np.concatenate([state.target] * k)
    each = state.summed_loss.each(outputs.reshape(k * n, *outputs.shape[2:]), target, n)
    return np.asarray(each.reshape(k, n) - state.each)


def plain_changes(state: NetworkState, place: Place, own: str, inside: IndexArray, offsets: Floats) -> Floats:
    """The loss's changes (m, S) for moved entries of one layer's parameter."""
    apart = place.samples_stay_apart and not place.dropout_follows
    if place.kind is networks.Embedding and apart:
        return _of_touched_samples(state, place, inside, offsets)
    size, together = state.batch_size(place, offsets.shape[1]), state.batch_size(place, 1)
    out = np.empty(offsets.shape)
    # Entries of one column of a weight make the same feature new, and travel together.
    columns = place.step.p[own].shape[-1] if place.kind is networks.Dense else 1
    order = np.argsort(inside % columns, kind="stable")
    with np.errstate(all="ignore"):  # what is not finite shows in the values
        for i in range(0, len(inside), size):
            some = order[i : i + size]
            for s in range(0, offsets.shape[1], together):  # all at once, but for large activations
                moved = offsets[some, s : s + together]
                outputs = _outputs(state, place, own, inside[some], moved)
                out[some, s : s + together] = loss_changes(state, outputs).sum(axis=1).reshape(moved.shape)
    return out


def _outputs(state: NetworkState, place: Place, own: str, inside: IndexArray, offsets: Floats) -> Array:
    """The network's outputs (m * S, samples, ...).

    Perturbations that make the same features new travel together.
    """
    y = state.values[-1]
    shape = place.step.p[own].shape
    parts = [
        own_change(place.step, own, place.x, place.z, place.felt, _index(i, shape), row)
        for i, row in zip(inside, offsets, strict=True)
    ]
    outputs = np.empty((offsets.size, *y.shape), dtype=y.dtype)
    rows = np.arange(offsets.size).reshape(offsets.shape)
    for where in sorted({(part.lo, part.hi) for part in parts}):
        members = [k for k, part in enumerate(parts) if (part.lo, part.hi) == where]
        part = place.onward(Change(*where, np.concatenate([parts[k].new for k in members])))
        outputs[rows[members].reshape(-1)] = part.everything(y).new
    return outputs


def _index(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(k) for k in np.unravel_index(flat, shape))


def _of_touched_samples(state: NetworkState, place: Place, inside: IndexArray, offsets: Floats) -> Floats:
    """An Embedding's entries touch the samples that hold their row, and only these are evaluated."""
    x, y = place.x, place.z
    row, feature = np.divmod(inside, y.shape[-1])
    holding = {r: np.flatnonzero((x == r).reshape(len(x), -1).any(axis=1)) for r in distinct(row).tolist()}
    touched = [holding[r] for r in row.tolist()]
    size = state.batch_size(place, offsets.shape[1]) * len(x)
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
                change = _plain_each(state, place.position + 1, moved, sample)
                out[:, s] += np.bincount(coordinate, change, minlength=len(inside))
        start = some.stop
    return out


def _plain_each(state: NetworkState, start: int, x: Array, sample: IndexArray) -> Floats:
    """The changes of single samples' losses for new inputs x of layer `start`."""
    with np.errstate(all="ignore"):
        y = state.network.chain.forward(state.params, x, start)[-1]
        assert state.summed_loss is not None  # samples stay apart
        each = state.summed_loss.each(y, state.target[sample], len(state.values[0]))
    return np.asarray(each - state.each[sample])
