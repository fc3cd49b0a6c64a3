"""Functions whose backward pass depends on which outputs are asked for."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from fastgrad.adapters.torch import check_function, gradcheck  # noqa: E402
from fastgrad.adapters.torch.alone import ALONE  # noqa: E402


class Both(torch.autograd.Function):
    """sin and cos, whose backward forgets the second where the first gradient is not defined."""

    right = False

    @staticmethod
    def forward(ctx, x):
        """Both."""
        ctx.save_for_backward(x)
        ctx.set_materialize_grads(False)
        return torch.sin(x), torch.cos(x)

    @classmethod
    def backward(cls, ctx, g, h):
        """Of those that are defined."""
        (x,) = ctx.saved_tensors
        if g is None:
            return -h * torch.sin(x) if Both.right else torch.zeros_like(x)
        return g * torch.cos(x) - (0 if h is None else h * torch.sin(x))


X = torch.linspace(0.1, 2.0, 5, dtype=torch.float64, requires_grad=True)


@pytest.fixture(params=[True, False])
def right(request, monkeypatch):
    """Whether the backward pass is right for each output alone."""
    monkeypatch.setattr(Both, "right", request.param)
    return request.param


def test_check_function(right):
    """A backward pass that is right for all outputs at once only disagrees, and the report says why."""
    report = check_function(Both.apply, X)
    assert report.passed == right
    assert (ALONE in report.notes) == (not right)


def test_gradcheck(right):
    """gradcheck says no to it."""
    assert gradcheck(Both.apply, (X,), raise_exception=False, check_undefined_grad=False) == right


def test_a_function_of_torch():
    """The same of one of torch's own, which torch's check finds too."""
    x = torch.randn(1, 6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    norm = lambda x: torch.native_group_norm(x, None, None, 1, 6, 3, 2, 0.5)  # noqa: E731
    assert not torch.autograd.gradcheck(norm, (x,), raise_exception=False)
    assert check_function(norm, x).verdict == "disagree"
