"""Kinds of operations."""

import numpy as np
import pytest
import scipy.special

from fastgrad.engines.traced.declined import Place
from fastgrad.engines.traced.kinds import ALONG, ALONG_ELSEWHERE, axis_of, is_elementwise
from fastgrad.engines.traced.tape import Method, Operation, Ref


@pytest.mark.parametrize(
    ("function", "expected"),
    [(np.exp, True), (scipy.special.erf, True), (np.where, True), (np.matmul, False), (np.sort, False)],
)
def test_elementwise(function, expected):
    """Ufuncs without a signature are, and some functions."""
    assert is_elementwise(Operation(function, (Ref(0),), {}, (1,), False, Place())) is expected


def test_axes():
    """The axis argument is found of NumPy's functions and of SciPy's, and of nothing else."""
    assert axis_of(np.sort) == ("axis", -1)
    assert axis_of(scipy.special.logsumexp) == ("axis", None)
    assert axis_of(np.sum) is None
    assert axis_of(Method(np.add, "reduce")) is None


@pytest.mark.parametrize("function", ALONG, ids=lambda f: f.__name__)
def test_the_axis_is_an_argument(function):
    """Each of these functions has the argument, with the default that the table says."""
    import inspect

    name, default = ALONG[function]
    assert inspect.signature(function).parameters[name].default == default


@pytest.mark.parametrize("key", ALONG_ELSEWHERE)
def test_functions_of_other_libraries(key):
    """Each of these functions exists, and is known by its name."""
    module, name = key
    assert axis_of(getattr(__import__(module, fromlist=[name]), name)) == ALONG_ELSEWHERE[key]
