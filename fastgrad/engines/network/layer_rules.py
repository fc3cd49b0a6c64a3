"""The rules of the layers: how a change of a layer's input changes its output.

`place` and `propagate` call the rules; changes go in and come out. A Change says which features of an
activation (samples, features, ...) have new values, and what these are for K perturbations. Elementwise
layers and pools change no more features than their input does. Dense and Conv2D change all features, and
multiply only the weights of the changed input features. A layer without a rule gets whole batches and is
evaluated by its own method, so that no result depends on whether a rule exists.

A rule is found by the layer's kind, the class of this package that it computes exactly as (`networks.known`).
The kind is None for a layer of the user's own, and for a subclass that computes something else.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast

import numpy as np

from fastgrad import networks
from fastgrad.arrays import Floats
from fastgrad.networks.base import Array, Blocks, Layer
from fastgrad.networks.chain import Chain
from fastgrad.networks.known import ACTIVATIONS, layer_kind
from fastgrad.networks.normalisation import normalise

Kind = type | None
"""The class that a layer computes exactly as; None for a layer without a rule."""

ELEMENTWISE = frozenset(ACTIVATIONS)
"""Layers that apply a function to each number by itself."""

POOLS = frozenset({networks.MaxPool2D, networks.AvgPool2D})

MIX_SAMPLES: frozenset[Kind] = frozenset({networks.BatchNorm, None})
"""Layers whose output for one sample may depend on the other samples. A layer without a rule may be one of
them."""

DEPEND_ON_POSITION: frozenset[Kind] = frozenset({networks.Dropout})
"""Layers whose output for a sample depends on its position in the batch."""

ONE_BATCH_AT_A_TIME = MIX_SAMPLES | DEPEND_ON_POSITION
"""Layers that cannot take several batches as one larger batch."""


class NotArrays(Exception):
    """A layer of the user's own returns something else than an array, so that the engine cannot change it."""


@dataclass(frozen=True, eq=False)
class BoundLayer:
    """A layer with its parameters and its kind."""

    layer: Layer
    p: Blocks
    kind: Kind
    branch: tuple[BoundLayer, ...] = ()
    """The layers inside, where this is a Residual."""

    def holds(self, kinds: frozenset[Kind]) -> bool:
        """Whether it is one of these kinds, or a Residual with such a layer inside."""
        if self.kind is networks.Residual:
            return any(inner.holds(kinds) for inner in self.branch)
        return self.kind in kinds

    @cached_property
    def one_batch_at_a_time(self) -> bool:
        """Whether it cannot take several batches as one larger batch."""
        return self.holds(ONE_BATCH_AT_A_TIME)


def bind_layers(chain: Chain, p: Blocks) -> tuple[BoundLayer, ...]:
    """The layers of a chain, each with its parameters and its kind."""
    bound = []
    for k, layer in enumerate(chain.layers):
        own: Blocks = chain.own(p, k)
        kind = layer_kind(layer, own)
        branch = bind_layers(cast(networks.Residual, layer).chain, own) if kind is networks.Residual else ()
        bound.append(BoundLayer(layer, own, kind, branch))
    return tuple(bound)


def layers_without_rule(layers: Sequence[BoundLayer], prefix: str = "") -> Iterator[tuple[str, Layer]]:
    """The layers without a rule, with the names of their places: "1", or "3.1" in a branch."""
    for k, bound in enumerate(layers):
        if bound.kind is None:
            yield f"{prefix}{k}", bound.layer
        yield from layers_without_rule(bound.branch, f"{prefix}{k}.")


@dataclass(frozen=True)
class Change:
    """New values of the features (or channels) lo:hi of a batch, for each of K perturbations."""

    lo: int
    hi: int
    new: Floats  # (K, samples, hi - lo, ...)

    def widened(self, base: Array) -> Change:
        """The same change as new values of all features; base (samples, features, ...) has the old ones."""
        if (self.lo, self.hi) == (0, _width(base)):
            return self
        full = np.repeat(base[None], len(self.new), axis=0)
        full[:, :, self.lo : self.hi] = self.new
        return Change(0, base.shape[1], full)

    def difference(self, base: Array) -> Floats:
        """The new values less the old ones, (K, samples, hi - lo, ...)."""
        return np.asarray(self.new - base[:, self.lo : self.hi])

    def added_to(self, x: Array) -> Change:
        """The change of x + y, for this change of y."""
        return Change(self.lo, self.hi, self.new + (x[:, self.lo : self.hi] if x.ndim > 1 else x))


def _whole(y: Array, new: Array) -> Change:
    return Change(0, _width(y), np.asarray(new))


def _width(y: Array) -> int:
    """The number of features or channels of a layer's output.

    It is 1 for a layer of the user's own that returns one number for each sample, or one number.
    """
    return int(y.shape[1]) if y.ndim > 1 else 1


