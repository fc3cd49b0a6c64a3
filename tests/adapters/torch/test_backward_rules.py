"""What torch expects of a backward pass beside right numbers."""

from __future__ import annotations

import pytest
from torch_cases import drawn, torch

from fastgrad.adapters.torch import backward_rules as rules
from fastgrad.adapters.torch.failure import failure_class
from fastgrad.adapters.torch.tensor_function import TensorFunction


def made(fn, *inputs):
    """The function at these inputs."""
    return TensorFunction(fn, inputs, list(range(len(inputs))))


class Custom(torch.autograd.Function):
    """Two outputs, x and 2 x; the backward is what is given."""

    @staticmethod
    def forward(ctx, x, backward):
        """x and 2 x."""
        ctx.set_materialize_grads(False)
        ctx.own = backward
        return x.clone(), 2 * x

    @staticmethod
    def backward(ctx, a, b):
        """What was given."""
        return ctx.own(a, b), None


def custom(backward):
    """The function with that backward."""
    return made(lambda x: Custom.apply(x, backward), drawn(3))


def careful(a, b):
    """A backward that takes None."""
    if a is None and b is None:
        return None
    return (0 if a is None else a) + (0 if b is None else 2 * b)


def raises(look, function, sentence, *more):
    """Whether a look refuses a function with that sentence."""
    with pytest.raises(failure_class(), match=sentence):
        look(function, *more)
    return True


def test_reentrant():
    """A backward that gives other numbers each time is refused, unless they are near enough."""
    calls = []

    def counting(a, b):
        calls.append(1)
        return careful(a, b) + 1e-3 * len(calls)

    rules.reentrant(custom(careful), 0.0)
    assert raises(rules.reentrant, custom(counting), "backward is not reentrant.*gradient of inputs", 0.0)
    rules.reentrant(custom(counting), 0.01)


def test_undefined_gradients():
    """A backward that cannot take None is refused, and one that makes something of it."""
    rules.undefined_gradients(custom(careful))
    assert raises(rules.undefined_gradients, custom(lambda a, b: a + 2 * b), "must take None")
    made_up = lambda a, b: torch.ones(3, dtype=torch.float64)  # noqa: E731
    assert raises(rules.undefined_gradients, custom(made_up), "must be None or zero")


def test_gradient_dtypes():
    """Gradients of the tensor's dtype pass."""
    rules.gradient_dtypes(made(torch.sin, drawn(3)))


def test_batched_gradients():
    """A backward that vmap cannot take is refused."""
    rules.batched_gradients(made(lambda x, y: (x * y, y.sin()), drawn(3), drawn(3, seed=1)))
    branching = lambda a, b: careful(a, b) if a.sum().item() else None  # noqa: E731
    assert raises(rules.batched_gradients, custom(branching), "does not work under vmap")


def test_batched_forward():
    """A forward mode that vmap cannot take is refused."""
    rules.batched_forward(made(lambda x, y: (x * y, y.sin()), drawn(3), drawn(3, seed=1)))
    branching = lambda x: x * x if (x * 1).sum().item() else x  # noqa: E731
    rules.batched_forward(made(branching, drawn(3)))
    assert raises(rules.batched_forward, custom(careful), "forward mode does not work under vmap")
