"""fastgrad checks a gradient: is it right, how sure is that, and where is it wrong."""

from __future__ import annotations

from importlib import import_module

from fastgrad._version import __version__ as __version__

TYPE_CHECKING = False  # without the typing module, for whose import the command line would not answer Ctrl-C
if TYPE_CHECKING:  # for type checkers: the names that __getattr__ finds
    from typing import Any

    from fastgrad.checks import assert_gradient as assert_gradient
    from fastgrad.checks import check as check
    from fastgrad.checks import check_gradient as check_gradient
    from fastgrad.checks import numerical_gradient as numerical_gradient
    from fastgrad.checks import relative_error as relative_error
    from fastgrad.errors import FastgradWarning as FastgradWarning
    from fastgrad.errors import InputError as InputError
    from fastgrad.errors import WorkerError as WorkerError
    from fastgrad.forms.least_squares import check_least_squares as check_least_squares
    from fastgrad.forms.minimize import check_minimize as check_minimize
    from fastgrad.forms.model import check_model as check_model
    from fastgrad.networks import ELU as ELU
    from fastgrad.networks import GELU as GELU
    from fastgrad.networks import AvgPool2D as AvgPool2D
    from fastgrad.networks import BatchNorm as BatchNorm
    from fastgrad.networks import Conv2D as Conv2D
    from fastgrad.networks import Dense as Dense
    from fastgrad.networks import Dropout as Dropout
    from fastgrad.networks import Embedding as Embedding
    from fastgrad.networks import Flatten as Flatten
    from fastgrad.networks import HalfSquaredError as HalfSquaredError
    from fastgrad.networks import LayerNorm as LayerNorm
    from fastgrad.networks import LeakyReLU as LeakyReLU
    from fastgrad.networks import LogisticLoss as LogisticLoss
    from fastgrad.networks import MaxPool2D as MaxPool2D
    from fastgrad.networks import MeanSquaredError as MeanSquaredError
    from fastgrad.networks import Network as Network
    from fastgrad.networks import ReLU as ReLU
    from fastgrad.networks import Residual as Residual
    from fastgrad.networks import Sigmoid as Sigmoid
    from fastgrad.networks import SiLU as SiLU
    from fastgrad.networks import SoftmaxCrossEntropy as SoftmaxCrossEntropy
    from fastgrad.networks import Softplus as Softplus
    from fastgrad.networks import Tanh as Tanh
    from fastgrad.problem.problem import Problem as Problem
    from fastgrad.report.numerical import NumericalGradient as NumericalGradient
    from fastgrad.report.report import GradientError as GradientError
    from fastgrad.report.report import Report as Report
    from fastgrad.report.reports import Reports as Reports
    from fastgrad.vector.jacobian import check_jacobian as check_jacobian
    from fastgrad.vector.products import check_jvp as check_jvp
    from fastgrad.vector.products import check_vjp as check_vjp
    from fastgrad.vector.second_order import check_hessian as check_hessian
    from fastgrad.vector.second_order import check_hvp as check_hvp

_MODULES = {
    "FastgradWarning": "errors",
    "GradientError": "report.report",
    "InputError": "errors",
    "NumericalGradient": "report.numerical",
    "Problem": "problem.problem",
    "Report": "report.report",
    "Reports": "report.reports",
    "WorkerError": "errors",
    "assert_gradient": "checks",
    "check": "checks",
    "check_gradient": "checks",
    "check_least_squares": "forms.least_squares",
    "check_minimize": "forms.minimize",
    "check_model": "forms.model",
    "check_hessian": "vector.second_order",
    "check_hvp": "vector.second_order",
    "check_jacobian": "vector.jacobian",
    "check_jvp": "vector.products",
    "check_vjp": "vector.products",
    "numerical_gradient": "checks",
    "relative_error": "checks",
}
"""Where public names come from; all others are those of `fastgrad.networks`."""


def __getattr__(name: str) -> Any:
    """The public names, and `__all__`, which lists them: loaded on first use.

    The command line comes through here too, and is to answer Ctrl-C before NumPy is loaded.
    """
    if name in _MODULES:
        found = globals()[name] = getattr(import_module(f"fastgrad.{_MODULES[name]}"), name)
        return found
    if name.startswith("__") and name != "__all__":
        raise AttributeError(f"module 'fastgrad' has no attribute {name!r}")
    networks = import_module("fastgrad.networks")
    if name == "networks":
        return networks
    if name == "__all__":
        return sorted([*_MODULES, *networks.__all__])
    if name in networks.__all__:
        return getattr(networks, name)
    raise AttributeError(f"module 'fastgrad' has no attribute {name!r}")


def __dir__() -> list[str]:
    """All public names, those of networks too."""
    return sorted({*globals(), *__getattr__("__all__")})
