"""Modules in single and half precision."""

from __future__ import annotations

import pytest
from torch_cases import batch, cross_entropy, drawn, settled, small_net, torch

import fastgrad
from fastgrad.adapters.torch import check_module

nn = torch.nn
PRECISIONS = (torch.float32, torch.bfloat16, torch.float16)


class InPlaceOfSine(nn.Module):
    """A layer of some function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        """It, of x."""
        return self.function.apply(x)


class WrongInSingle(torch.autograd.Function):
    """sin(x), whose backward has one entry off by one percent in float32 only."""

    @staticmethod
    def forward(ctx, x):
        """sin(x)."""
        ctx.save_for_backward(x)
        return x.sin()

    @staticmethod
    def backward(ctx, upstream):
        """Its derivative, but for one entry."""
        (x,) = ctx.saved_tensors
        found = upstream * x.cos()
        if x.dtype is torch.float32:
            found[0, 0] *= 1.01
        return found


class NoDouble(torch.autograd.Function):
    """A function without double precision, whose backward is off by a factor."""

    factor = 1.0

    @staticmethod
    def forward(ctx, x):
        """sin(x)."""
        if x.dtype is torch.float64:
            raise RuntimeError("not implemented for 'Double'")
        ctx.save_for_backward(x)
        return x.sin()

    @classmethod
    def backward(cls, ctx, upstream):
        """Its derivative, times a factor."""
        return cls.factor * upstream * ctx.saved_tensors[0].cos()


class WrongNoDouble(NoDouble):
    """The wrong twin."""

    factor = 1.2


def net_of(function, dtype=torch.float32):
    """Two linear layers with that function between them."""
    parts = nn.Linear(4, 5), InPlaceOfSine(function), nn.Linear(5, 3)
    return settled(nn.Sequential(*parts), dtype)


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_both_precisions(dtype):
    """Differences decide in double precision, and the report says what it is in the module's own."""
    name = str(dtype).removeprefix("torch.")
    right = check_module(small_net(dtype=dtype), cross_entropy, batch(dtype), inputs=True)
    assert right.verdict == "agree"
    assert right.resolution < 1e-5  # far below what differences in that precision could see
    assert f"autograd in float64: agree; in {name}: agree to" in right.witnesses[0]
    wrong = check_module(small_net(1.01, dtype), cross_entropy, batch(dtype))
    assert {found.block for found in wrong.wrong} == {"0.weight", "0.bias"}


def test_wrong_in_single_only():
    """What is right in float64 and wrong in float32 disagrees, and is said to be wrong there only."""
    report = check_module(net_of(WrongInSingle), cross_entropy, batch(torch.float32))
    assert report.verdict == "disagree"
    assert {found.index[0] for found in report.wrong} == {0}
    assert "autograd in float64: agree; in float32: disagree, 5 of 43" in report.witnesses[0]
    assert check_module(net_of(WrongInSingle, torch.float64), cross_entropy, batch()).passed


def test_no_double():
    """What has no double precision is checked in its own, by resolution, and the note says so."""
    report = check_module(net_of(NoDouble), cross_entropy, batch(torch.float32))
    assert report.verdict == "agree"
    assert report.resolution > 1e-5
    assert any("in float64 the module raised RuntimeError" in note for note in report.notes)
    wrong = check_module(net_of(WrongNoDouble), cross_entropy, batch(torch.float32))
    assert wrong.verdict == "disagree"


def test_no_double_and_half():
    """Half precision without double precision is refused, with advice."""
    with pytest.raises(fastgrad.InputError, match=r"raised RuntimeError.*bfloat16 show next to nothing"):
        check_module(net_of(NoDouble, torch.bfloat16), cross_entropy, batch(torch.bfloat16))


def test_the_same_mask():
    """Dropout draws the same mask in both precisions."""
    parts = nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Dropout(0.4), nn.Linear(5, 3)
    net = settled(nn.Sequential(*parts), torch.float32)
    report = check_module(net, cross_entropy, batch(torch.float32))
    assert report.verdict == "agree"
    assert "in float32: agree to" in report.witnesses[0]


class Noisy(nn.Module):
    """Adds normal numbers, which are others in another precision."""

    def forward(self, x):
        """The sum."""
        return x + torch.randn_like(x)


def test_other_random_numbers():
    """Where the numbers drawn depend on the precision, the module is checked in its own."""
    net = settled(nn.Sequential(nn.Linear(4, 5), Noisy(), nn.Linear(5, 3)), torch.float32)
    report = check_module(net, cross_entropy, batch(torch.float32))
    assert report.verdict == "agree"
    assert any("draws random numbers, and in float64 others" in note for note in report.notes)


def test_a_mistake_of_the_module():
    """What the module raises in its own precision is raised as it is."""
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        check_module(small_net(dtype=torch.float32), cross_entropy, (drawn(2, 9, dtype=torch.float32), 0))


def test_left_alone():
    """The module keeps its precision, and its numbers to the last digit."""
    net = small_net(dtype=torch.bfloat16)
    before = [p.clone() for p in net.parameters()]
    check_module(net, cross_entropy, batch(torch.bfloat16))
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))
