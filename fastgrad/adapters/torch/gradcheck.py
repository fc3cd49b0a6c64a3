"""gradcheck and gradgradcheck, spelt as in torch.autograd, with the verdict of fastgrad."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fastgrad.adapters.torch.alone import differs_alone, each_alone
from fastgrad.adapters.torch.at_once import is_right_at_once
from fastgrad.adapters.torch.backward_rules import (
    batched_forward,
    batched_gradients,
    gradient_dtypes,
    reentrant,
    undefined_gradients,
)
from fastgrad.adapters.torch.failure import failure, failure_class
from fastgrad.adapters.torch.function import Functions, devices_of, functions_of, places_moved
from fastgrad.adapters.torch.names import flatten_data, is_differentiable
from fastgrad.adapters.torch.state import generators_kept, graphs_recorded
from fastgrad.adapters.torch.tensor_function import TensorFunction
from fastgrad.adapters.torch.threads import threads_held
from fastgrad.adapters.torch.tolerances import Tolerances
from fastgrad.errors import InputError
from fastgrad.printable import printable
from fastgrad.report.report import Report
from fastgrad.vector.products import check_jvp, check_vjp

SEED = 0
"""Of all random choices: the same call gives the same answer."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Check gradients as torch.autograd.gradcheck does, by error bounds in place of fixed tolerances.

    Parameters
    ----------
    func : callable of tensors that returns a tensor or tensors
    inputs : a tensor or a sequence of arguments; the tensors that require grad are checked
    eps : the step with which entries are looked at once more where atol or rtol is given; other steps are
        chosen by fastgrad
    atol, rtol : where other values than torch's defaults are given, what is off by at most atol + rtol times
        the numerical value passes
    raise_exception : False to return False in place of an error
    nondet_tol : how far two backward passes may be apart
    check_undefined_grad : whether undefined gradients of outputs are tried
    check_grad_dtypes : whether gradients must have the dtype of their tensor
    check_batched_grad, check_batched_forward_grad : whether both modes are tried under vmap
    check_forward_ad, check_backward_ad : the modes that are checked
    fast_mode, masked : accepted and not needed: all entries are checked always, and all tensors are dense

    Returns
    -------
    bool
        True; False where raise_exception=False and something is wrong or undecided.

    Raises
    ------
    GradcheckError
        Of torch, with the report in `.report`.
    InputError
        When the function cannot be checked as it was given; the message says what to try.
    """
    del fast_mode, masked
    if not (check_backward_ad or check_forward_ad):
        raise InputError(
            "check_backward_ad and check_forward_ad are both False: nothing is left to check", code="FG810"
        )
    inputs = inputs if _is_tensor(inputs) else tuple(inputs)
    _require_some(inputs)
    tolerances = Tolerances(atol, rtol, eps)
    try:
        with generators_kept(devices_of(inputs)), graphs_recorded():
            functions = functions_of(func, inputs, places_moved(inputs))
            precise = functions.precise
            if not all(sum(b.size for b in some.values()) for some in (precise.at, precise(precise.at))):
                return True  # there is no entry that could be wrong
            with threads_held(lambda: precise(precise.at)):
                if check_backward_ad:
                    reentrant(precise, nondet_tol)
                    if functions.own is not None or in_doubt(precise):
                        _require_right(functions, _by_backward(functions), tolerances)
                if check_forward_ad:
                    _require_right(functions, _by_forward(functions), tolerances)
                for wanted, look in (
                    (check_undefined_grad and check_backward_ad, undefined_gradients),
                    (check_grad_dtypes and check_backward_ad, gradient_dtypes),
                    (check_batched_grad and check_backward_ad, batched_gradients),
                    (check_batched_forward_grad and check_forward_ad, batched_forward),
                ):
                    if wanted:
                        look(functions.own or precise)
    except failure_class():
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Check second derivatives as torch.autograd.gradgradcheck does: the gradient of the backward pass.

    Parameters
    ----------
    func, inputs : as for gradcheck
    grad_outputs : what the backward pass gets; drawn at random where it is not given
    eps, atol, rtol : as for gradcheck
    gen_non_contig_grad_outputs : whether those drawn are not contiguous
    raise_exception, nondet_tol, check_undefined_grad : as for gradcheck
    check_grad_dtypes, check_batched_grad : as for gradcheck
    check_fwd_over_rev, check_rev_over_rev : by which mode the backward pass is differentiated
    fast_mode, masked : as for gradcheck

    Returns
    -------
    bool
        As gradcheck; in its report the last inputs are the grad_outputs.

    Raises
    ------
    GradcheckError, InputError
        As for gradcheck.
    """
    given = (inputs,) if _is_tensor(inputs) else tuple(inputs)
    _require_some(given)
    upstream = _upstream(func, given, grad_outputs, gen_non_contig_grad_outputs)
    return gradcheck(
        Backward(func, len(upstream)),
        (*given, *upstream),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad,
        check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev,
        fast_mode=fast_mode,
        masked=masked,
    )


