"""The change of each sample's loss where a unit of a dense network changes, by propagating the change.

A lane is one sample under one perturbation. Lanes are contiguous and innermost, so that every loop over them
vectorises. Where a unit j of layer s changes by du, each step computes a change and never a new value, so
that the change of the loss has a rounding error relative to itself and not to the loss:

    the unit's activation changes by a(z + du) - a(z)                        (`kernels.changes`)
    the pre-activations of the next layer change by W[j, k] times that       (a rank-one update)
    those of each later layer change by a product with the weights           (four units at a time)
    each sample's loss changes by a function of the changes of its outputs   (`kernels.loss_changes`)

Where only a linear layer follows the unit, the change of the loss is one power series in the change of the
unit, for all outputs together, and its coefficients are computed once for a unit. For 64-32-10 a first-layer
weight then takes 2.0 microseconds, and 5.4 output by output.

`engines.network.dense_tail` packs the arrays and calls `sweep` and `sweep_nodes`: coordinates and offsets (m,
S) in, changes of the loss (m, S) out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Floats
from fastgrad.kernels.changes import change
from fastgrad.kernels.jit import is_none, jit, jit_inlined, overload
from fastgrad.kernels.loss_changes import POWERS, add_moments, curved, finish, linear, of_moments
from fastgrad.kernels.rows import ACTIVATE, MASK, NORMALISE, mask, normalise

Indices = npt.NDArray[np.intp]


class Tail(NamedTuple):
    """Dense layers s = 0 .. D-1 and the operations after each, in flat arrays of all layers."""

    activations: Any  # tuple of the distinct activations, of the types in `kernels.changes`
    loss: Any  # of a type in `kernels.loss_changes`
    which: Indices  # (D,) the position, in `activations`, of the activation after each layer
    units: Indices  # (D,) the number of units of each layer
    weights: Floats  # those of layer s begin at weight_at[s] and have shape (units[s-1], units[s])
    weight_at: Indices
    q0: Floats  # what changes.prepared gives for each pre-activation: the numbers of layer s begin at
    q1: Floats  # base_at[s] and have shape (units[s], width), the batch repeated to the width of a tile
    q2: Floats
    base_at: Indices
    between: Any  # rows.Between, the operations beside activations; None where there are none
    by_moments: int  # whether the last layer is linear and the loss a power series of one unit's change
    r0: Floats  # (outputs, width) what loss_changes.prepared gives for each output
    r1: Floats


class Scratch(NamedTuple):
    """The arrays that one worker writes to."""

    du: Floats  # (width,) the change of the perturbed unit
    moved: Floats  # (width,) the change of its activation
    buffers: Floats  # (2, most units, width) changes of whole layers
    rows: Floats  # (4, width) changes of four activations
    total: Floats  # (width,) the loss's change
    straight: Floats  # (width,) the part of it that is linear in the changes of the outputs
    group: Indices  # (width // samples,) the perturbation of each group of lanes
    moments: Floats  # (POWERS + 1, width) of one unit, where the tail is by_moments
    moments_of: Indices  # (2,) the stage and the unit of the moments


# l = lanes, k = units of a layer, c = units of the next layer


@jit
def _activate_row(
    activation: Any, scale: float, source: Floats, q0: Floats, q1: Floats, q2: Floats, out: Floats, lanes: int
) -> None:
    """out[l] = the activation's change for an input changed by scale * source[l]."""
    for n in range(lanes):
        out[n] = change(activation, q0[n], q1[n], q2[n], scale * source[n])


def activate(
    activations: Any, which: Any, scale: Any, source: Any, q0: Any, q1: Any, q2: Any, out: Any, lanes: Any
) -> None:
    """Call `_activate_row` with activation number `which` of a tuple of activations."""
    _activate_row(activations[which], scale, source, q0, q1, q2, out, lanes)


