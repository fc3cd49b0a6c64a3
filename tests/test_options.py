"""Options: what may be given, and what is refused in words."""

from __future__ import annotations

import re

import numpy as np
import pytest

from fastgrad.errors import InputError
from fastgrad.options import Options, check_seed, check_tolerance


class TestTolerance:
    @pytest.mark.parametrize("good", [None, 0, 0.0, 1e-3, 1, np.float32(0.5), np.int64(1)])
    def test_taken(self, good):
        """None and every finite number from 0 are taken."""
        check_tolerance(good)

    @pytest.mark.parametrize("bad", [-1e-9, float("nan"), float("inf"), True, "1e-3", [1e-3], 1e-3j])
    def test_refused(self, bad):
        """Anything else is refused with what came."""
        message = f"tolerance must be a finite number >= 0, or None; got {bad!r}"
        with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
            check_tolerance(bad)


class TestOptions:
    def test_of(self):
        """Options by keyword have the defaults for the others; an unknown one is refused with the known."""
        assert Options.of({"seed": 3}) == Options(seed=3)
        with pytest.raises(TypeError, match=r"unknown option 'sed': the options are coordinates, seed, "):
            Options.of({"sed": 3})

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"perturb": "units"}, "perturb must be one of parameters, nodes, auto; got 'units'"),
            ({"n_jobs": 0}, "n_jobs must be an integer other than 0, or None; got 0"),
            ({"n_jobs": True}, "n_jobs must be an integer other than 0, or None; got True"),
            ({"vectorized": 1}, "vectorized must be True or False; got 1"),
            ({"confidence": 1.0}, "confidence must be a number between 0 and 1, or None; got 1.0"),
            (
                {"wrong_fraction": 0.1, "coordinates": 5},
                "wrong_fraction= says how many coordinates are drawn",
            ),
            ({"draw": "evenly"}, "draw must be one of uniform, importance; got 'evenly'"),
            ({"probes": -1}, "probes must be an integer >= 0, or None; got -1"),
            ({"budget": 0}, "budget must be a positive number of seconds, or None; got 0"),
            ({"max_evaluations": 1}, "max_evaluations must be an integer of at least 2, or None"),
            ({"method": "backward"}, "backward"),
        ],
    )
    def test_refused(self, given, message):
        """An option that cannot be is refused by its name, with what came."""
        with pytest.raises(InputError, match=re.escape(message)):
            Options(**given)

    @pytest.mark.parametrize("seed", [-1, 1.5, True, None, "0"])
    def test_seed(self, seed):
        """A seed is an integer from 0 on, of Python's or NumPy's kind."""
        with pytest.raises(InputError, match="seed must be an integer >= 0; got"):
            check_seed(seed)
        check_seed(np.int64(7))
