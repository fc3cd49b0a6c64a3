"""Which tensors of a module are checked, and the names of their blocks.

A `Slot` is one tensor whose numbers a check moves: a parameter that requires a gradient, or a tensor among
the inputs. Its block has the name that torch prints, so that a report says `0.weight[19, 38]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import optree

from fastgrad.errors import InputError
from fastgrad.problem.structure import NAMESPACE

COMPLEX = "of complex tensors the last index is 0 for the real part, 1 for the imaginary one"


@dataclass(frozen=True, eq=False)
class Slot:
    """One tensor whose numbers are moved.

    Parameters
    ----------
    name : of its block
    tensor : torch.Tensor, a leaf
    number : its place among the leaves of the inputs; None for a parameter
    """

    name: str
    tensor: Any
    number: int | None = None

    @cached_property
    def is_complex(self) -> bool:
        """Whether its numbers are complex: its block then has one more axis, of length 2."""
        return bool(self.tensor.is_complex())

    def to_block(self, tensor: Any) -> npt.NDArray[Any]:
        """The numbers of a tensor of this slot as a block, copied."""
        import torch

        tensor = tensor.detach().resolve_conj()
        real = torch.view_as_real(tensor) if tensor.is_complex() else tensor
        if real.dtype.itemsize < 4:  # bfloat16, which NumPy does not have, and float16
            real = real.float()
        return np.array(real.numpy(force=True), order="C")

    def from_block(self, block: npt.NDArray[Any]) -> Any:
        """The tensor of a block's numbers, which shares their memory where it `fits`."""
        import torch

        tensor = torch.from_numpy(block)
        if self.is_complex:
            tensor = torch.view_as_complex(tensor)
        return tensor if self.fits(block) else tensor.to(self.tensor.device, self.tensor.dtype)

    def fits(self, block: npt.NDArray[Any]) -> bool:
        """Whether the tensor of a block shares its memory: on the CPU, and of the same dtype."""
        fitting = self._dtype_that_fits
        return fitting is not None and fitting == block.dtype  # None equals float64, says NumPy

    @cached_property
    def _dtype_that_fits(self) -> np.dtype[Any] | None:
        import torch

        double, single = np.dtype(np.float64), np.dtype(np.float32)
        known: dict[Any, np.dtype[Any]] = {torch.float64: double, torch.float32: single}
        return known.get(self.tensor.dtype.to_real()) if self.tensor.device.type == "cpu" else None


def parameter_slots(module: Any) -> list[Slot]:
    """The parameters that require a gradient, a shared one once, by the first of its names."""
    return [Slot(name, p) for name, p in module.named_parameters() if p.requires_grad]


def frozen_names(module: Any) -> list[str]:
    """The names of parameters that require no gradient."""
    return [name for name, p in module.named_parameters() if not p.requires_grad]


def input_slots(leaves: Sequence[Any], names: Sequence[str], taken: Sequence[Slot]) -> list[Slot]:
    """The floating-point and complex tensors among the leaves of the inputs.

    Parameters
    ----------
    leaves : of the inputs, as `flatten_data` gives them
    names : of the leaves
    taken : the slots of the parameters, whose names are not used again

    Raises
    ------
    InputError
        Where there is no such tensor.
    """
    used = {slot.name for slot in taken}
    found = []
    for number, (leaf, name) in enumerate(zip(leaves, names, strict=True)):
        if not is_differentiable(leaf):
            continue
        while name in used:
            name = f"the {name}"
        used.add(name)
        found.append(Slot(name, leaf, number))
    if not found:
        raise InputError(
            "inputs=True checks the gradient by the inputs too, and there is no floating-point tensor among "
            "them: leave it out",
            code="FG804",
        )
    return found


def is_differentiable(leaf: object) -> bool:
    """Whether a leaf is a tensor of real or complex floating-point numbers."""
    import torch

    return isinstance(leaf, torch.Tensor) and (leaf.is_floating_point() or leaf.is_complex())


def flatten_data(data: Any, root: str) -> tuple[list[Any], list[str], Any]:
    """The leaves of inputs or targets, their names, and the optree spec that puts them together again.

    Parameters
    ----------
    data : a tensor, or a nesting of dicts, lists and tuples; anything else is a leaf
    root : what the names begin with
    """
    with optree.dict_insertion_ordered(True, namespace=NAMESPACE):
        leaves, spec = optree.tree_flatten(data, none_is_leaf=True, namespace=NAMESPACE)
    names = [root + "".join(_entry(e) for e in a) for a in optree.treespec_accessors(spec)]
    return leaves, names, spec


def flatten_leaves(data: Any) -> list[Any]:
    """The leaves that `flatten_data` gives, without their names."""
    with optree.dict_insertion_ordered(True, namespace=NAMESPACE):
        return optree.tree_leaves(data, none_is_leaf=True, namespace=NAMESPACE)


def joined(spec: Any, leaves: Sequence[Any]) -> Any:
    """The nesting that `flatten_data` took apart, with these leaves."""
    with optree.dict_insertion_ordered(True, namespace=NAMESPACE):
        return optree.tree_unflatten(spec, leaves)


def _entry(entry: Any) -> str:
    if isinstance(entry, optree.NamedTupleEntry):
        return f".{entry.field}"
    return f"[{entry.entry!r}]"