@overload(activate)
def _activate_by_type(
    activations: Any, which: Any, scale: Any, source: Any, q0: Any, q1: Any, q2: Any, out: Any, lanes: Any
) -> Any:
    if len(activations) == 1:

        def only(
            activations: Any,
            which: Any,
            scale: Any,
            source: Any,
            q0: Any,
            q1: Any,
            q2: Any,
            out: Any,
            lanes: Any,
        ) -> None:  # pragma: no cover
            _activate_row(activations[0], scale, source, q0, q1, q2, out, lanes)

        return only

    def first_or_rest(
        activations: Any, which: Any, scale: Any, source: Any, q0: Any, q1: Any, q2: Any, out: Any, lanes: Any
    ) -> None:  # pragma: no cover
        if which == 0:
            _activate_row(activations[0], scale, source, q0, q1, q2, out, lanes)
        else:
            activate(activations[1:], which - 1, scale, source, q0, q1, q2, out, lanes)

    return first_or_rest


@jit_inlined
def _activate_unit(
    tail: Tail, stage: int, unit: int, scale: float, source: Floats, out: Floats, lanes: int
) -> None:
    """out[l] = the change of what a unit hands on, where its pre-activation changes by scale * source[l]."""
    follow(tail.between, tail, stage, unit, scale, source, out, lanes)


@jit_inlined
def _activation_only(
    tail: Tail, stage: int, unit: int, scale: float, source: Floats, out: Floats, lanes: int
) -> None:
    width = tail.r0.shape[1]
    at = tail.base_at[stage] + unit * width
    q0, q1, q2 = tail.q0[at : at + width], tail.q1[at : at + width], tail.q2[at : at + width]
    activate(tail.activations, tail.which[stage], scale, source, q0, q1, q2, out, lanes)


@jit
def _each_step(
    tail: Tail, stage: int, unit: int, scale: float, source: Floats, out: Floats, lanes: int
) -> None:
    between = tail.between
    at = tail.base_at[stage] + unit * tail.r0.shape[1]
    for n in range(lanes):
        out[n] = scale * source[n]
    for step in between.steps[stage]:
        if step == NORMALISE:
            normalise(between, between.unit_at[stage] + unit, at, out, lanes)
        elif step == ACTIVATE:
            _activation_only(tail, stage, unit, 1.0, out, out, lanes)
        elif step == MASK:
            mask(between, at, out, lanes)


def follow(
    between: Any, tail: Any, stage: Any, unit: Any, scale: Any, source: Any, out: Any, lanes: Any
) -> None:
    """A unit's change through all operations between its layer and the next."""
    step = _activation_only if between is None else _each_step
    step(tail, stage, unit, scale, source, out, lanes)


@overload(follow)
def _follow_by_type(
    between: Any, tail: Any, stage: Any, unit: Any, scale: Any, source: Any, out: Any, lanes: Any
) -> Any:
    step = _activation_only if is_none(between) else _each_step

    def compiled(
        between: Any, tail: Any, stage: Any, unit: Any, scale: Any, source: Any, out: Any, lanes: Any
    ) -> None:  # pragma: no cover
        step(tail, stage, unit, scale, source, out, lanes)

    return compiled


@jit_inlined
def _add_four(weights: Floats, first: int, c: int, rows: Floats, out: Floats, lanes: int) -> None:
    target = out[c]
    w0, w1 = weights[first, c], weights[first + 1, c]
    w2, w3 = weights[first + 2, c], weights[first + 3, c]
    for n in range(lanes):
        target[n] = target[n] + w0 * rows[0, n] + w1 * rows[1, n] + w2 * rows[2, n] + w3 * rows[3, n]


@jit_inlined
def _add_four_to_two(weights: Floats, first: int, c: int, rows: Floats, out: Floats, lanes: int) -> None:
    one, two = out[c], out[c + 1]
    v0, v1 = weights[first, c], weights[first + 1, c]
    v2, v3 = weights[first + 2, c], weights[first + 3, c]
    w0, w1 = weights[first, c + 1], weights[first + 1, c + 1]
    w2, w3 = weights[first + 2, c + 1], weights[first + 3, c + 1]
    for n in range(lanes):
        r0, r1, r2, r3 = rows[0, n], rows[1, n], rows[2, n], rows[3, n]
        one[n] = one[n] + v0 * r0 + v1 * r1 + v2 * r2 + v3 * r3
        two[n] = two[n] + w0 * r0 + w1 * r1 + w2 * r2 + w3 * r3


