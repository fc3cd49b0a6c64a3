"""check_module: what autograd gives for the parameters of a module, against differences of its loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Unpack

from fastgrad.adapters.torch.loss_cost import devices_of
from fastgrad.adapters.torch.names import COMPLEX, frozen_names
from fastgrad.adapters.torch.own_precision import precisions_of
from fastgrad.adapters.torch.refusals import require_checkable, subject_of
from fastgrad.adapters.torch.state import generators_kept
from fastgrad.adapters.torch.threads import threads_held
from fastgrad.adapters.torch.ways import WAYS
from fastgrad.checks import check
from fastgrad.options import CheckOptions, takes_options
from fastgrad.printable import shown_names
from fastgrad.problem.problem import Problem
from fastgrad.report.report import Report


@takes_options
def check_module(
    module: Any,
    loss: Callable[..., Any],
    data: Any = None,
    *,
    inputs: bool = False,
    **options: Unpack[CheckOptions],
) -> Report:
    """Check what autograd gives for each parameter of a torch Module against differences of its loss.

    The module is copied, and the copy is moved; parameters, gradients, buffers, generators and flags of the
    module stay as they are.

    Parameters
    ----------
    module : torch.nn.Module in the mode, training or not, in which it is to be checked
    loss : callable(module(inputs), targets) -> tensor with one number, such as torch.nn.CrossEntropyLoss();
        with data=(inputs,) callable(module(inputs)); without data callable(module)
    data : (inputs, targets), or (inputs,), or None. Inputs are a tensor, a tuple for module(*inputs) or a
        dict for module(**inputs)
    inputs : whether the gradient by the inputs is checked too
    options : each a keyword of its own

    Returns
    -------
    Report
        Its blocks have the names of module.named_parameters(), and inputs, inputs[0] or inputs['name'].

    Raises
    ------
    InputError
        When the module cannot be checked as it was given; the message says what to try.
    """
    subject = subject_of(module, loss, data)
    require_checkable(subject, inputs)
    with generators_kept(devices_of(subject)), precisions_of(subject, inputs) as chosen:
        cost = chosen.cost
        with threads_held(lambda: cost(cost.at)):
            report = check(Problem(cost, cost.gradient, cost.at, structure=WAYS), **options)
            report = chosen.completed(report, options.get("seed", 0))
        notes = (COMPLEX,) * any(slot.is_complex for slot in cost.slots)
    return replace(report, notes=(*report.notes, *notes, *_frozen(module)))


def _frozen(module: Any) -> tuple[str, ...]:
    frozen = frozen_names(module)
    if not frozen:
        return ()
    named = ", ".join(shown_names(frozen[:5])) + (f" and {len(frozen) - 5} more" if len(frozen) > 5 else "")
    return (f"not checked, since they do not require grad: {named}",)
