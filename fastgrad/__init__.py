"""fastgrad checks a gradient: is it right, how sure is that, and where is it wrong."""

from fastgrad.checks import (
    NumericalGradient,
    assert_gradient,
    check,
    check_gradient,
    numerical_gradient,
    relative_error,
)
from fastgrad.errors import FastgradWarning, GradientError, InputError, WorkerError
from fastgrad.problem import Problem
from fastgrad.report import Report

__version__ = "0.1.0"

__all__ = [
    "FastgradWarning",
    "GradientError",
    "InputError",
    "NumericalGradient",
    "Problem",
    "Report",
    "WorkerError",
    "assert_gradient",
    "check",
    "check_gradient",
    "numerical_gradient",
    "relative_error",
]
