"""The options: each is looked at, and each is explained once."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest
from joblib.parallel import ThreadingBackend

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
        ({"perturb": np.array([1, 2])}, "perturb must be one of parameters, nodes, auto; got array([1, 2])"),
        ({"kinks": ["undecided"]}, "kinks must be one of undecided, subgradient; got ['undecided']"),
        ({"method": np.array(["central", "forward"])}, "unknown method array(['central', 'forward']"),
        ({"n_jobs": 1.5}, "n_jobs must be an integer other than 0, or None; got 1.5"),
        ({"max_evaluations": np.float64(50)}, "max_evaluations must be an integer of at least 2"),
        ({"backend": 3}, 'backend must be a name that joblib knows, as in backend="threading", or a backend'),
        ({"backend": b"loky"}, "backend must be a name that joblib knows"),
        ({"backend": ["loky"]}, "backend must be a name that joblib knows"),
        ({"backend": ThreadingBackend}, "backend must be a name that joblib knows"),
    ],
)
def test_refused(options, message):
    """What cannot be is refused with what came and what is taken."""
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        Options(**options)


@pytest.mark.parametrize("name", ["seed", "n_jobs", "probes", "max_evaluations", "coordinates"])
@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.int16, np.array])
def test_integers_of_numpy(name, kind):
    """An integer of NumPy's is an integer, and becomes Python's, which does not overflow at 255."""
    value = getattr(Options(**{name: kind(200)}), name)
    assert (type(value), value) == (int, 200)


@pytest.mark.parametrize("name", ["budget", "resolution", "tolerance", "confidence", "step", "coordinates"])
@pytest.mark.parametrize("kind", [np.float64, np.float32, np.array])
def test_numbers_of_numpy(name, kind):
    """A number of NumPy's is a number."""
    value = getattr(Options(**{name: kind(0.5)}), name)
    assert (type(value), value) == (float, 0.5)


@pytest.mark.parametrize("name", ["vectorized", "progress"])
def test_truth_of_numpy(name):
    """np.True_ is True."""
    assert getattr(Options(**{name: np.bool_(True)}), name) is True


def test_a_backend_of_joblibs_own_kind():
    """An object that joblib takes for a backend is taken."""
    backend = ThreadingBackend()
    report = fastgrad.check_gradient(
        lambda x: float(x @ x), lambda x: 2 * x, np.ones(3), backend=backend, n_jobs=2
    )
    assert report.passed


@pytest.mark.parametrize("kind", [np.int64, np.uint8])
def test_evaluations_counted_in_numpys_integers(kind):
    """max_evaluations of NumPy's kind is kept like any other."""
    x = np.linspace(0, 1, 900)
    made = [
        fastgrad.check_gradient(
            lambda x: float(np.sum(np.sin(x))), np.cos, x, max_evaluations=count
        ).evaluations
        for count in (250, kind(250))
    ]
    assert made[0] == made[1] <= 250


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), np.float32("nan")])
def test_a_fraction_that_is_none(value):
    """A fraction of the coordinates that is no finite number is refused with what it was."""
    with pytest.raises(InputError, match="a fraction is over 0 and up to 1"):
        fastgrad.check_gradient(lambda x: float(x @ x), lambda x: 2 * x, np.ones(3), coordinates=value)


def test_an_engine_that_is_no_name():
    """An engine that is no text is refused like an unknown one."""
    with pytest.raises(InputError, match="unknown engine array"):
        fastgrad.check_gradient(
            lambda x: float(x @ x), lambda x: 2 * x, np.ones(3), engine=np.array(["python", "auto"])
        )


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


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("epsilon", "What is called epsilon elsewhere is step= here"),
        ("njobs", "What is called njobs elsewhere is n_jobs= here"),
        ("tolerence", "Did you mean tolerance=?"),
        ("zzz", "vectorized"),
    ],
)
def test_what_may_be_meant(name, hint):
    """Names of other checks, and slips of the pen, are led to the option; what is like none is not."""
    with pytest.raises(TypeError) as caught:
        Options.of({name: 1})
    assert (hint in str(caught.value)) if name != "zzz" else "mean" not in str(caught.value)