@jit
def _add_product(weights: Floats, first: int, count: int, rows: Floats, out: Floats, lanes: int) -> None:
    """out[c, l] += sum over `count` (up to 4) rows of weights[first + r, c] * rows[r, l].

    Four rows and two outputs at a time, each sum a chain of fused operations: eight operations read six
    numbers and write two. Four rows and one output at a time, summed in pairs, would take six operations,
    read five numbers and write one, for half as many products.
    """
    columns = weights.shape[1]
    if count == 4:
        for c in range(0, columns - 1, 2):
            _add_four_to_two(weights, first, c, rows, out, lanes)
        if columns % 2:
            _add_four(weights, first, columns - 1, rows, out, lanes)
        return
    for c in range(columns):
        target = out[c]
        for r in range(count):
            w = weights[first + r, c]
            for n in range(lanes):
                target[n] += w * rows[r, n]


@jit
def _add_loss(
    loss: Any, r0: Floats, r1: Floats, d: Floats, total: Floats, straight: Floats, lanes: int
) -> None:
    """Add one output's terms of the loss's change, for an output that changes by d[l]."""
    for n in range(lanes):
        total[n] += curved(loss, r0[n], r1[n], d[n])
        straight[n] += linear(loss, r1[n], d[n])


@jit_inlined
def _onward(tail: Tail, stage: int) -> Floats:
    """The weights from layer `stage` to the next."""
    count, after = tail.units[stage], tail.units[stage + 1]
    at = tail.weight_at[stage + 1]
    return tail.weights[at : at + count * after].reshape((count, after))


@jit
def _through_layer(tail: Tail, scratch: Scratch, stage: int, perturbed: int, unit: int, lanes: int) -> None:
    """The changes of the next layer's pre-activations, or of the loss, from those of layer `stage`.

    For the layer right after the perturbed one there is no array of changes: each is a weight times `moved`.
    """
    last = stage == tail.units.size - 1
    now, after = scratch.buffers[stage % 2], scratch.buffers[(stage + 1) % 2]
    weights = _onward(tail, stage - 1 if last else stage)
    if not last:
        after[: tail.units[stage + 1], :lanes] = 0.0
    for first in range(0, tail.units[stage], 4):
        count = min(4, tail.units[stage] - first)
        for r in range(count):
            k = first + r
            if stage == perturbed + 1:
                scale = tail.weights[tail.weight_at[stage] + unit * tail.units[stage] + k]
                _activate_unit(tail, stage, k, scale, scratch.moved, scratch.rows[r], lanes)
            else:
                _activate_unit(tail, stage, k, 1.0, now[k], scratch.rows[r], lanes)
            if last:
                r0, r1 = tail.r0[k], tail.r1[k]
                _add_loss(tail.loss, r0, r1, scratch.rows[r], scratch.total, scratch.straight, lanes)
        if not last:
            _add_product(weights, first, count, scratch.rows, after, lanes)


@jit
def _find_moments(tail: Tail, scratch: Scratch, stage: int, unit: int) -> None:
    """Compute the moments of a unit before the last layer, once for all its perturbations."""
    outputs, width = tail.r0.shape
    scratch.moments[:] = 0.0
    at = tail.weight_at[stage + 1] + unit * outputs
    for k in range(outputs):
        w = tail.weights[at + k]
        for n in range(width):
            add_moments(tail.loss, tail.r0[k, n], tail.r1[k, n], w, scratch.moments, n)
    scratch.moments_of[0] = stage
    scratch.moments_of[1] = unit


@jit
def _last_layer_by_moments(tail: Tail, scratch: Scratch, lanes: int) -> None:
    """total[l] from the changes `moved` of the unit of the moments."""
    moments, moved, total = scratch.moments, scratch.moved, scratch.total
    for n in range(lanes):
        m = moved[n]
        total[n] = finish(tail.loss, of_moments(moments, n, m)) + moments[POWERS, n] * m


