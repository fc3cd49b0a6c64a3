"""A function of tensors as a function of plain arrays, with the products that autograd gives.

Blocks of numbers go in and come out, complex ones as real and imaginary parts along a last axis. torch's
gradient of a complex tensor a + i b is dL/da + i dL/db, so that products need no factor.
"""

from __future__ import annotations

import copy
import functools
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.adapters.torch.loss_cost import Blocks
from fastgrad.adapters.torch.names import Slot, flatten_data, flatten_leaves, is_differentiable
from fastgrad.adapters.torch.state import SameStart
from fastgrad.errors import InputError

OUTPUT = "output"
"""What the outputs are called: output, output[0], output['x']."""


@dataclass(frozen=True, eq=False)
class Graph:
    """What autograd recorded of one call, which several backward passes may start from.

    Parameters
    ----------
    at : the blocks of that call
    tensors : made of them
    outputs : those that require grad, by name
    calls : how many calls there had been
    """

    at: Blocks
    tensors: list[Any]
    outputs: dict[str, Any]
    calls: int


class TensorFunction:
    """A function of tensors at some inputs.

    Parameters
    ----------
    fn : callable of tensors
    inputs : a tensor, a tuple for fn(*inputs) or a dict for fn(**inputs); copies that nobody else uses
    moved : the places, among the leaves of the inputs, of the tensors that are moved
    """

    structure: Any = None
    """Ways of evaluating it, for `Problem`."""

    def __init__(self, fn: Callable[..., Any], inputs: Any, moved: list[int]) -> None:
        self.fn = fn
        self.leaves, names, self.spec = flatten_data(inputs, "inputs")
        self.slots = [Slot(names[number], self.leaves[number].requires_grad_(), number) for number in moved]
        others = [leaf for number, leaf in enumerate(self.leaves) if number not in moved]
        self.start = SameStart(_modules(fn), [leaf for leaf in others if _is_tensor(leaf)], self.devices)
        self.__name__ = self.__qualname__ = getattr(fn, "__name__", type(fn).__name__)
        self.at: Blocks = {slot.name: slot.to_block(slot.tensor) for slot in self.slots}
        self.taken: list[tuple[str, int]] | None = None
        self.calls = 0
        self.one_by_one = False
        """Whether the backward pass is asked for each output alone."""
        self.graph: Graph | None = None

    @property
    def devices(self) -> list[Any]:
        """The devices of the inputs."""
        return list({leaf.device for leaf in self.leaves if _is_tensor(leaf)})

    def __call__(self, params: Blocks) -> Blocks:
        """The outputs, by name, as blocks of their own."""
        return {name: to_block(output) for name, output in self.outputs(self.tensors(params)).items()}

    def vjp(self, params: Blocks, u: Blocks) -> Blocks:
        """J^T u as autograd gives it; None is zero."""
        import torch

        tensors, outputs = self.graph_at(params)
        if not outputs:
            return {name: np.zeros_like(block) for name, block in self.at.items()}
        upstream = [like(u[name], output) for name, output in outputs.items()]
        wanted, parts = list(outputs.values()), [slice(None)]
        if self.one_by_one:
            parts = [slice(k, k + 1) for k in range(len(wanted))]
        found = [
            self.by_name(
                torch.autograd.grad(wanted[k], tensors, upstream[k], retain_graph=True, allow_unused=True)
            )
            for k in parts
        ]
        return {name: sum((one[name] for one in found[1:]), found[0][name]) for name in found[0]}

    def jvp(self, params: Blocks, v: Blocks) -> Blocks:
        """J v by torch's forward mode."""
        import torch.autograd.forward_ad as forward

        load_forward_mode()
        tensors = self.tensors(params)
        with forward.dual_level():
            pairs = zip(self.slots, tensors, strict=True)
            duals = [
                forward.make_dual(t.detach(), like(v[slot.name], t)).requires_grad_() for slot, t in pairs
            ]
            found = {name: forward.unpack_dual(output) for name, output in self.outputs(duals).items()}
            return {
                name: np.zeros(to_block(one.primal).shape) if one.tangent is None else to_block(one.tangent)
                for name, one in found.items()
            }

    def for_worker(self) -> TensorFunction:
        """A twin with inputs of its own."""
        self.graph = None
        return copy.deepcopy(self)

    def __getstate__(self) -> dict[str, Any]:
        """All but the graph, of which there is no copy."""
        return self.__dict__ | {"graph": None}

    def tensors(self, params: Blocks) -> list[Any]:
        """A leaf tensor of each block, that lies in memory as the user's does."""
        return [self._tensor(slot, params[slot.name]).requires_grad_() for slot in self.slots]

    def outputs(self, tensors: list[Any]) -> dict[str, Any]:
        """What the function gives for these tensors: those of its outputs that are looked at, by name."""
        leaves = list(self.leaves)
        for slot, tensor in zip(self.slots, tensors, strict=True):
            leaves[slot.number or 0] = tensor
        returned = self._called(self.spec.unflatten(leaves))
        if self.taken is None:
            found, names, _ = flatten_data(returned, OUTPUT)
            self.taken = _looked_at(found, names)
        elif _is_tensor(returned):
            found = [returned]
        else:
            found = flatten_leaves(returned)
        try:
            return {name: found[k] for name, k in self.taken}
        except IndexError:
            raise InputError(
                f"the function must return as many outputs at each call: {len(found)} came where there were "
                "more at the inputs themselves",
                code="FG811",
            ) from None

    def graph_at(self, params: Blocks) -> tuple[list[Any], dict[str, Any]]:
        """Tensors, and the outputs that require grad: of the last call, if that was at the same place."""
        if self.graph is not None and self.graph.calls == self.calls:
            at = self.graph.at
            if all(np.array_equal(params[name], at[name]) for name in at):
                return self.graph.tensors, self.graph.outputs
        at = {slot.name: params[slot.name].copy() for slot in self.slots}
        tensors = self.tensors(at)
        outputs = {n: o for n, o in self.outputs(tensors).items() if o.requires_grad}
        self.graph = Graph(at, tensors, outputs, self.calls)
        return tensors, outputs

    def by_name(self, found: Any) -> Blocks:
        """Gradients as blocks, zeros for None."""
        return {
            slot.name: np.zeros_like(self.at[slot.name]) if g is None else to_block(g)
            for slot, g in zip(self.slots, found, strict=True)
        }

    def _called(self, inputs: Any) -> Any:
        self.calls += 1
        if self.start.is_known:
            self.start.put_back()
        if isinstance(inputs, Mapping):
            returned = self.fn(**inputs)
        else:
            returned = self.fn(*inputs) if isinstance(inputs, tuple | list) else self.fn(inputs)
        if not self.start.is_known:
            self.start.learn()
        return returned

    def _tensor(self, slot: Slot, block: npt.NDArray[Any]) -> Any:
        """A tensor with the strides of the user's."""
        import torch

        given, theirs = slot.from_block(block), slot.tensor
        if given.stride() == theirs.stride():  # as an engine moves it: a leaf cannot be written to in place
            return given.detach()
        made = torch.empty_strided(theirs.shape, theirs.stride(), dtype=theirs.dtype, device=theirs.device)
        return made.copy_(given)


