"""A change is a value: which features of an activation are new, and what they are, for K perturbations.

    Part(lo, hi, new)    features (or channels, axis 1) lo:hi of a batch have the values new[k], the others
                         are what they were; new has shape (K, samples, hi - lo, ...)

Each layer maps a change of its input to a change of its output. Elementwise layers and pooling keep the part,
Flatten widens it, Dense and Conv2D need only the part's own weights and make everything new. A layer without
a rule gets everything and is simply evaluated: correctness never depends on a rule.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgrad import networks
from fastgrad.arrays import Floats
from fastgrad.networks.activations import Activation
from fastgrad.networks.base import Array, Blocks
from fastgrad.networks.normalisation import normalise


@dataclass(frozen=True)
class Change:
    """Features lo:hi are new in each of K perturbations of a batch."""

    lo: int
    hi: int
    new: Floats

    def everything(self, base: Array) -> Change:
        """The same change as a change of all features."""
        if (self.lo, self.hi) == (0, base.shape[1]):
            return self
        full = np.repeat(base[None], len(self.new), axis=0)
        full[:, :, self.lo : self.hi] = self.new
        return Change(0, base.shape[1], full)

    def difference(self, base: Array) -> Floats:
        """How much the part's own features change."""
        return np.asarray(self.new - base[:, self.lo : self.hi])


def share_of_own(layer: Any, y: Array) -> float:
    """How much of its output y moving one entry of a layer's parameter makes new."""
    by_feature = networks.Conv2D | networks.BatchNorm
    if isinstance(layer, by_feature) or (
        isinstance(layer, networks.Dense | networks.LayerNorm) and y.ndim == 2
    ):
        return 1.0 / float(y.shape[1])
    return 1.0


def keeps_the_part(layer: Any) -> bool:
    """Whether of a layer's output no more is new than of its input."""
    pools = networks.MaxPool2D | networks.AvgPool2D
    return isinstance(layer, Activation | pools | networks.BatchNorm | networks.Dropout | networks.Flatten)


def felt_by(layer: Any, x: Array) -> Array:
    """What a layer's weights multiply: windows of an image, normalised values, or the input as it is.

    It is the same for all entries of a weight; for images it takes longer than the rest of what one does.
    """
    if isinstance(layer, networks.Conv2D):
        return np.asarray(layer.view(x))
    if isinstance(layer, networks.BatchNorm) or (isinstance(layer, networks.LayerNorm) and x.ndim == 2):
        return np.asarray(layer.normalised(x))
    return x


def own_change(
    layer: Any, p: Blocks, name: str, x: Array, y: Array, felt_by_all: Array, index: Any, offsets: Floats
) -> Change:
    """What moving entry `index` of a layer's own parameter by offsets (K,) does to its output y.

    felt_by_all is what `felt_by` says of the layer.
    """
    spread = offsets.reshape(-1, *(1,) * y.ndim)
    if isinstance(layer, networks.Conv2D):
        o = index[0]
        felt = felt_by_all[:, index[1], :, :, index[2], index[3]][:, None] if name == "weight" else 1.0
    elif isinstance(layer, networks.Dense) and x.ndim == 2:
        o = index[-1]
        felt = x[:, index[0], None] if name == "weight" else 1.0
    elif isinstance(layer, networks.BatchNorm) or (isinstance(layer, networks.LayerNorm) and x.ndim == 2):
        o = index[0]
        felt = felt_by_all[:, o : o + 1] if name == "scale" else 1.0
    else:
        return _own_change_plainly(layer, p, name, x, index, offsets)
    return Change(o, o + 1, y[None, :, o : o + 1] + spread * felt)


def _own_change_plainly(layer: Any, p: Blocks, name: str, x: Array, index: Any, offsets: Floats) -> Change:
    moved = p | {name: p[name].copy()}
    outputs = []
    for offset in offsets:
        moved[name][index] = p[name][index] + offset
        outputs.append(layer.forward(moved, x))
    new = np.stack(outputs)
    return Change(0, new.shape[2], new)


def through_chain(chain: Any, p: Blocks, values: Sequence[Array], start: int, part: Change) -> Change:
    """A change of the input of layer `start` of a chain, carried to the chain's output.

    values are the chain's own, as Chain.forward gives them.
    """
    for k in range(start, len(chain.layers)):
        part = through(chain.layers[k], chain.own(p, k), values[k], values[k + 1], part)
    return part


def through(layer: Any, p: Blocks, x: Array, y: Array, part: Change) -> Change:
    """The change of a layer's output y for a change of its input x."""
    rule = next((rule for kind, rule in _RULES if isinstance(layer, kind)), _plainly)
    return rule(layer, p, x, y, part)


