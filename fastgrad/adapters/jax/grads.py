"""check_grads: what jax.test_util.check_grads asks, answered for each coordinate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Unpack

import numpy as np

from fastgrad.adapters.jax.claims import ClaimedGradient
from fastgrad.adapters.jax.errors import first_line
from fastgrad.adapters.jax.forward import Forward, forward_that_works
from fastgrad.adapters.jax.function import require_options
from fastgrad.adapters.jax.judged import Judged
from fastgrad.adapters.jax.orders import Derivative, check_order, derivatives
from fastgrad.adapters.jax.pytree import Pytree
from fastgrad.adapters.jax.subject import Call, Subject
from fastgrad.adapters.jax.weights import weights_of
from fastgrad.errors import InputError
from fastgrad.options import CheckOptions, takes_options
from fastgrad.printable import shown_name
from fastgrad.report.report import GradientError, Report


@takes_options
def check_grads(
    f: Callable[..., Any],
    args: Sequence[Any],
    order: int,
    modes: Sequence[str] = ("fwd", "rev"),
    atol: Any = None,
    rtol: Any = None,
    eps: float | None = None,
    **options: Unpack[CheckOptions],
) -> tuple[Report, ...]:
    """Check derivatives of f as jax.test_util.check_grads does, with a verdict on each coordinate.

    Parameters
    ----------
    f : callable(*args) -> pytree of arrays
    args : what f takes, as a tuple of pytrees
    order : derivatives up to this order are checked, 1 or more
    modes : "fwd" for jax.jvp, "rev" for jax.vjp, "lin" for jax.linearize
    atol, rtol : None for error bounds; floats, or by dtype as in jax, let |claimed - numeric| <= atol +
        rtol |numeric| pass, whatever the size of the arrays
    eps : taken so that calls need no change, and not used: steps follow from what f rounds by
    options : each a keyword of its own

    Returns
    -------
    tuple of Report
        One for each mode and order.

    Raises
    ------
    GradientError
        An AssertionError, with the first report that does not agree.
    InputError
        When f cannot be checked as it was given; the message says what to try.
    """
    check_order(order, modes)
    require_options(f, tuple(args), options)
    given = Pytree.of(tuple(args), "args")
    subject = Call(given, ()).subject(lambda given: f(*given))
    reports = []
    for derivative in derivatives(subject, int(order), tuple(modes)):
        report = _checked(derivative, dict(options))
        reports.append(report)
        if not report.passed and not _within(report, *_tolerances(subject, atol, rtol)):
            error = GradientError(report)
            error.add_note(f"check_grads: {derivative.label} of {_name(f)}")
            raise error
    return tuple(reports)


def _checked(derivative: Derivative, options: dict[str, Any]) -> Report:
    """The report of one derivative."""
    subject, claim = derivative.subject, derivative.claim
    weights = weights_of(subject, options)
    if isinstance(claim, Forward):
        claim = forward_that_works(claim, subject, weights)
    try:
        ClaimedGradient(claim, subject, weights, False).at(subject.values)
    except TypeError as error:
        raise InputError(f"{derivative.label}: jax raises {first_line(error)}{_advice(error)}") from error
    report = Judged(subject, weights, claim, options).report()
    return replace(report, notes=(f"check_grads: {derivative.label}, {WEIGHTED}", *report.notes))


WEIGHTED = "as the gradient of one random combination of its outputs"


def _advice(error: Exception) -> str:
    """What to write where a function has no forward mode."""
    return '. Pass modes=("rev",)' if "custom_vjp" in str(error) else ""


def _tolerances(subject: Subject, atol: Any, rtol: Any) -> tuple[float, float]:
    """The tolerances as numbers; where they are given by dtype, those of the shortest float."""
    return _tolerance(subject, atol), _tolerance(subject, rtol)


def _tolerance(subject: Subject, given: Any) -> float:
    if not isinstance(given, dict):
        return 0.0 if given is None else float(given)
    by_name = {np.dtype(dtype).name: value for dtype, value in given.items()}
    return float(max((by_name.get(dtype, 0.0) for dtype in subject.dtypes), default=0.0))


def _within(report: Report, atol: float, rtol: float) -> bool:
    """Whether all that is wrong or undecided is within given tolerances, with its error bound."""
    if not (atol or rtol) or report.stopped:
        return False
    found = [*report.wrong, *report.undecided]
    return bool(found) and all(
        f.absolute_error + f.error_bound <= atol + rtol * abs(f.numeric) for f in found
    )


def _name(f: Any) -> str:
    return shown_name(getattr(f, "__name__", type(f).__name__))
