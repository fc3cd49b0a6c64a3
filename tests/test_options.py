"""The options: each is looked at, and each is explained once."""

from __future__ import annotations

import inspect
import re

import pytest

import fastgrad
from fastgrad.errors import InputError
from fastgrad.options import Options, changing_values, explained, require_no_claim_options, takes_options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "guess"}, "unknown method 'guess'"),
        ({"n_jobs": 0}, "n_jobs must be an integer other than 0, or None; got 0"),
        ({"vectorized": "yes"}, "vectorized must be True or False; got 'yes'"),
        ({"confidence": 1.5}, "confidence must be a number between 0 and 1, or None; got 1.5"),
        ({"wrong_fraction": 0.1, "coordinates": 5}, "wrong_fraction= says how many coordinates are drawn"),
        ({"draw": "often"}, "draw must be one of uniform, importance; got 'often'"),
        ({"probes": -1}, "probes must be an integer >= 0, or None; got -1"),
        ({"budget": -2}, "budget must be a positive number of seconds, or None; got -2"),
        ({"max_evaluations": 1}, "max_evaluations must be an integer of at least 2"),
        ({"tolerance": -1.0}, "tolerance must be a finite number >= 0, or None; got -1.0"),
        ({"resolution": 0}, "resolution must be a number above 0 and at most 1; got 0"),
        ({"resolution": 1.5}, "resolution must be a number above 0 and at most 1; got 1.5"),
        ({"resolution": None}, "resolution must be a number above 0 and at most 1; got None"),
        ({"kinks": "smooth"}, "kinks must be one of undecided, subgradient; got 'smooth'"),
        ({"perturb": "layers"}, "perturb must be one of parameters, nodes, auto; got 'layers'"),
    ],
)
def test_refused(options, message):
    """What cannot be is refused with what came and what is taken."""
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        Options(**options)


def test_an_unknown_one_is_a_type_error():
    """An option that there is not is refused like any wrong keyword, with those that there are."""
    with pytest.raises(TypeError, match="unknown option 'epsilon': the options are coordinates, seed, "):
        Options.of({"epsilon": 1e-4})


def test_what_changes_no_value():
    """A check may go on with other workers, more time, or another wish for its verdict; with nothing else."""
    free = {option for option in Options.__dataclass_fields__ if option not in changing_values()}
    assert free == {
        *("n_jobs", "backend", "progress", "checkpoint", "budget", "max_evaluations"),
        *("resolution", "kinks"),
    }


def test_functions_show_the_options():
    """A function that takes them has each in its signature, with its default, and in its docstring."""

    @takes_options
    def function(cost, **options):
        """Do it.

        Parameters
        ----------
        cost : callable
        options : each a keyword of its own
        """

    shown = inspect.signature(function).parameters
    assert list(shown) == ["cost", *Options.__dataclass_fields__]
    assert shown["probes"].default is None
    assert "\nseed : of every random choice\n" in inspect.getdoc(fastgrad.check_gradient)


def test_each_is_explained():
    """No option is without a sentence."""
    assert all(len(explained(name)) > 10 for name in Options.__dataclass_fields__)


@pytest.mark.parametrize("options", [{"tolerance": 0.1}, {"probes": 3}, {"draw": "importance"}])
def test_without_a_claim(options):
    """Options about a claimed gradient are refused where there is none."""
    with pytest.raises(InputError):
        require_no_claim_options(Options(**options))
