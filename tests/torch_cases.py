"""Modules and functions of torch with right and wrong gradients, for the tests of the adapter."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")


class Scaled(torch.autograd.Function):
    """sin(x), whose backward is off by the factor that it is given."""

    @staticmethod
    def forward(ctx, x, factor):
        """sin(x)."""
        ctx.save_for_backward(x)
        ctx.factor = factor
        return x.sin()

    @staticmethod
    def backward(ctx, upstream):
        """What is off."""
        (x,) = ctx.saved_tensors
        return ctx.factor * upstream * x.cos(), None


class Sine(torch.nn.Module):
    """A layer of it."""

    def __init__(self, factor=1.0):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        """sin(x)."""
        return Scaled.apply(x, self.factor)


def drawn(*shape, dtype=torch.float64, seed=0):
    """Normal numbers."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def settled(module, dtype=torch.float64, seed=1):
    """A module with parameters drawn from a generator of its own."""
    with torch.no_grad():
        for number, p in enumerate(module.parameters()):
            p.copy_(0.5 * drawn(*p.shape, seed=seed + number))
    return module.to(dtype)


def small_net(factor=1.0, dtype=torch.float64):
    """Two linear layers with the layer above between them."""
    parts = torch.nn.Linear(4, 5), Sine(factor), torch.nn.Linear(5, 3)
    return settled(torch.nn.Sequential(*parts), dtype)


def batch(dtype=torch.float64):
    """Seven samples and their labels."""
    return drawn(7, 4, dtype=dtype, seed=3), torch.tensor([0, 1, 2, 2, 1, 0, 1])


cross_entropy = torch.nn.CrossEntropyLoss()
