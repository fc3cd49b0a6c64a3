"""check_function: the gradient of a scalar function of a pytree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

import jax
import jax.numpy as jnp
import numpy as np

from fastgrad.adapters.jax.claims import Claim, Given, Reverse, Values
from fastgrad.adapters.jax.judged import Judged
from fastgrad.adapters.jax.precision import is_inexact
from fastgrad.adapters.jax.pytree import Pytree, require_no_tracer
from fastgrad.adapters.jax.subject import Call
from fastgrad.errors import InputError
from fastgrad.options import CheckOptions, takes_options
from fastgrad.printable import shortened
from fastgrad.problem.describe import describe, repr_of
from fastgrad.report.report import Report


@takes_options
def check_function(
    fn: Callable[..., Any],
    params: Any,
    *,
    args: tuple[Any, ...] = (),
    gradient: Any = None,
    float64: bool = True,
    **options: Unpack[CheckOptions],
) -> Report:
    """Check jax.grad of a scalar function of a pytree, or another gradient of it, by finite differences.

    Parameters
    ----------
    fn : callable(params, *args) -> scalar, as jax.grad takes it; custom_vjp and custom_jvp are under test
    params : pytree of arrays; each leaf of floats or complex numbers is checked, and named by its path
    args : whatever else fn takes, as a tuple; arrays among them may be traced
    gradient : None for jax.grad(fn); or callable(params, *args) -> pytree like params, or such a pytree
    float64 : whether differences are taken in float64 whatever jax is set to; the gradient in the precision
        of params is then compared with the one in float64. False: all in the precision of params
    options : each a keyword of its own

    Returns
    -------
    Report
        Its first witness says what was found in float64, and in the precision of params.

    Raises
    ------
    InputError
        When the function or its gradient cannot be checked as it was given; the message says what to try.
    """
    require_options(fn, args, options)
    call = Call(Pytree.of(params, "params"), args)
    _require_scalar(call, fn)
    return Judged(call.subject(fn), [np.ones(())], _claim(gradient, call), options, float64).report()


def require_options(fn: Any, args: Any, options: Any) -> None:
    """Refuse what is no function, no tuple of args, and options that are not for JAX."""
    if not callable(fn):
        raise InputError(
            f"fn must be callable as fn(params, *args); got {shortened(repr_of(fn))}", code="FG201"
        )
    if not isinstance(args, tuple):
        raise InputError(
            f"args must be a tuple, as in args=(X, y); got a {type(args).__name__}", code="FG113"
        )
    if "vectorized" in options:
        raise InputError(
            "leave vectorized= out: fn is batched by jax.vmap, and takes one pytree itself", code="FG224"
        )
    if options.get("method") == "complex":
        raise InputError(
            'method="complex" is not for JAX: in float64 method="central" sees far enough', code="FG820"
        )


def _require_scalar(call: Call, fn: Callable[..., Any]) -> None:
    """Refuse what jax.grad refuses: outputs that are no real scalar."""
    subject = call.subject(fn)
    with subject.context(False):
        out = call(fn, subject.arrays(subject.values, False), subject.data)
    leaves = jax.tree_util.tree_leaves(out)
    if isinstance(out, tuple) and len(out) == 2 and len(leaves) and np.shape(leaves[0]) == ():
        raise InputError(
            "fn returns a pair, as for jax.grad(fn, has_aux=True): pass the loss alone, lambda p, *args: "
            "fn(p, *args)[0]",
            code="FG821",
        )
    if len(leaves) != 1 or leaves[0] is not out:
        raise InputError(
            f"fn must return one scalar, as for jax.grad; got {describe(out)}. {VECTORS}", code="FG821"
        )
    array = jnp.asarray(out)
    if array.shape:
        raise InputError(
            f"fn must return a scalar, as for jax.grad; got shape {array.shape}. {VECTORS}", code="FG821"
        )
    if not is_inexact(array) or jnp.iscomplexobj(array):
        raise InputError(
            f"fn must return a real float, as for jax.grad; got {array.dtype}. {VECTORS}", code="FG821"
        )


VECTORS = "For other outputs there are check_grads(fn, (params,), order=1) and fastgrad.check_vjp"


def _claim(gradient: Any, call: Call) -> Claim:
    if gradient is None:
        return Reverse()
    if callable(gradient):
        return Given(gradient, call)
    require_no_tracer(gradient, "gradient")
    return Values(tuple(call.params.take_apart(gradient, "gradient")))
