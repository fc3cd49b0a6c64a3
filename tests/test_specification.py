"""The description of a check: made once from what the user gave, and refused where it cannot be used."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.specification import Specification

PROBLEM = fastgrad.Problem(lambda x: float(np.sum(x)), None, np.ones(3))


class TestSpecification:
    def test_of(self):
        """It holds the problem itself, its parameters as blocks, and the options with their defaults."""
        spec = Specification.of(PROBLEM, {"method": "forward", "seed": 4})

        assert spec.problem is PROBLEM
        assert [block.name for block in spec.parameters.blocks] == ["params"]
        assert (spec.options.seed, spec.options.engine, spec.stencil.name) == (4, "auto", "forward")

    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"sed": 1}, TypeError, "unknown option 'sed'"),
            ({"seed": -1}, fastgrad.InputError, "seed must be an integer >= 0; got -1"),
            ({"n_jobs": 0}, fastgrad.InputError, "n_jobs must be an integer other than 0"),
        ],
    )
    def test_refused(self, options, error, message):
        """An option that cannot be used is refused before anything is evaluated."""
        with pytest.raises(error, match=message):
            Specification.of(PROBLEM, options)

    def test_parameters_that_cannot_be_checked(self):
        """So are parameters that are not numbers."""
        with pytest.raises(fastgrad.InputError, match="cannot be perturbed"):
            Specification.of(fastgrad.Problem(sum, None, np.arange(3)), {})
