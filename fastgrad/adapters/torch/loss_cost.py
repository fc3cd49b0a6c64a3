"""The cost of a module and its loss as functions of plain arrays, and the gradient that autograd gives.

The tensors of a private copy of the module share memory with the arrays that an engine moves, so that a call
of the cost is a forward pass and nothing else.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.adapters.torch.copies import Subject
from fastgrad.adapters.torch.names import Slot, flatten_data, input_slots, joined, parameter_slots
from fastgrad.adapters.torch.state import SameStart
from fastgrad.errors import InputError

Blocks = dict[str, npt.NDArray[Any]]


class LossCost:
    """The cost loss(module(inputs), targets) of blocks of numbers.

    Parameters
    ----------
    subject : Subject, which nobody else uses
    by_inputs : whether the inputs are moved too
    """

    def __init__(self, subject: Subject, by_inputs: bool = False) -> None:
        self.subject = subject
        self.slots: list[Slot] = parameter_slots(subject.module)
        self.by_inputs = by_inputs
        leaves, names, self.spec = flatten_data(subject.inputs, "inputs")
        self.leaves = leaves
        if by_inputs:
            self.slots += input_slots(leaves, names, self.slots)
            for slot in self.slots:
                slot.tensor.requires_grad_()
        self.bound: Blocks = {}
        self.instead: dict[str, Any] = {}
        moved = {id(slot.tensor) for slot in self.slots}
        others = [tensor for tensor in subject.tensors() if id(tensor) not in moved]
        self.start = SameStart(subject.modules, others, devices_of(subject))
        self.__name__ = self.__qualname__ = type(subject.module).__name__
        self.at = {slot.name: slot.to_block(slot.tensor) for slot in self.slots}

    def __call__(self, params: Blocks) -> float | np.floating[Any]:
        """The cost, as a NumPy number of the dtype that the loss has."""
        import torch

        with torch.no_grad():
            self.bind(params)
            return as_number(self.value())

    def graph(self) -> Any:
        """The loss at the module's own numbers, with its graph."""
        import torch

        with torch.inference_mode(False), torch.enable_grad():
            self.bind(self.at)
            return require_scalar(self.value())

    def gradient(self, params: Blocks) -> Blocks:
        """What autograd gives for each block; where it gives None, zeros.

        Raises
        ------
        InputError
            Where the loss has no graph.
        """
        import torch

        with torch.inference_mode(False), torch.enable_grad():
            self.bind(params)
            tensors = [slot.tensor for slot in self.slots]
            value = require_scalar(self.value())
            if not value.requires_grad:
                raise InputError(NO_GRAPH, code="FG808")
            found = torch.autograd.grad(value.reshape(()), tensors, allow_unused=True)
        pairs = zip(self.slots, found, strict=True)
        return {
            slot.name: slot.to_block(torch.zeros_like(slot.tensor) if g is None else g) for slot, g in pairs
        }

    def bind(self, params: Blocks) -> None:
        """Let the module's tensors be these arrays, whose memory they share on the CPU."""
        import torch

        with torch.no_grad():
            for slot in self.slots:
                block = params[slot.name]
                if self.bound.get(slot.name) is not block or not slot.fits(block):
                    slot.tensor.data = slot.from_block(block)
                    self.bound[slot.name] = block

    def value(self) -> Any:
        """The loss as torch gives it, at what the tensors are now."""
        subject = replace(self.subject, inputs=self._own_inputs()) if self.by_inputs else self.subject
        if self.start.is_known:
            self.start.put_back()
            return subject.value()
        found = subject.value()
        self.start.learn()
        return found

    def _own_inputs(self) -> Any:
        """The inputs, those that are moved cloned: a module may write to what it is given."""
        leaves = list(self.leaves)
        for slot in self.slots:
            if slot.number is not None:
                leaves[slot.number] = self.instead.get(slot.name, slot.tensor).clone()
        return joined(self.spec, leaves)

    @contextlib.contextmanager
    def swapped(self, slot: Slot, tensor: Any) -> Iterator[None]:
        """Let another tensor stand for that of a slot meanwhile, wherever modules hold it."""
        places = [
            (part._parameters, name)
            for module in self.subject.modules
            for part in module.modules()
            for name, held in part._parameters.items()
            if held is slot.tensor
        ]
        try:
            self.instead[slot.name] = tensor
            for held, name in places:
                held[name] = tensor
            yield
        finally:
            del self.instead[slot.name]
            for held, name in places:
                held[name] = slot.tensor

    def for_worker(self) -> LossCost:
        """A twin with a module of its own."""
        return copy.deepcopy(self)


NO_GRAPH = (
    "the loss does not require grad: autograd has no graph from it to the parameters. Look for .detach(), "
    ".item(), .data, torch.no_grad() or NumPy on the way from the parameters to the loss"
)


def require_scalar(value: Any) -> Any:
    """The loss, seen to be one real number in a tensor.

    Raises
    ------
    InputError
        For anything else.
    """
    import torch

    if not isinstance(value, torch.Tensor):
        raise InputError(
            "the loss must return a tensor with one number, as backward() takes it; got a "
            f"{type(value).__name__}",
            code="FG807",
        )
    if value.numel() != 1:
        raise InputError(
            f"the loss must return one number; got a tensor of shape {tuple(value.shape)}. Sum it or take "
            'its mean: reduction="mean" instead of "none", or .sum()',
            code="FG807",
        )
    if value.is_complex():
        raise InputError(
            "the loss must return a real number; got a complex tensor. Return its .abs() or .real",
            code="FG807",
        )
    if not value.is_floating_point():
        raise InputError(f"the loss must return a floating-point number; got {value.dtype}", code="FG807")
    return value


def as_number(value: Any) -> float | np.floating[Any]:
    """The loss as a Python float, or as a NumPy number where its precision is lower."""
    import torch

    value = require_scalar(value)
    number = value.item()
    if value.dtype is torch.float64:
        return float(number)
    return np.float32(number) if value.dtype is not torch.float16 else np.float16(number)


def devices_of(subject: Subject) -> list[Any]:
    """The devices of all tensors."""
    found = {t.device for t in subject.tensors()}
    for module in subject.modules:
        found |= {t.device for t in (*module.parameters(), *module.buffers())}
    return list(found)
