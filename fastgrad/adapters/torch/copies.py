"""Copies of a module, its loss and its data, in their own precision or in another one.

Only copies are moved and called: the user's module is read, and nothing else.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastgrad.adapters.torch.names import flatten_data, is_differentiable, joined
from fastgrad.adapters.torch.state import same_every_time


@dataclass(frozen=True, eq=False)
class Subject:
    """A module, a loss and their data, as they are called.

    Parameters
    ----------
    module : torch Module
    loss : callable
    inputs, targets : the data; unused where `takes` says so
    takes : "module" for loss(module), "output" for loss(module(inputs)), "both" with the targets
    """

    module: Any
    loss: Any
    inputs: Any
    targets: Any
    takes: str

    def value(self) -> Any:
        """What the loss returns."""
        if self.takes == "module":
            return self.loss(self.module)
        output = self.output()
        return self.loss(output) if self.takes == "output" else self.loss(output, self.targets)

    def output(self) -> Any:
        """What the module returns."""
        if isinstance(self.inputs, Mapping):
            return self.module(**self.inputs)
        if isinstance(self.inputs, tuple):
            return self.module(*self.inputs)
        return self.module(self.inputs)

    @property
    def modules(self) -> list[Any]:
        """The module, and the loss if that is one too."""
        import torch

        return [part for part in (self.module, self.loss) if isinstance(part, torch.nn.Module)]

    def tensors(self) -> list[Any]:
        """The tensors among inputs and targets."""
        import torch

        leaves = flatten_data((self.inputs, self.targets), "")[0]
        return [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]


def copied(subject: Subject, precision: Any) -> Subject:
    """A copy of all of it, floating-point numbers in another precision.

    Parameters
    ----------
    subject : Subject
    precision : torch.float64, torch.float32 or so; None for what each tensor has

    Raises
    ------
    RuntimeError
        By torch, for a module that holds tensors which it cannot copy.
    """
    memo: dict[int, Any] = {}
    parts = copy.deepcopy([subject.module, *subject.modules[1:]], memo)
    for part in parts:
        _with_hooks(part, subject.module if part is parts[0] else subject.loss)
        if precision is not None:
            in_precision(part, precision)
        same_every_time(part)
    loss = parts[1] if len(parts) > 1 else subject.loss
    inputs, targets = (data_copied(data, precision) for data in (subject.inputs, subject.targets))
    return Subject(parts[0], loss, inputs, targets, subject.takes)


def module_copied(module: Any, precision: Any) -> Any:
    """A copy of a module, floating-point numbers in another precision.

    Parameters
    ----------
    module : torch Module
    precision : as for `copied`
    """
    return copied(Subject(module, None, (), None, "module"), precision).module


def data_copied(data: Any, precision: Any) -> Any:
    """Inputs or targets with each tensor copied, floating-point ones in that precision."""
    import torch

    leaves, _, spec = flatten_data(data, "")
    made = []
    for leaf in leaves:
        if isinstance(leaf, torch.Tensor):
            own = leaf.detach().clone()
            if precision is not None and is_differentiable(leaf):
                own = own.to(_wide(leaf.dtype, precision))
            leaf = own
        made.append(leaf)
    return joined(spec, made)


def in_precision(module: Any, precision: Any) -> None:
    """Change all floating-point numbers that a module holds; also those of attributes that are no buffers.

    Parameters
    ----------
    module : torch Module, which is changed in place
    precision : torch.float64 or so
    """
    module._apply(lambda t: t.to(_wide(t.dtype, precision)) if is_differentiable(t) else t)
    for part in module.modules():
        for name, value in vars(part).items():
            if is_differentiable(value):
                vars(part)[name] = value.to(_wide(value.dtype, precision))


def _wide(dtype: Any, precision: Any) -> Any:
    """The dtype of that precision, complex for a complex one."""
    return precision.to_complex() if dtype.is_complex else precision


def _with_hooks(part: Any, original: Any) -> None:
    """Register the hooks of the original's parameters, which a copy does not have."""
    for mine, theirs in zip(part.parameters(), original.parameters(), strict=True):
        for hook in (theirs._backward_hooks or {}).values():
            mine.register_hook(hook)
