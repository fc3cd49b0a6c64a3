"""fastgrad checks a gradient: is it right, how sure is that, and where is it wrong."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fastgrad._version import __version__ as __version__
from fastgrad.checks import assert_gradient as assert_gradient
from fastgrad.checks import check as check
from fastgrad.checks import check_gradient as check_gradient
from fastgrad.checks import numerical_gradient as numerical_gradient
from fastgrad.checks import relative_error as relative_error
from fastgrad.errors import FastgradWarning as FastgradWarning
from fastgrad.errors import InputError as InputError
from fastgrad.errors import WorkerError as WorkerError
from fastgrad.problem.problem import Problem as Problem
from fastgrad.report.numerical import NumericalGradient as NumericalGradient
from fastgrad.report.report import GradientError as GradientError
from fastgrad.report.report import Report as Report

if TYPE_CHECKING:  # for type checkers: the names of fastgrad.networks.__all__, which __getattr__ finds
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

_NOT_OF_NETWORKS = (
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
)


def __getattr__(name: str) -> Any:
    """The public names of `fastgrad.networks`, and `__all__`, which lists them: loaded on first use.

    To import the networks takes an eighth of the time of `import fastgrad`.
    """
    networks = import_module("fastgrad.networks")
    if name == "networks":
        return networks
    if name == "__all__":
        return sorted([*_NOT_OF_NETWORKS, *networks.__all__])
    if name in networks.__all__:
        return getattr(networks, name)
    raise AttributeError(f"module 'fastgrad' has no attribute {name!r}")


def __dir__() -> list[str]:
    """All public names, those of networks too."""
    return sorted({*globals(), *__getattr__("__all__")})
