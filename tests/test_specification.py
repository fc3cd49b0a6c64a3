"""The description of a check, made once from what the user gave."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import fastgrad
from fastgrad.errors import InputError
from fastgrad.specification import Specification

PROBLEM = fastgrad.Problem(lambda p: float(p["W"].sum()), None, {"W": np.ones((2, 3))})


def test_of():
    """Options get their defaults, parameters become blocks, the method becomes its stencil."""
    spec = Specification.of(PROBLEM, {"method": "central6"})
    assert (spec.options.seed, spec.options.coordinates) == (0, "auto")
    assert [block.name for block in spec.parameters.blocks] == ["W"]
    assert spec.stencil.offsets == (-3, -2, -1, 1, 2, 3)


def test_it_never_changes():
    """Nobody who is handed it can change it."""
    spec = Specification.of(PROBLEM, {})
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.options = None


@pytest.mark.parametrize("options", [{"seed": -1}, {"method": "none"}])
def test_refused(options):
    """What cannot be is refused before anything is evaluated."""
    with pytest.raises(InputError):
        Specification.of(PROBLEM, options)
