"""What cannot be checked as it was given, said in torch's terms before anything is called."""

from __future__ import annotations

from typing import Any

from fastgrad.adapters.torch.copies import Subject
from fastgrad.errors import InputError
from fastgrad.printable import shown_name
from fastgrad.problem.describe import describe

DATA = (
    "data is (inputs, targets) for loss(module(inputs), targets), (inputs,) for loss(module(inputs)), or "
    "left out for loss(module)"
)


def subject_of(module: Any, loss: Any, data: Any) -> Subject:
    """The module, its loss and its data, as they are to be called.

    Raises
    ------
    InputError
        For a module or a loss that is none, and for data that is no pair.
    """
    import torch

    if not isinstance(module, torch.nn.Module):
        raise InputError(
            f"check_module takes a torch.nn.Module; got {describe(module)}. For a function of tensors there "
            "is check_function(fn, inputs)",
            code="FG801",
        )
    if not callable(loss):
        raise InputError(
            f"the loss must be callable, such as torch.nn.MSELoss(); got {describe(loss)}", code="FG201"
        )
    if data is None:
        return Subject(module, loss, (), None, "module")
    if not isinstance(data, tuple | list) or len(data) not in (1, 2):
        raise InputError(f"{DATA}; got {describe(data)}", code="FG802")
    if len(data) == 1:
        return Subject(module, loss, data[0], None, "output")
    return Subject(module, loss, data[0], data[1], "both")


def require_checkable(subject: Subject, by_inputs: bool) -> None:
    """Refuse modules and data of which no differences can be taken.

    Raises
    ------
    InputError
        For quantised and uninitialised modules, for those without a parameter that requires grad, and for
        tensors without numbers, on several devices or in a sparse layout.
    """
    import torch

    named = list(subject.module.named_parameters())
    for name, p in named:
        if isinstance(p, torch.nn.parameter.UninitializedTensorMixin):
            raise InputError(
                f"parameter {shown_name(name)} is not initialised yet: call the lazy module once, "
                "module(inputs), before it is checked",
                code="FG803",
            )
        require_dense(p, f"parameter {shown_name(name)}")
    _refuse_quantised(subject.module)
    for tensor in subject.tensors():
        require_dense(tensor, "a tensor of the data")
    _require_one_device(subject, named)
    if not by_inputs and not any(p.requires_grad for _, p in named):
        raise InputError(_nothing_to_check(named), code="FG804")


def _nothing_to_check(named: list[tuple[str, Any]]) -> str:
    if not named:
        return "the module has no parameters: say inputs=True to check the gradient by its inputs"
    return (
        "no parameter of the module requires grad: all are frozen. Call module.requires_grad_(), or say "
        "inputs=True to check the gradient by the inputs"
    )


def require_dense(tensor: Any, what: str) -> None:
    """Refuse a tensor without numbers, or in a sparse layout.

    Parameters
    ----------
    tensor : of the user's
    what : how the message calls it

    Raises
    ------
    InputError
        Saying what to pass.
    """
    import torch

    if tensor.device.type == "meta":
        raise InputError(
            f"{what} is on the meta device: it has no numbers. Use module.to_empty and load some",
            code="FG109",
        )
    if tensor.layout is not torch.strided:
        raise InputError(
            f"{what} is sparse ({tensor.layout}): differences are taken of dense tensors. Pass .to_dense()",
            code="FG107",
        )


def _refuse_quantised(module: Any) -> None:
    for name, part in module.named_modules():
        if "quantized" in type(part).__module__:
            where = f"{shown_name(name)} is" if name else "the module is"
            raise InputError(
                f"{where} quantised ({type(part).__name__}): its parameters are integers, which have no "
                "gradient. Check the module before it is converted",
                code="FG805",
            )


def _require_one_device(subject: Subject, named: list[tuple[str, Any]]) -> None:
    if not named:
        return
    devices = {p.device for _, p in named}
    for tensor in subject.tensors():
        if tensor.device not in devices and tensor.dim():  # a number may stay on the CPU
            raise InputError(
                f"the data is on {tensor.device} and the parameters on {named[0][1].device}: move the data "
                f"with .to({str(named[0][1].device)!r})",
                code="FG806",
            )
