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
from fastgrad.problem.kinds.complex_parts import complex_form
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
        raise InputError(_MODULE.format(what=what), code="FG108")
    if not isinstance(value, torch.Tensor):
        return None
    if value.layout is not torch.strided:
        raise InputError(
            f"{what} must be a dense tensor; got {describe(value)}. Pass .to_dense()", code="FG107"
        )
    is_complex = value.dtype in (torch.complex64, torch.complex128)
    if value.dtype not in (torch.float32, torch.float64) and not is_complex:
        raise InputError(
            f"{what} must be a float32 or float64 tensor; got {describe(value)}. {_dtype_advice(value)}",
            code="FG101",
        )
    if value.device.type == "meta":
        raise InputError(f"{what} is on the meta device: it has no numbers", code="FG109")
    kind = type(value)
    if is_complex:
        rebuild = partial(_complex_tensor, str(value.device), value.requires_grad, kind)
        return complex_form("a complex tensor", rebuild)
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
        return "Pass .to(torch.complex64) or torch.complex128"
    if value.dtype.is_floating_point:
        return "Differences of a cost in half precision show next to nothing: pass .float() or .double()"
    return "An integer cannot be perturbed: pass .double() if it is a parameter"


def _tensor(device: str, requires_grad: bool, kind: type, array: npt.NDArray[Any]) -> Any:
    import torch

    return _made(torch.from_numpy(array), device, requires_grad, kind)


def _complex_tensor(device: str, requires_grad: bool, kind: type, parts: npt.NDArray[Any]) -> Any:
    import torch

    return _made(torch.view_as_complex(torch.from_numpy(parts)), device, requires_grad, kind)


def _made(found: Any, device: str, requires_grad: bool, kind: type) -> Any:
    import torch

    if device != "cpu":
        found = found.to(device)
    if kind is torch.nn.Parameter:
        return torch.nn.Parameter(found, requires_grad=requires_grad)
    if kind is not torch.Tensor:
        found = found.as_subclass(kind)
    return found.requires_grad_() if requires_grad else found
