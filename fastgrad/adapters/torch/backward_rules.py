"""What torch expects of a backward or forward pass beside right numbers.

Each function returns None, or raises the error of a failed gradcheck with a sentence.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from fastgrad.adapters.torch.failure import failure
from fastgrad.adapters.torch.tensor_function import TensorFunction, like, load_forward_mode
from fastgrad.problem.describe import quoted

BATCH = 3
"""Gradients of the outputs that are tried in one batch."""

SAME = 1e-5
"""By what share of the largest entry a batch may differ from one after the other."""


def reentrant(function: TensorFunction, tolerance: float) -> None:
    """Refuse a backward pass that gives other numbers each time.

    Parameters
    ----------
    function : TensorFunction
    tolerance : how far two passes may be apart
    """
    u = _upstream(function, 0)
    first, second = (function.vjp(function.at, u) for _ in range(2))
    apart = {name: _apart(first[name], second[name]) for name in first}
    name = max(apart, key=lambda one: apart[one])
    if not apart[name] <= tolerance:
        raise failure(
            "backward is not reentrant: two passes with the same inputs and gradients of the outputs differ "
            f"by {apart[name]:.3g} in the gradient of {name}; nondet_tol is {tolerance:g}. Look for atomic "
            "adds, random numbers, and gradients that are added to and never set to zero"
        )


def undefined_gradients(function: TensorFunction) -> None:
    """Refuse a backward pass that cannot take None, which stands for zero, for one output or for all."""
    outputs = _graded(function)[1]
    cases = [range(len(outputs)), *([k] for k in range(len(outputs)) if len(outputs) > 1)]
    for undefined in cases:
        _without(function, set(undefined))


def gradient_dtypes(function: TensorFunction) -> None:
    """Refuse gradients of another dtype than their tensor's."""
    import torch

    tensors, outputs = _graded(function)
    found = torch.autograd.grad(outputs, tensors, [torch.ones_like(o) for o in outputs], allow_unused=True)
    for slot, tensor, g in zip(function.slots, tensors, found, strict=True):
        if g is not None and g.dtype != tensor.dtype:
            raise failure(f"the gradient of {slot.name} is {g.dtype}, and the tensor is {tensor.dtype}")


def batched_gradients(function: TensorFunction) -> None:
    """Refuse a backward pass that vmap cannot take, or takes to other numbers."""
    import torch

    tensors, outputs = _graded(function)
    upstream = [_random(o, BATCH) for o in outputs]
    each = functools.partial(torch.autograd.grad, outputs, tensors, retain_graph=True, allow_unused=True)
    try:
        together = each(upstream, is_grads_batched=True)
    except RuntimeError as error:
        raise failure(
            f"the backward pass does not work under vmap (check_batched_grad): {quoted(error)}"
        ) from error
    for k in range(BATCH):
        _require_same(
            function, [None if g is None else g[k] for g in together], each([u[k] for u in upstream])
        )


def batched_forward(function: TensorFunction) -> None:
    """Refuse a forward-mode pass that vmap cannot take, or takes to other numbers."""
    import torch

    load_forward_mode()
    tensors = tuple(t.detach() for t in function.tensors(function.at))
    tangents = [_random(t, BATCH) for t in tensors]

    def along(*v: Any) -> Any:
        return torch.func.jvp(lambda *given: tuple(function.outputs(list(given)).values()), tensors, v)[1]

    try:
        together = torch.func.vmap(along)(*tangents)
    except RuntimeError as error:
        sentence = f"forward mode does not work under vmap (check_batched_forward_grad): {quoted(error)}"
        raise failure(sentence) from error
    for k in range(BATCH):
        _require_same(function, [y[k] for y in together], along(*(v[k] for v in tangents)))


def _apart(first: Any, second: Any) -> float:
    """The largest difference; what is not finite in both at the same place is said elsewhere."""
    same = (first == second) | (np.isnan(first) & np.isnan(second))
    with np.errstate(invalid="ignore"):
        return float(np.abs(first - second).max(initial=0.0, where=~same))


@functools.cache
def _undefined() -> Any:
    """An autograd.Function that gives its input, and None for its gradient."""
    import torch

    class Undefined(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            del ctx
            return x.view_as(x)

        @staticmethod
        def backward(ctx: Any, upstream: Any) -> None:
            del ctx, upstream

    return Undefined


def _without(function: TensorFunction, undefined: set[int]) -> None:
    """Go backward with undefined gradients of these outputs, and zeros for the others."""
    import torch

    tensors, outputs = _graded(function)
    given = [_undefined().apply(o) if k in undefined else o for k, o in enumerate(outputs)]
    zeros = [torch.zeros_like(o) for o in given]
    try:
        found = torch.autograd.grad(given, tensors, zeros, allow_unused=True)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise failure(
            "the backward pass must take None as the gradient of an output, which stands for zero "
            f"(check_undefined_grad): {quoted(error)}"
        ) from error
    for slot, g in zip(function.slots, found, strict=True):
        if g is not None and not bool((g == 0).all()):
            raise failure(
                f"the gradient of {slot.name} must be None or zero where those of all outputs are None or "
                "zero (check_undefined_grad)"
            )


def _graded(function: TensorFunction) -> tuple[list[Any], list[Any]]:
    """Tensors, and the outputs that require grad."""
    tensors = function.tensors(function.at)
    return tensors, [o for o in function.outputs(tensors).values() if o.requires_grad]


def _upstream(function: TensorFunction, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=y.shape) for name, y in function(function.at).items()}


def _random(tensor: Any, count: int) -> Any:
    """Random tensors like one, along a new first axis."""
    import torch

    shape = (count, *tensor.shape, 2) if tensor.is_complex() else (count, *tensor.shape)
    numbers = np.random.default_rng(0).normal(size=shape)
    return torch.stack([like(numbers[k], tensor) for k in range(count)])


def _require_same(function: TensorFunction, batched: Any, alone: Any) -> None:
    for a, b in zip(batched, alone, strict=True):
        if a is None or b is None or not a.numel():
            continue
        if not float((a - b).abs().max()) <= SAME * (1 + float(b.abs().max())):
            raise failure(f"under vmap {function.__name__} has other derivatives than one after the other")
