"""Changes of the loss by NumPy rules: perturbations are propagated from layer to layer, many at a time.

The engine calls this where compiled kernels do not apply. Entries of one layer's parameter (m,) and their
offsets (m, S) go in, changes of the loss (m, S) come out.
"""

from __future__ import annotations

import numpy as np

from fastgrad import networks
from fastgrad.arrays import Floats, IndexArray
from fastgrad.engines.network.layer_rules import Change, change_of_entry
from fastgrad.engines.network.place import Place
from fastgrad.engines.network.state import NetworkState
from fastgrad.engines.numbers import to_number
from fastgrad.index_sets import distinct
from fastgrad.networks.base import Array


def loss_changes(state: NetworkState, outputs: Array) -> Floats:
    """The changes of each sample's loss, (K, samples), for K outputs (K, samples, ...) of the batch.

    A loss without a rule need not be a sum over samples: its changes are those of the whole batch, (K, 1).
    """
    if state.summed_loss is None:
        values = [to_number(state.network.loss.value(y, state.target)) for y in outputs]
        return np.array(values).reshape(-1, 1) - state.each
    k, n = outputs.shape[:2]
    target = np.concatenate([state.target] * k)
    each = state.summed_loss.each(outputs.reshape(k * n, *outputs.shape[2:]), target, n)
    return np.asarray(each.reshape(k, n) - state.each)


def changes_by_rules(
    state: NetworkState, place: Place, parameter: str, inside: IndexArray, offsets: Floats
) -> Floats:
    """The loss's changes (m, S) for moved entries of one layer's parameter."""
    independent = place.samples_stay_apart and not place.position_matters
    if place.kind is networks.Embedding and independent:
        return _of_touched_samples(state, place, inside, offsets)
    size, together = state.batch_size(place, offsets.shape[1]), state.batch_size(place, 1)
    out = np.empty(offsets.shape)
    # Entries of one column of a weight change the same feature, so that one Change holds them.
    columns = place.bound.p[parameter].shape[-1] if place.kind is networks.Dense else 1
    order = np.argsort(inside % columns, kind="stable")
    with np.errstate(all="ignore"):  # a NaN or an infinity shows in the values
        for i in range(0, len(inside), size):
            some = order[i : i + size]
            for s in range(0, offsets.shape[1], together):  # one round, unless activations are large
                moved = offsets[some, s : s + together]
                outputs = _outputs(state, place, parameter, inside[some], moved)
                out[some, s : s + together] = loss_changes(state, outputs).sum(axis=1).reshape(moved.shape)
    return out


def _outputs(state: NetworkState, place: Place, parameter: str, inside: IndexArray, offsets: Floats) -> Array:
    """The network's outputs (m * S, samples, ...).

    Perturbations that change the same features are propagated together.
    """
    y = state.values[-1]
    shape = place.bound.p[parameter].shape
    changes = [
        change_of_entry(place.evaluated, parameter, _index(i, shape), row)
        for i, row in zip(inside, offsets, strict=True)
    ]
    outputs = np.empty((offsets.size, *y.shape), dtype=y.dtype)
    rows = np.arange(offsets.size).reshape(offsets.shape)
    for features in sorted({(change.lo, change.hi) for change in changes}):
        members = [k for k, change in enumerate(changes) if (change.lo, change.hi) == features]
        together = Change(*features, np.concatenate([changes[k].new for k in members]))
        outputs[rows[members].reshape(-1)] = place.propagated(together).widened(y).new
    return outputs


def _index(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(k) for k in np.unravel_index(flat, shape))


def _of_touched_samples(state: NetworkState, place: Place, inside: IndexArray, offsets: Floats) -> Floats:
    """The loss's changes (m, S) for entries of an Embedding, from the samples that hold their rows."""
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
                change = _sample_changes(state, place.position + 1, moved, sample)
                out[:, s] += np.bincount(coordinate, change, minlength=len(inside))
        start = some.stop
    return out


def _sample_changes(state: NetworkState, start: int, x: Array, sample: IndexArray) -> Floats:
    """The changes of the losses of some samples (k,) for their new inputs x (k, ...) of layer `start`."""
    with np.errstate(all="ignore"):
        y = state.network.chain.forward(state.params, x, start)[-1]
        assert state.summed_loss is not None  # samples stay apart
        each = state.summed_loss.each(y, state.target[sample], len(state.values[0]))
    return np.asarray(each - state.each[sample])
