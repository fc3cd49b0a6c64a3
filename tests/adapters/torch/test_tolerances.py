"""torch's tolerances, where somebody gives them."""

from __future__ import annotations

from torch_cases import Scaled, drawn

from fastgrad.adapters.torch import check_function
from fastgrad.adapters.torch.function import functions_of
from fastgrad.adapters.torch.tolerances import Tolerances


def allowed(factor, atol, rtol):
    """Whether tolerances let a gradient of two tensors pass that is off by a factor in one."""
    fn, inputs = (lambda x, y: (Scaled.apply(x, factor).sum() * y, y)), (drawn(4), drawn(3, seed=1))
    report = check_function(fn, inputs)
    assert not report.passed
    return Tolerances(atol, rtol, 1e-6).allow(functions_of(fn, inputs, [0, 1]).precise, report)


def test_rule():
    """What is off by at most atol + rtol times the numerical value is let pass, entry by entry."""
    assert allowed(1.01, 1e-5, 0.0101)
    assert not allowed(1.01, 1e-5, 0.0099)
    assert allowed(1.01, 0.1, 0.0)


def test_defaults():
    """torch's defaults are not taken for a wish."""
    assert not allowed(1.0005, 1e-5, 1e-3)
    assert allowed(1.0005, 1e-5, 1.1e-3)
