"""A change is a value: which features of an activation are new, and what they are, for K perturbations.

    Part(lo, hi, new)    features (or channels, axis 1) lo:hi of a batch have the values new[k], the others
                         are what they were; new has shape (K, samples, hi - lo, ...)

Each layer maps a change of its input to a change of its output. Elementwise layers and pooling keep the part,
Flatten widens it, Dense and Conv2D need only the part's own weights and make everything new. A layer without
a rule gets everything and is simply evaluated: correctness never depends on a rule. Rules are looked up by
what `networks.known` says that a layer is, which is asked once for a network at its parameters (Step). A
layer without one, of the user's own or a subclass that computes something else, is evaluated batch by batch.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

import numpy as np

from fastgrad import networks
from fastgrad.arrays import Floats
from fastgrad.networks.base import Array, Blocks
from fastgrad.networks.chain import Chain
from fastgrad.networks.known import layer_kind
from fastgrad.networks.normalisation import normalise

Kind = type | None
"""What a layer computes exactly as, by layer_kind; None where no rule stands for it."""

ELEMENTWISE = frozenset(
    {
        networks.Sigmoid,
        networks.Tanh,
        networks.ReLU,
        networks.LeakyReLU,
        networks.ELU,
        networks.Softplus,
        networks.SiLU,
        networks.GELU,
    }
)
"""Activations: functions of each number by itself."""

POOLS = frozenset({networks.MaxPool2D, networks.AvgPool2D})

MIX_SAMPLES: frozenset[Kind] = frozenset({networks.BatchNorm, None})
"""Layers whose output for one sample may depend on the others; of a layer without a rule nothing is known."""

DEPEND_ON_THE_PLACE: frozenset[Kind] = frozenset({networks.Dropout})
"""Layers whose output for a sample depends on where in the batch it stands."""

ONE_BATCH_AT_A_TIME = MIX_SAMPLES | DEPEND_ON_THE_PLACE


class NotArrays(Exception):
    """A layer of the user's own hands something else than an array to the next, which no change can be of."""


@dataclass(frozen=True, eq=False)
class Step:
    """A layer with its parameters, and what it computes exactly as."""

    layer: Any
    p: Blocks
    kind: Kind
    branch: tuple[Step, ...] = ()
    """The layers inside, of a Residual."""

    def holds(self, kinds: frozenset[Kind]) -> bool:
        """Whether it is one of these kinds, or a residual branch with one of them inside."""
        if self.kind is networks.Residual:
            return any(inner.holds(kinds) for inner in self.branch)
        return self.kind in kinds

    @cached_property
    def one_batch_at_a_time(self) -> bool:
        """Whether several batches cannot be given to it as one."""
        return self.holds(ONE_BATCH_AT_A_TIME)


def steps_of(chain: Chain, p: Blocks) -> tuple[Step, ...]:
    """The layers of a chain, each with its parameters and its kind."""
    steps = []
    for k, layer in enumerate(chain.layers):
        own: Blocks = chain.own(p, k)
        kind = layer_kind(layer, own)
        branch = steps_of(cast(networks.Residual, layer).chain, own) if kind is networks.Residual else ()
        steps.append(Step(layer, own, kind, branch))
    return tuple(steps)


