"""How often a forward pass uses a tensor."""

from __future__ import annotations

from torch_cases import drawn, torch

from fastgrad.adapters.torch.uses import uses


def test_uses():
    """Operations count, detached ones too; what asks for a shape does not."""
    a, b, c, d = drawn(3, 3), drawn(3), drawn(3, 3), drawn(3)
    layer = torch.nn.Linear(3, 3).double()

    def call():
        y = torch.nn.functional.linear(drawn(2, a.shape[0]), a, b) + layer(drawn(2, 3))
        return y.sum() + c.detach().sum() + torch.stack([c, a]).sum()

    found = uses(call, [a, b, c, d, layer.weight])
    assert [found[id(t)] for t in (a, b, c, d, layer.weight)] == [2, 1, 2, 0, 1]