@dataclass(frozen=True)
class Backward:
    """The backward pass of a function, as a function of its inputs and of the gradients of its outputs.

    Parameters
    ----------
    func : the function
    count : how many outputs have a gradient: the last so many arguments
    """

    func: Callable[..., Any]
    count: int

    def __call__(self, *given: Any) -> tuple[Any, ...]:
        """The gradients by the inputs that require grad, those that are not None."""
        import torch

        inputs, upstream = given[: len(given) - self.count], given[len(given) - self.count :]
        outputs = differentiable(self.func(*inputs))
        moved = [one for one in inputs if _is_tensor(one) and one.requires_grad]
        found = torch.autograd.grad(outputs, moved, upstream, create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)


def differentiable(returned: Any) -> list[Any]:
    """The outputs that require grad."""
    return [one for one in flatten_data(returned, "")[0] if is_differentiable(one) and one.requires_grad]


def in_doubt(precise: TensorFunction) -> bool:
    """Whether the backward pass is not seen at once to be right.

    Parameters
    ----------
    precise : the function in double precision
    """
    return not is_right_at_once(precise, SEED) or differs_alone(precise)


def _by_backward(functions: Functions) -> Report:
    precise = functions.precise
    report = each_alone(precise, lambda: check_vjp(precise, precise.vjp, precise.at, seed=SEED))
    return functions.completed(report, SEED)


def _by_forward(functions: Functions) -> Report:
    precise = functions.precise
    try:
        precise.jvp(precise.at, precise.at)
    except NotImplementedError as error:
        raise failure(f"forward mode is not implemented: {printable(str(error))}") from error
    return check_jvp(precise, precise.jvp, precise.at, seed=SEED)


def _require_right(functions: Functions, report: Report, tolerances: Tolerances) -> None:
    """Raise the error of a report that does not pass, unless the tolerances that were given let it."""
    if not report.passed and not tolerances.allow(functions.precise, report):
        if report.revisit is not None:
            report.revisit.let_go()  # whoever keeps the exception keeps no graph
        raise failure(f"\n{report}", report)


def _require_some(inputs: Any) -> None:
    leaves = flatten_data(inputs, "")[0]
    if not any(_is_tensor(leaf) and leaf.requires_grad for leaf in leaves):
        raise InputError(
            "gradcheck expects at least one input tensor to require gradient: call .requires_grad_() on "
            "those that are to be checked",
            code="FG804",
        )


def _upstream(
    func: Callable[..., Any], given: Sequence[Any], grad_outputs: Any, apart: bool
) -> tuple[Any, ...]:
    """The gradients of the outputs, all of which require grad."""
    import torch

    if grad_outputs is not None:
        some = (grad_outputs,) if _is_tensor(grad_outputs) else tuple(grad_outputs)
        return tuple(one for one in some if one is not None)
    with generators_kept(devices_of(given)), graphs_recorded():
        outputs = differentiable(func(*given))
    if not outputs:
        raise InputError("no output requires grad: there is no backward pass to differentiate", code="FG808")
    generator = torch.Generator().manual_seed(SEED)
    return tuple(_drawn(output, generator, apart).requires_grad_() for output in outputs)


def _drawn(output: Any, generator: Any, apart: bool) -> Any:
    """Random numbers from -1 to 1 in the shape of an output."""
    import torch

    shape = (*output.shape, 2) if apart else tuple(output.shape)
    precision = torch.complex128 if output.is_complex() else torch.float64
    made = torch.rand(shape, generator=generator, dtype=precision)
    made = (2 * made - (1 + 1j if output.is_complex() else 1)).to(output.device, output.dtype)
    return (made[..., 0] if apart else made).detach()


def _is_tensor(value: object) -> bool:
    import torch

    return isinstance(value, torch.Tensor)
