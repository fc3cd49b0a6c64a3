"""Many values of single entries of one tensor in one forward pass, under torch.func.vmap.

`TensorBatch` batches the tensor itself: what does not depend on it is computed once for all. `LayerBatch`
batches the output of the linear or convolution layer that the tensor belongs to. One entry of its weight
moves one unit or channel of the output, by what it is multiplied with; so the layer is computed once, too.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastgrad.adapters.torch.loss_cost import LossCost, require_scalar
from fastgrad.adapters.torch.names import Slot
from fastgrad.arrays import Floats, IndexArray


@dataclass(frozen=True, eq=False)
class TensorBatch:
    """Evaluates a cost for many values of single entries of one tensor.

    Parameters
    ----------
    cost : LossCost
    number : of the slot
    rows : points at a time
    """

    cost: LossCost
    number: int
    rows: int

    def __call__(self, structure: Any, inside: IndexArray, points: Floats) -> Floats:
        """The costs (k,) with entry inside[k] at points[k]."""
        import torch

        slot = self.cost.slots[self.number]
        with torch.no_grad():
            self.cost.bind(structure)
            moved = batch_of(slot, slot.tensor, inside, points)
            return values_of(self.cost, moved, lambda one: self.cost.swapped(slot, one))

    def of(self, cost: LossCost) -> TensorBatch:
        """The same for the cost of another worker."""
        return replace(self, cost=cost)


class LayerBatch:
    """Evaluates a cost for many values of single entries of a linear or convolution layer.

    The layer is called once in a forward pass, and its tensors are used nowhere else.

    Parameters
    ----------
    cost : LossCost
    layer : the name of the layer in the module
    is_bias : whether the entries are those of the bias
    rows : points at a time
    """

    def __init__(self, cost: LossCost, layer: str, is_bias: bool, rows: int) -> None:
        self.cost, self.name, self.is_bias, self.rows = cost, layer, is_bias, rows
        self.layer = cost.subject.module.get_submodule(layer)
        self.seen: Any = None

    def __call__(self, structure: Any, inside: IndexArray, points: Floats) -> Floats:
        """The costs (k,) with entry inside[k] at points[k]."""
        import torch

        tensor = self.layer.bias if self.is_bias else self.layer.weight
        with torch.no_grad():
            self.cost.bind(structure)
            if self.seen is None:
                self.seen = self._of_one_pass()
            shape, output, factors = self.seen
            at = torch.from_numpy(inside).to(output.device)
            by = _like(points, tensor) - tensor.reshape(-1)[at]
            unit, change = at, by[:, None, None]
            if not self.is_bias:
                fan_in = tensor[0].numel()
                unit, feature = at // fan_in, at % fan_in
                feature = feature + fan_in * (unit // (output.shape[1] // getattr(self.layer, "groups", 1)))
                change = change * factors[:, feature].transpose(0, 1)
            moved = output.repeat(len(points), 1, 1, 1)
            moved[torch.arange(len(at), device=output.device), :, unit] += change
            return values_of(self.cost, moved.reshape(-1, *shape), self._giving)

    def of(self, cost: LossCost) -> LayerBatch:
        """The same for the cost of another worker."""
        return LayerBatch(cost, self.name, self.is_bias, self.rows)

    def _of_one_pass(self) -> tuple[Any, Any, Any]:
        """The output's shape, the output (rows, units, places), and what weights are multiplied with."""
        import torch

        calls: list[Any] = []
        forward = self.layer.forward

        def watched(x: Any) -> Any:
            calls.append((x, forward(x)))
            return calls[-1][1].clone()

        with replaced_forward(self.layer, watched):
            self.cost.value()
        if len(calls) != 1:
            raise RuntimeError(f"called {len(calls)} times")
        x, output = calls[0]
        if isinstance(self.layer, torch.nn.Linear):
            return (
                output.shape,
                output.reshape(-1, output.shape[-1], 1),
                x.reshape(-1, x.shape[-1], 1).clone(),
            )
        layer = self.layer
        factors = torch.nn.functional.unfold(
            x, layer.kernel_size, layer.dilation, layer.padding, layer.stride
        )
        return output.shape, output.flatten(2), factors

    @contextlib.contextmanager
    def _giving(self, output: Any) -> Iterator[None]:
        with replaced_forward(self.layer, lambda *given, **named: output):
            yield


@contextlib.contextmanager
def replaced_forward(layer: Any, forward: Callable[..., Any]) -> Iterator[None]:
    """Let a layer of a copy compute something else meanwhile."""
    layer.forward = forward
    try:
        yield
    finally:
        del layer.forward


def batch_of(slot: Slot, tensor: Any, inside: IndexArray, points: Floats) -> Any:
    """(k, ...) copies of a tensor, each with one entry moved.

    Parameters
    ----------
    slot : of the tensor
    tensor : as it is now
    inside, points : (k,) which entry of its block is what in each
    """
    import torch

    tensor = tensor.detach()
    real = torch.view_as_real(tensor) if slot.is_complex else tensor
    moved = real.reshape(1, -1).repeat(len(points), 1)
    at = torch.from_numpy(inside).to(moved.device)
    moved[torch.arange(len(at), device=moved.device), at] = _like(points, moved)
    moved = moved.reshape(-1, *real.shape)
    return torch.view_as_complex(moved) if slot.is_complex else moved


@contextlib.contextmanager
def warnings_of_vmap_ignored() -> Iterator[None]:
    """torch warns of operations that vmap calls one by one: that this is slow is measured."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def values_of(
    cost: LossCost, moved: Any, giving: Callable[[Any], contextlib.AbstractContextManager[Any]]
) -> Floats:
    """The costs (k,) for each of k values of one tensor.

    Parameters
    ----------
    cost : LossCost
    moved : (k, ...) values
    giving : a context in which one of them stands for the tensor
    """
    import torch

    def one(value: Any) -> Any:
        with giving(value):
            return require_scalar(cost.value()).reshape(())

    with warnings_of_vmap_ignored():
        found = torch.func.vmap(one, randomness="same")(moved)
    return np.asarray(found.double().cpu().numpy())


def _like(points: Floats, tensor: Any) -> Any:
    """Points as a tensor of the device and the real dtype of another one."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(points)).to(tensor.device, tensor.dtype.to_real())