def changed_share(kind: Kind, y: Array) -> float:
    """The share of a layer's output y that changes with one entry of its parameters."""
    if kind in (networks.Conv2D, networks.BatchNorm) or (
        kind in (networks.Dense, networks.LayerNorm) and y.ndim == 2
    ):
        return 1.0 / float(y.shape[1])
    return 1.0


def keeps_share(kind: Kind) -> bool:
    """Whether the share of a layer's output that changes is that of its input."""
    return (
        kind in ELEMENTWISE
        or kind in POOLS
        or kind in (networks.BatchNorm, networks.Dropout, networks.Flatten)
    )


def operand(bound: BoundLayer, x: Array) -> Array:
    """What a layer's weights multiply: windows of an image, normalised values, or the input as it is.

    All entries of a weight share it. For images, to make it takes longer than the rest of a change.
    """
    if bound.kind is networks.Conv2D:
        return np.asarray(cast(networks.Conv2D, bound.layer).view(x))
    if bound.kind is networks.BatchNorm or (bound.kind is networks.LayerNorm and x.ndim == 2):
        return np.asarray(cast(networks.BatchNorm | networks.LayerNorm, bound.layer).normalised(x))
    return x


@dataclass(frozen=True, eq=False)
class Evaluated:
    """A layer at one batch."""

    bound: BoundLayer
    x: Array  # its input
    y: Array  # its output
    operand: Array  # what `operand` gives


def change_of_entry(at: Evaluated, parameter: str, index: tuple[int, ...], offsets: Floats) -> Change:
    """The change of a layer's output where entry `index` of one of its parameters moves by offsets (K,)."""
    bound, x, y = at.bound, at.x, at.y
    spread = offsets.reshape(-1, *(1,) * y.ndim)
    kind = bound.kind
    factor: Array | float = 1.0  # a bias and a shift are added as they are
    if kind is networks.Conv2D:
        o = index[0]
        if parameter == "weight":
            factor = at.operand[:, index[1], :, :, index[2], index[3]][:, None]
    elif kind is networks.Dense and x.ndim == 2:
        o = index[-1]
        if parameter == "weight":
            factor = x[:, index[0], None]
    elif kind is networks.BatchNorm or (kind is networks.LayerNorm and x.ndim == 2):
        o = index[0]
        if parameter == "scale":
            factor = at.operand[:, o : o + 1]
    else:
        return _evaluated_change(at, parameter, index, offsets)
    return Change(o, o + 1, y[None, :, o : o + 1] + spread * factor)


def _evaluated_change(at: Evaluated, parameter: str, index: tuple[int, ...], offsets: Floats) -> Change:
    p = at.bound.p
    moved = replace(at.bound, p=p | {parameter: p[parameter].copy()})
    outputs = []
    for offset in offsets:
        moved.p[parameter][index] = p[parameter][index] + offset
        outputs.append(_forward(moved, at.x))
    return _whole(at.y, np.stack(outputs))


def through_chain(
    layers: Sequence[BoundLayer], values: Sequence[Array], start: int, change: Change
) -> Change:
    """The change of a chain's output for a change of the input of layer `start`.

    `values` are the chain's activations, as Chain.forward gives them.
    """
    for k in range(start, len(layers)):
        change = through_layer(layers[k], values[k], values[k + 1], change)
    return change


def through_layer(bound: BoundLayer, x: Array, y: Array, change: Change) -> Change:
    """The change of a layer's output y for a change of its input x.

    The rules need features in float64, as every layer of this package returns them.
    """
    has_features = x.ndim > 1 and x.dtype == np.float64
    rule = _RULES.get(bound.kind, _evaluate_whole) if has_features else _evaluate_whole
    return rule(bound, x, y, change)


def _evaluate_whole(bound: BoundLayer, x: Array, y: Array, change: Change) -> Change:
    return _whole(y, forward_many(bound, change.widened(x).new))


def _evaluate_changed(bound: BoundLayer, x: Array, y: Array, change: Change) -> Change:
    return Change(change.lo, change.hi, forward_many(bound, change.new))


def _activation(bound: BoundLayer, x: Array, y: Array, change: Change) -> Change:
    fast = _fast_activations().get(bound.kind)
    if fast is None:
        return _evaluate_changed(bound, x, y, change)
    return Change(change.lo, change.hi, fast(np.ascontiguousarray(change.new)))