@functools.cache
def load_forward_mode() -> None:
    """Let torch load its forward mode, of which it warns that parts of it are deprecated."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        one = torch.ones(())
        torch.func.jvp(torch.sin, (one,), (one,))


def _looked_at(found: list[Any], names: list[str]) -> list[tuple[str, int]]:
    """The names and places of the outputs that require grad; of all floating-point ones where none does.

    What does not require grad beside others that do was marked as not differentiable.
    """
    floats = [(names[k], k) for k, one in enumerate(found) if is_differentiable(one)]
    for name, k in floats:
        if str(found[k].layout) != "torch.strided":
            raise InputError(f"{name} is sparse ({found[k].layout}): return .to_dense() of it", code="FG811")
    if not floats:
        raise InputError(
            "the function must return floating-point tensors; got "
            + (", ".join(type(one).__name__ for one in found) or "nothing"),
            code="FG811",
        )
    graded = [(name, k) for name, k in floats if found[k].requires_grad]
    return graded or floats


def to_block(tensor: Any) -> npt.NDArray[Any]:
    """The numbers of a tensor as an array of its own; complex ones with a last axis of length 2."""
    return Slot("", tensor).to_block(tensor)


def like(block: npt.NDArray[Any], tensor: Any, count: int = 0) -> Any:
    """A block as a tensor like another one, in shape, dtype and device; with a count, many of them."""
    import torch

    made = torch.from_numpy(np.ascontiguousarray(block, dtype=np.float64))
    if tensor.is_complex():
        made = torch.view_as_complex(made)
    shape = (count, *tensor.shape) if count else tensor.shape
    return made.to(tensor.device, tensor.dtype).reshape(shape)


def _is_tensor(leaf: object) -> bool:
    import torch

    return isinstance(leaf, torch.Tensor)


def _modules(fn: Any) -> list[Any]:
    import torch

    return [fn] if isinstance(fn, torch.nn.Module) else []