def _plainly(layer: Any, p: Blocks, x: Array, y: Array, part: Change) -> Change:
    return Change(0, y.shape[1], forward_many(layer, p, part.everything(x).new))


def _on_the_part(layer: Any, p: Blocks, x: Array, y: Array, part: Change) -> Change:
    return Change(part.lo, part.hi, forward_many(layer, p, part.new))


def _activation(layer: Any, p: Blocks, x: Array, y: Array, part: Change) -> Change:
    fast = _fast_activations().get(type(layer))
    if fast is None:
        return _on_the_part(layer, p, x, y, part)
    return Change(part.lo, part.hi, fast(np.ascontiguousarray(part.new)))


@functools.cache
def _fast_activations() -> dict[type, Callable[[Floats], Floats]]:
    """Kernels where NumPy is several times slower, to 2 ulp the same; none where nothing is compiled."""
    from fastgrad.kernels import elementwise
    from fastgrad.kernels.jit import is_jitted

    if not is_jitted(elementwise.tanh_loop):
        return {}
    kernels = {
        networks.Tanh: elementwise.tanh,
        networks.Sigmoid: elementwise.sigmoid,
        networks.Softplus: elementwise.softplus,
    }
    return {kind: lambda z, f=f: f(z.reshape(-1)).reshape(z.shape) for kind, f in kernels.items()}  # type: ignore[misc]


def _batch_norm(layer: Any, p: Blocks, x: Array, y: Array, part: Change) -> Change:
    axes = (1,) if x.ndim == 2 else (1, 3, 4)
    wide = (-1,) if x.ndim == 2 else (-1, 1, 1)
    normal, _ = normalise(part.new, axes, layer.epsilon)
    scale, shift = (p[name][part.lo : part.hi].reshape(wide) for name in ("scale", "shift"))
    normal *= scale
    normal += shift
    return Change(part.lo, part.hi, normal)


def _dropout(layer: Any, p: Blocks, x: Array, y: Array, part: Change) -> Change:
    return Change(part.lo, part.hi, part.new * layer.mask(x)[:, part.lo : part.hi])


def _residual(layer: Any, p: Blocks, x: Array, y: Array, part: Change) -> Change:
    values = layer.chain.forward(p, x)
    branch = through_chain(layer.chain, p, values, 0, part).everything(values[-1])
    return Change(0, y.shape[1], branch.new + part.everything(x).new)


def _flatten(layer: Any, p: Blocks, x: Array, y: Array, part: Change) -> Change:
    each = y.shape[1] // x.shape[1]  # features that one channel becomes
    return Change(part.lo * each, part.hi * each, part.new.reshape(*part.new.shape[:2], -1))


def _dense(layer: Any, p: Blocks, x: Array, y: Array, part: Change) -> Change:
    if x.ndim != 2:
        return _plainly(layer, p, x, y, part)
    d, weight = part.difference(x), p["weight"][part.lo : part.hi]
    if len(weight) == 1:
        new = d * weight[0]
    else:
        new = (d.reshape(-1, d.shape[-1]) @ weight).reshape(*d.shape[:2], -1)  # one product for all
    new += y
    return Change(0, y.shape[1], new)


def _conv(layer: Any, p: Blocks, x: Array, y: Array, part: Change) -> Change:
    narrow = networks.Conv2D(part.hi - part.lo, layer.filters, layer.size, layer.stride, layer.padding)
    own = {"weight": p["weight"][:, part.lo : part.hi], "bias": np.zeros(layer.filters)}
    new = forward_many(narrow, own, part.difference(x))
    new += y
    return Change(0, y.shape[1], new)


_RULES: list[tuple[Any, Callable[..., Change]]] = [
    (Activation, _activation),
    ((networks.MaxPool2D, networks.AvgPool2D), _on_the_part),
    (networks.BatchNorm, _batch_norm),
    (networks.Dropout, _dropout),
    (networks.Residual, _residual),
    (networks.Flatten, _flatten),
    (networks.Dense, _dense),
    (networks.Conv2D, _conv),
]


def forward_many(layer: Any, p: Blocks, x: Array) -> Floats:
    """A layer's outputs for K batches (K, samples, ...): one call where samples are independent."""
    if getattr(layer, "couples_samples", False):
        return np.stack([layer.forward(p, batch) for batch in x])
    y = layer.forward(p, x.reshape(-1, *x.shape[2:]))
    return np.asarray(y.reshape(*x.shape[:2], *y.shape[1:]))
