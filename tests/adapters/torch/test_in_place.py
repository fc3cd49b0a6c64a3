"""Modules that are moved themselves and put back."""

from __future__ import annotations

import pytest
from torch_cases import Sine, batch, cross_entropy, drawn, settled, small_net, torch

from fastgrad.adapters.torch import check_module
from fastgrad.adapters.torch.in_place import itself, read_by_the_loss
from fastgrad.adapters.torch.refusals import subject_of

nn = torch.nn


def penalised(net, detached=False):
    """A loss that reads the parameters of the module by itself."""

    def loss(y, t):
        read = [p.detach() if detached else p for p in net.parameters()]
        return cross_entropy(y, t) + sum((p**2).sum() for p in read)

    return loss


class Uncopyable(nn.Module):
    """It holds a tensor that is no leaf, which torch does not copy."""

    def __init__(self, factor):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), Sine(factor))
        self.last = torch.ones(3, requires_grad=True) * 2

    def forward(self, x):
        """The inner module's."""
        return self.inner(x)


def state(net):
    """All that a check might change."""
    tensors = [*net.parameters(), *net.buffers()]
    return [(t, t.data_ptr(), t.dtype, t.detach().clone()) for t in tensors], [
        m.training for m in net.modules()
    ]


def same(before, net):
    """Whether all is as it was: the same tensors, at the same place, with the same numbers."""
    after = state(net)
    return before[1] == after[1] and all(
        a[0] is b[0] and a[1:3] == b[1:3] and torch.equal(a[3], b[3])
        for a, b in zip(before[0], after[0], strict=True)
    )


class TestCheck:
    @pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
    def test_a_loss_that_reads_the_module(self, dtype):
        """Its penalty is in cost and gradient, right and wrong, and the module is as before."""
        net = small_net(dtype=dtype)
        before = state(net)
        report = check_module(net, penalised(net), batch(dtype))
        assert report.verdict == "agree"
        assert report.cost == pytest.approx(penalised(net)(net(batch(dtype)[0]), batch()[1]).item(), rel=1e-5)
        assert any("the loss reads 0.weight of the module by itself" in note for note in report.notes)
        assert same(before, net)
        wrong = small_net(1.05, dtype)
        assert check_module(wrong, penalised(wrong), batch(dtype)).verdict == "disagree"

    def test_what_torch_does_not_copy(self):
        """Such a module is checked, right and wrong, and is as before."""
        net = settled(Uncopyable(1.0))
        before = state(net)
        report = check_module(net, cross_entropy, batch())
        assert report.verdict == "agree"
        assert any("copying it raised RuntimeError" in note for note in report.notes)
        assert same(before, net)
        assert check_module(settled(Uncopyable(1.05)), cross_entropy, batch()).verdict == "disagree"

    def test_after_an_exception(self):
        """An exception in the middle leaves it as before too."""
        net, calls = small_net(dtype=torch.float32), []
        before = state(net)

        def loss(y, t):
            calls.append(1)
            if len(calls) > 20:
                raise KeyError("loss")
            return penalised(net)(y, t)

        with pytest.raises(KeyError):
            check_module(net, loss, batch(torch.float32))
        assert same(before, net)


def test_itself():
    """Meanwhile it is in the other precision, and buffers are others."""
    net = settled(nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)), torch.float32)
    before = state(net)
    with itself(subject_of(net, cross_entropy, batch(torch.float32)), torch.float64) as subject:
        assert subject.module is net
        assert net[0].weight.dtype is net[1].running_mean.dtype is subject.inputs.dtype is torch.float64
        net(subject.inputs)
        net.eval()
    assert same(before, net)


def test_read_by_the_loss():
    """What a copy's cost was computed from is told from the copy's own parameters."""
    net, other = small_net(), small_net()
    X, Y = batch()
    subject = subject_of(net, cross_entropy, (X, Y))
    assert read_by_the_loss(penalised(net)(other(X), Y), subject) == "0.weight"
    assert read_by_the_loss(penalised(other)(other(X), Y), subject) is None
    assert read_by_the_loss(drawn(2).sum(), subject) is None