@jit
def propagate(tail: Tail, scratch: Scratch, stage: int, unit: int, lanes: int) -> None:
    """total[l] = the change of each lane's loss when `unit` of dense layer `stage` changes by du[l]."""
    total, straight = scratch.total, scratch.straight
    _activate_unit(tail, stage, unit, 1.0, scratch.du, scratch.moved, lanes)
    if tail.by_moments == 1 and stage == tail.units.size - 2:
        if scratch.moments_of[0] != stage or scratch.moments_of[1] != unit:
            _find_moments(tail, scratch, stage, unit)
        _last_layer_by_moments(tail, scratch, lanes)
        return
    total[:lanes] = 0.0
    straight[:lanes] = 0.0
    if stage == tail.units.size - 1:
        _add_loss(tail.loss, tail.r0[unit], tail.r1[unit], scratch.moved, total, straight, lanes)
    for later in range(stage + 1, tail.units.size):
        _through_layer(tail, scratch, later, stage, unit, lanes)
    for n in range(lanes):
        total[n] = finish(tail.loss, total[n]) + straight[n]


@jit
def sweep_nodes(
    tail: Tail,
    scratch: Scratch,
    stage: int,
    samples: int,
    sample: Indices,
    unit: Indices,
    offsets: Floats,
    order: Indices,
    out: Floats,
) -> None:
    """out[k, s] = the change of one sample's loss when its pre-activation of unit[k] moves by offsets[k, s].

    Samples are independent here, so that one pass moves the unit in all of them: a group of N lanes gives the
    values of up to N nodes. `order` lists the nodes unit by unit.
    """
    per = offsets.shape[1]
    room = scratch.group.size
    first = 0
    while first < order.size:
        at_work = unit[order[first]]
        last = first
        while last < order.size and unit[order[last]] == at_work:
            last += 1
        for s in range(0, per, room):
            count = min(room, per - s)
            scratch.du[: count * samples] = 0.0
            for k in order[first:last]:
                for g in range(count):
                    scratch.du[g * samples + sample[k]] = offsets[k, s + g]
            propagate(tail, scratch, stage, at_work, count * samples)
            for k in order[first:last]:
                for g in range(count):
                    out[k, s + g] = scratch.total[g * samples + sample[k]]
        first = last


# m = coordinates, S = offsets of each, N = samples; a group is one coordinate under one offset, N lanes


@jit_inlined
def _fill(du: Floats, start: int, feature: int, offset: float, inputs: Floats) -> bool:
    """du[start + n] = offset * input of sample n (the offset itself for a bias); whether any is not zero."""
    any_moved = False
    for n in range(inputs.shape[1]):
        moved = offset if feature < 0 else offset * inputs[feature, n]
        du[start + n] = moved
        any_moved = any_moved or moved != 0.0
    return any_moved


@jit
def _finish_groups(
    tail: Tail, scratch: Scratch, stage: int, unit: int, waiting: int, samples: int, out: Floats
) -> None:
    """Propagate the groups filled so far, and sum each over its samples into out.flat[group]."""
    propagate(tail, scratch, stage, unit, waiting * samples)
    flat = out.reshape(-1)
    for g in range(waiting):
        found = 0.0
        for n in range(g * samples, (g + 1) * samples):
            found += scratch.total[n]
        flat[scratch.group[g]] = found


@jit
def sweep(
    tail: Tail,
    scratch: Scratch,
    stage: int,
    inputs: Floats,
    feature: Indices,
    unit: Indices,
    offsets: Floats,
    order: Indices,
    out: Floats,
) -> None:
    """out[k, s] = the sum over samples of the loss's change when coordinate k moves by offsets[k, s].

    Coordinate k is the weight from input feature[k] to unit[k] of dense layer `stage`, or where feature[k]
    is -1 the bias of unit[k]. `order` lists the coordinates unit by unit; inputs (features, N) are those of
    the layer. A weight whose input is zero in every sample changes nothing, and nothing is propagated for it.
    """
    samples, per = inputs.shape[1], offsets.shape[1]
    room = scratch.group.size
    waiting = 0  # groups that are filled and not yet propagated, all of one unit
    at_work = -1
    for k in order:
        for s in range(per):
            if waiting == room or (waiting > 0 and unit[k] != at_work):
                _finish_groups(tail, scratch, stage, at_work, waiting, samples, out)
                waiting = 0
            if _fill(scratch.du, waiting * samples, feature[k], offsets[k, s], inputs):
                at_work = unit[k]
                scratch.group[waiting] = k * per + s
                waiting += 1
            else:
                out[k, s] = 0.0
    if waiting > 0:
        _finish_groups(tail, scratch, stage, at_work, waiting, samples, out)