@functools.cache
def _fast_activations() -> dict[Kind, Callable[[Floats], Floats]]:
    """Kernels for activations in which NumPy is several times slower; the two agree to 2 ulp.

    There are none where Numba is told not to compile.
    """
    from fastgrad.kernels import elementwise
    from fastgrad.kernels.jit import is_jitted

    if not is_jitted(elementwise.tanh_loop):
        return {}
    kernels = {
        networks.Tanh: elementwise.tanh,
        networks.Sigmoid: elementwise.sigmoid,
        networks.Softplus: elementwise.softplus,
    }
    return {kind: functools.partial(_on_flat, kernel) for kind, kernel in kernels.items()}


def _on_flat(kernel: Callable[[Floats], Floats], z: Floats) -> Floats:
    return kernel(z.reshape(-1)).reshape(z.shape)


def _batch_norm(bound: BoundLayer, x: Array, y: Array, change: Change) -> Change:
    axes = (1,) if x.ndim == 2 else (1, 3, 4)
    wide = (-1,) if x.ndim == 2 else (-1, 1, 1)
    normal, _ = normalise(change.new, axes, cast(networks.BatchNorm, bound.layer).epsilon)
    scale, shift = (bound.p[name][change.lo : change.hi].reshape(wide) for name in ("scale", "shift"))
    normal *= scale
    normal += shift
    return Change(change.lo, change.hi, normal)


def _dropout(bound: BoundLayer, x: Array, y: Array, change: Change) -> Change:
    mask = cast(networks.Dropout, bound.layer).mask(x)
    return Change(change.lo, change.hi, change.new * mask[:, change.lo : change.hi])


def _residual(bound: BoundLayer, x: Array, y: Array, change: Change) -> Change:
    values = forward_values(bound.branch, x)
    branch = through_chain(bound.branch, values, 0, change).widened(values[-1])
    return _whole(y, branch.new + change.widened(x).new)


def _flatten(bound: BoundLayer, x: Array, y: Array, change: Change) -> Change:
    each = y.shape[1] // x.shape[1]  # features that one channel becomes
    return Change(change.lo * each, change.hi * each, change.new.reshape(*change.new.shape[:2], -1))


def _dense(bound: BoundLayer, x: Array, y: Array, change: Change) -> Change:
    if x.ndim != 2:
        return _evaluate_whole(bound, x, y, change)
    d, weight = change.difference(x), bound.p["weight"][change.lo : change.hi]
    if len(weight) == 1:
        new = d * weight[0]
    else:
        new = (d.reshape(-1, d.shape[-1]) @ weight).reshape(*d.shape[:2], -1)  # one product for all K
    new += y
    return Change(0, y.shape[1], new)


def _conv(bound: BoundLayer, x: Array, y: Array, change: Change) -> Change:
    layer, p = cast(networks.Conv2D, bound.layer), bound.p
    narrow = networks.Conv2D(change.hi - change.lo, layer.filters, layer.size, layer.stride, layer.padding)
    own = {"weight": p["weight"][:, change.lo : change.hi], "bias": np.zeros(layer.filters)}
    new = forward_many(BoundLayer(narrow, own, networks.Conv2D), change.difference(x))
    new += y
    return Change(0, y.shape[1], new)


_RULES: dict[Kind, Callable[[BoundLayer, Array, Array, Change], Change]] = {
    **dict.fromkeys(ELEMENTWISE, _activation),
    **dict.fromkeys(POOLS, _evaluate_changed),
    networks.BatchNorm: _batch_norm,
    networks.Dropout: _dropout,
    networks.Residual: _residual,
    networks.Flatten: _flatten,
    networks.Dense: _dense,
    networks.Conv2D: _conv,
}


def forward_many(bound: BoundLayer, x: Array) -> Floats:
    """A layer's outputs for K batches (K, samples, ...); by one call if it takes them as one batch."""
    if bound.one_batch_at_a_time:
        return np.stack([_forward(bound, batch) for batch in x])
    y = bound.layer.forward(bound.p, x.reshape(-1, *x.shape[2:]))
    return np.asarray(y.reshape(*x.shape[:2], *y.shape[1:]))


def forward_values(layers: Sequence[BoundLayer], x: Array) -> list[Array]:
    """The input and each layer's output, as Chain.forward gives them.

    A layer without a rule, which may write to its input, cannot change them.
    """
    values = [x]
    for bound in layers:
        values.append(_forward(bound, values[-1]))
    return values


def _forward(bound: BoundLayer, x: Array) -> Array:
    """A layer's output; a layer without a rule gets a copy of its input, and its output is copied.

    Raises
    ------
    NotArrays
        Where such a layer returns something else than one array.
    """
    if bound.kind is networks.Residual:
        return np.asarray(x + forward_values(bound.branch, x)[-1])
    if bound.kind is not None:
        return np.asarray(bound.layer.forward(bound.p, x))
    y = bound.layer.forward(bound.p, x.copy())
    if not (type(y) is np.ndarray or np.isscalar(y)):
        raise NotArrays(f"a {type(y).__name__}")
    return np.array(y)
