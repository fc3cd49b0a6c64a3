"""Tensors of torch, which is imported only when one comes.

A tensor is made again for each call, as a leaf of its own that shares the memory of the working copy (on
another device than the CPU: a copy there). So what a call leaves in .grad is gone at the next one.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.errors import InputError
from fastgrad.problem.describe import describe
from fastgrad.problem.kinds.form import Form

_MODULE = (
    "{what} is a torch Module: pass its tensors, dict(net.named_parameters()), and call it in the cost as "
    "torch.func.functional_call(net, params, (X,))"
)


def form_of(value: Any, what: str) -> Form | None:
    """The form of a tensor; None for anything else of torch.

    Raises
    ------
    InputError
        For a torch Module, and for a tensor that is not a dense one of float32 or float64 numbers.
    """
    import torch

    if isinstance(value, torch.nn.Module):
        raise InputError(_MODULE.format(what=what))
    if not isinstance(value, torch.Tensor):
        return None
    if value.layout is not torch.strided:
        raise InputError(f"{what} must be a dense tensor; got {describe(value)}. Pass .to_dense()")
    if value.dtype not in (torch.float32, torch.float64):
        raise InputError(
            f"{what} must be a float32 or float64 tensor; got {describe(value)}. {_dtype_advice(value)}"
        )
    if value.device.type == "meta":
        raise InputError(f"{what} is on the meta device: it has no numbers")
    kind = type(value)
    return Form("a tensor", partial(_tensor, str(value.device), value.requires_grad, kind), takes_batch=True)


def to_array(value: Any, what: str) -> npt.NDArray[Any] | None:
    """The numbers of a tensor on any device, without its graph; None for anything else of torch.

    bfloat16, which NumPy does not have, becomes float32.
    """
    del what
    import torch

    if not isinstance(value, torch.Tensor):
        return None
    value = value.detach()
    if value.layout is not torch.strided:
        value = value.to_dense()
    if value.dtype.is_floating_point and value.dtype.itemsize < 4 and value.dtype is not torch.float16:
        value = value.float()
    return np.asarray(value.numpy(force=True))


def _dtype_advice(value: Any) -> str:
    if value.dtype.is_complex:
        return "Pass its real and imaginary parts as two blocks, torch.view_as_real(...) for instance"
    if value.dtype.is_floating_point:
        return "Differences of a cost in half precision show next to nothing: pass .float() or .double()"
    return "An integer cannot be perturbed: pass .double() if it is a parameter"


def _tensor(device: str, requires_grad: bool, kind: type, array: npt.NDArray[Any]) -> Any:
    import torch

    found = torch.from_numpy(array)
    if device != "cpu":
        found = found.to(device)
    if kind is torch.nn.Parameter:
        return torch.nn.Parameter(found, requires_grad=requires_grad)
    if kind is not torch.Tensor:
        found = found.as_subclass(kind)
    return found.requires_grad_() if requires_grad else found
