"""Every engine has the attributes and methods of the Protocol."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.engines.batched import BatchedEngine
from fastgrad.engines.compiled import CompiledEngine
from fastgrad.engines.directional import DirectionalEngine
from fastgrad.engines.network.engine import NetworkEngine
from fastgrad.engines.protocol import Engine
from fastgrad.engines.python import PythonEngine

METHODS = [name for name in vars(Engine) if not name.startswith("_") and callable(vars(Engine)[name])]
ATTRIBUTES = list(Engine.__annotations__)
OF_THE_INSTANCE = {"parameters", "space", "dtype", "notes", "raised"}


@pytest.mark.parametrize(
    "kind", [PythonEngine, BatchedEngine, CompiledEngine, DirectionalEngine, NetworkEngine]
)
def test_an_engine_has_all(kind):
    """What the Protocol promises stands on the class, or is set when an engine is made."""
    missing = [name for name in (*METHODS, *ATTRIBUTES) if not hasattr(kind, name)]
    assert set(missing) <= OF_THE_INSTANCE


def test_what_an_instance_sets():
    """The others are there on an engine that was made."""
    net = fastgrad.Network([fastgrad.Dense(2, 2)], fastgrad.HalfSquaredError())
    X = np.ones((3, 2))
    from fastgrad.problem.parameters import Parameters

    engine = NetworkEngine(net.cost, Parameters(net.initial_parameters()), (X, X), net)
    assert all(hasattr(engine, name) for name in OF_THE_INSTANCE)
