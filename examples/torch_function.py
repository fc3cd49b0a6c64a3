"""A custom torch.autograd.Function, checked: the backward pass of a softplus, right and wrong.

pip install torch
python examples/torch_function.py
"""

from __future__ import annotations

import sys

import torch

import fastgrad.adapters.torch as fg


class Softplus(torch.autograd.Function):
    """log(1 + exp(b x)) / b, whose slope is sigmoid(b x)."""

    @staticmethod
    def forward(ctx, x, b):
        """Keep what backward needs."""
        ctx.save_for_backward(x)
        ctx.b = b
        return torch.nn.functional.softplus(b * x) / b

    @staticmethod
    def backward(ctx, above):
        """One gradient for each argument of forward; b is a constant."""
        (x,) = ctx.saved_tensors
        return above * torch.sigmoid(ctx.b * x), None


class HastySoftplus(Softplus):
    """The same with b forgotten in the slope."""

    @staticmethod
    def backward(ctx, above):
        """Should be sigmoid(b x)."""
        (x,) = ctx.saved_tensors
        return above * torch.sigmoid(x), None


def main():
    """Print both reports; 0 if the first agrees and the second does not."""
    x = torch.linspace(-2, 2, 9, requires_grad=True)
    right = fg.check_function(lambda x: Softplus.apply(x, 2.0), x)
    wrong = fg.check_function(lambda x: HastySoftplus.apply(x, 2.0), x)
    print(right, wrong, sep="\n\n")
    return 0 if right.passed and wrong.verdict == "disagree" else 1


if __name__ == "__main__":
    sys.exit(main())
