"""fastgrad checks a gradient: is it right, how sure is that, and where is it wrong."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fastgrad._version import __version__ as __version__
from fastgrad.checks import assert_gradient, check, check_gradient, numerical_gradient, relative_error
from fastgrad.errors import FastgradWarning, InputError, WorkerError
from fastgrad.problem.problem import Problem
from fastgrad.report.numerical import NumericalGradient
from fastgrad.report.report import GradientError, Report

if TYPE_CHECKING:
    from fastgrad.networks import (
        ELU,
        GELU,
        AvgPool2D,
        BatchNorm,
        Conv2D,
        Dense,
        Dropout,
        Embedding,
        Flatten,
        HalfSquaredError,
        LayerNorm,
        LeakyReLU,
        LogisticLoss,
        MaxPool2D,
        MeanSquaredError,
        Network,
        ReLU,
        Residual,
        Sigmoid,
        SiLU,
        SoftmaxCrossEntropy,
        Softplus,
        Tanh,
    )

__all__ = [
    "ELU",
    "GELU",
    "AvgPool2D",
    "BatchNorm",
    "Conv2D",
    "Dense",
    "Dropout",
    "Embedding",
    "FastgradWarning",
    "Flatten",
    "GradientError",
    "HalfSquaredError",
    "InputError",
    "LayerNorm",
    "LeakyReLU",
    "LogisticLoss",
    "MaxPool2D",
    "MeanSquaredError",
    "Network",
    "NumericalGradient",
    "Problem",
    "ReLU",
    "Report",
    "Residual",
    "SiLU",
    "Sigmoid",
    "SoftmaxCrossEntropy",
    "Softplus",
    "Tanh",
    "WorkerError",
    "assert_gradient",
    "check",
    "check_gradient",
    "numerical_gradient",
    "relative_error",
]


def __getattr__(name: str) -> Any:
    """The names of networks and layers, imported when first asked for: an eighth of the time of an import."""
    if name != "networks" and name not in __all__:
        raise AttributeError(f"module 'fastgrad' has no attribute {name!r}")
    networks = import_module("fastgrad.networks")
    return networks if name == "networks" else getattr(networks, name)


def __dir__() -> list[str]:
    """All public names, those of networks too."""
    return sorted({*globals(), *__all__})