def own_layers(steps: Sequence[Step], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The layers that no rule stands for, with the names of their places: "1", or "3.1" in a branch."""
    for k, step in enumerate(steps):
        if step.kind is None:
            yield f"{prefix}{k}", step.layer
        yield from own_layers(step.branch, f"{prefix}{k}.")


@dataclass(frozen=True)
class Change:
    """Features lo:hi are new in each of K perturbations of a batch."""

    lo: int
    hi: int
    new: Floats

    def everything(self, base: Array) -> Change:
        """The same change as a change of all features."""
        if (self.lo, self.hi) == (0, _width(base)):
            return self
        full = np.repeat(base[None], len(self.new), axis=0)
        full[:, :, self.lo : self.hi] = self.new
        return Change(0, base.shape[1], full)

    def difference(self, base: Array) -> Floats:
        """How much the part's own features change."""
        return np.asarray(self.new - base[:, self.lo : self.hi])

    def added_to(self, x: Array) -> Change:
        """The change of x + base, where the part is one of base."""
        return Change(self.lo, self.hi, self.new + (x[:, self.lo : self.hi] if x.ndim > 1 else x))


def _whole(y: Array, new: Any) -> Change:
    return Change(0, _width(y), np.asarray(new))


def _width(y: Array) -> int:
    """Features or channels; a layer of the user's own may give one number for each sample, or for all."""
    return int(y.shape[1]) if y.ndim > 1 else 1


def share_of_own(kind: Kind, y: Array) -> float:
    """How much of its output y moving one entry of a layer's parameter makes new."""
    if kind in (networks.Conv2D, networks.BatchNorm) or (
        kind in (networks.Dense, networks.LayerNorm) and y.ndim == 2
    ):
        return 1.0 / float(y.shape[1])
    return 1.0


def keeps_the_part(kind: Kind) -> bool:
    """Whether of a layer's output no more is new than of its input."""
    return (
        kind in ELEMENTWISE
        or kind in POOLS
        or kind in (networks.BatchNorm, networks.Dropout, networks.Flatten)
    )


def felt_by(step: Step, x: Array) -> Array:
    """What a layer's weights multiply: windows of an image, normalised values, or the input as it is.

    It is the same for all entries of a weight; for images it takes longer than the rest of what one does.
    """
    if step.kind is networks.Conv2D:
        return np.asarray(step.layer.view(x))
    if step.kind is networks.BatchNorm or (step.kind is networks.LayerNorm and x.ndim == 2):
        return np.asarray(step.layer.normalised(x))
    return x


def own_change(
    step: Step, name: str, x: Array, y: Array, felt_by_all: Array, index: Any, offsets: Floats
) -> Change:
    """What moving entry `index` of a layer's own parameter by offsets (K,) does to its output y.

    felt_by_all is what `felt_by` says of the layer.
    """
    spread = offsets.reshape(-1, *(1,) * y.ndim)
    kind = step.kind
    if kind is networks.Conv2D:
        o = index[0]
        felt = felt_by_all[:, index[1], :, :, index[2], index[3]][:, None] if name == "weight" else 1.0
    elif kind is networks.Dense and x.ndim == 2:
        o = index[-1]
        felt = x[:, index[0], None] if name == "weight" else 1.0
    elif kind is networks.BatchNorm or (kind is networks.LayerNorm and x.ndim == 2):
        o = index[0]
        felt = felt_by_all[:, o : o + 1] if name == "scale" else 1.0
    else:
        return _own_change_plainly(step, name, x, y, index, offsets)
    return Change(o, o + 1, y[None, :, o : o + 1] + spread * felt)


def _own_change_plainly(step: Step, name: str, x: Array, y: Array, index: Any, offsets: Floats) -> Change:
    moved = replace(step, p=step.p | {name: step.p[name].copy()})
    outputs = []
    for offset in offsets:
        moved.p[name][index] = step.p[name][index] + offset
        outputs.append(_forward(moved, x))
    return _whole(y, np.stack(outputs))


def through_chain(steps: Sequence[Step], values: Sequence[Array], start: int, part: Change) -> Change:
    """A change of the input of layer `start` of a chain, carried to the chain's output.

    values are the chain's own, as Chain.forward gives them.
    """
    for k in range(start, len(steps)):
        part = through(steps[k], values[k], values[k + 1], part)
    return part


def through(step: Step, x: Array, y: Array, part: Change) -> Change:
    """The change of a layer's output y for a change of its input x.

    The rules are for features in float64, as all layers of this package hand them on.
    """
    has_features = x.ndim > 1 and x.dtype == np.float64
    rule = _RULES.get(step.kind, _plainly) if has_features else _plainly
    return rule(step, x, y, part)


def _plainly(step: Step, x: Array, y: Array, part: Change) -> Change:
    return _whole(y, forward_many(step, part.everything(x).new))


def _on_the_part(step: Step, x: Array, y: Array, part: Change) -> Change:
    return Change(part.lo, part.hi, forward_many(step, part.new))


def _activation(step: Step, x: Array, y: Array, part: Change) -> Change:
    fast = _fast_activations().get(step.kind)
    if fast is None:
        return _on_the_part(step, x, y, part)
    return Change(part.lo, part.hi, fast(np.ascontiguousarray(part.new)))


@functools.cache
def _fast_activations() -> dict[Kind, Callable[[Floats], Floats]]:
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


def _batch_norm(step: Step, x: Array, y: Array, part: Change) -> Change:
    axes = (1,) if x.ndim == 2 else (1, 3, 4)
    wide = (-1,) if x.ndim == 2 else (-1, 1, 1)
    normal, _ = normalise(part.new, axes, step.layer.epsilon)
    scale, shift = (step.p[name][part.lo : part.hi].reshape(wide) for name in ("scale", "shift"))
    normal *= scale
    normal += shift
    return Change(part.lo, part.hi, normal)


def _dropout(step: Step, x: Array, y: Array, part: Change) -> Change:
    return Change(part.lo, part.hi, part.new * step.layer.mask(x)[:, part.lo : part.hi])


def _residual(step: Step, x: Array, y: Array, part: Change) -> Change:
    values = forward_values(step.branch, x)
    branch = through_chain(step.branch, values, 0, part).everything(values[-1])
    return _whole(y, branch.new + part.everything(x).new)


def _flatten(step: Step, x: Array, y: Array, part: Change) -> Change:
    each = y.shape[1] // x.shape[1]  # features that one channel becomes
    return Change(part.lo * each, part.hi * each, part.new.reshape(*part.new.shape[:2], -1))


def _dense(step: Step, x: Array, y: Array, part: Change) -> Change:
    if x.ndim != 2:
        return _plainly(step, x, y, part)
    d, weight = part.difference(x), step.p["weight"][part.lo : part.hi]
    if len(weight) == 1:
        new = d * weight[0]
    else:
        new = (d.reshape(-1, d.shape[-1]) @ weight).reshape(*d.shape[:2], -1)  # one product for all
    new += y
    return Change(0, y.shape[1], new)


def _conv(step: Step, x: Array, y: Array, part: Change) -> Change:
    layer, p = step.layer, step.p
    narrow = networks.Conv2D(part.hi - part.lo, layer.filters, layer.size, layer.stride, layer.padding)
    own = {"weight": p["weight"][:, part.lo : part.hi], "bias": np.zeros(layer.filters)}
    new = forward_many(Step(narrow, own, networks.Conv2D), part.difference(x))
    new += y
    return Change(0, y.shape[1], new)


_RULES: dict[Kind, Callable[[Step, Array, Array, Change], Change]] = {
    **dict.fromkeys(ELEMENTWISE, _activation),
    **dict.fromkeys(POOLS, _on_the_part),
    networks.BatchNorm: _batch_norm,
    networks.Dropout: _dropout,
    networks.Residual: _residual,
    networks.Flatten: _flatten,
    networks.Dense: _dense,
    networks.Conv2D: _conv,
}


def forward_many(step: Step, x: Array) -> Floats:
    """A layer's outputs for K batches (K, samples, ...): one call where samples are independent."""
    if step.one_batch_at_a_time:
        return np.stack([_forward(step, batch) for batch in x])
    y = step.layer.forward(step.p, x.reshape(-1, *x.shape[2:]))
    return np.asarray(y.reshape(*x.shape[:2], *y.shape[1:]))


def forward_values(steps: Sequence[Step], x: Array) -> list[Array]:
    """What Chain.forward gives, kept from a layer of the user's own that writes to its input or output."""
    values = [x]
    for step in steps:
        values.append(_forward(step, values[-1]))
    return values


def _forward(step: Step, x: Array) -> Array:
    """A layer's output; where no rule stands for the layer it gets a copy, and what it gives is copied.

    Raises
    ------
    NotArrays
        Where such a layer gives something else than one array.
    """
    if step.kind is networks.Residual:
        return np.asarray(x + forward_values(step.branch, x)[-1])
    if step.kind is not None:
        return np.asarray(step.layer.forward(step.p, x))
    y = step.layer.forward(step.p, x.copy())
    if not (type(y) is np.ndarray or np.isscalar(y)):
        raise NotArrays(f"a {type(y).__name__}")
    return np.array(y)
