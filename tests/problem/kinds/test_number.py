"""Numbers, and lists of numbers, as Python has them."""

from __future__ import annotations

import array
import math
from collections import namedtuple

import numpy as np
import pytest

import fastgrad
from fastgrad.errors import InputError
from fastgrad.problem.kinds.number import form_of, is_number, is_vector, to_array
from fastgrad.problem.parameters import Parameters

Point = namedtuple("Point", ["x", "y"])

# value, whether it is a vector of numbers
VECTORS = (
    ([1.0, 2.0], True),
    ((1.0,), True),
    ([1, 2.5], True),
    ([1, 2], True),
    ([np.float64(1), np.int32(2)], True),
    ([], False),
    ([1.0, None], False),
    ([1.0, "a"], False),
    ([1.0, True], False),
    ([1.0, 1j], False),
    ([1.0, [2.0]], False),
    ([np.ones(1)], False),
    (Point(1.0, 2.0), False),
    ({1.0, 2.0}, False),
    ("12", False),
    (1.0, False),
)


class TestVectors:
    @pytest.mark.parametrize(("value", "expected"), VECTORS, ids=repr)
    def test_is_vector(self, value, expected):
        """A list or a tuple of numbers only is a vector; named tuples, and what else is in it, are not."""
        assert is_vector(value) == expected

    # parameters, the names and sizes of their blocks
    BLOCKS = (
        ([1.0, 2.0], [("params", 2)]),
        ((1.0, 2), [("params", 2)]),
        ([1, 2], [("params", 2)]),
        ({"w": [1.0, 2.0], "b": 3.0}, [("w", 2), ("b", 1)]),
        ([[1.0, 2.0], [3.0]], [("params[0]", 2), ("params[1]", 1)]),
        ([1.0, np.ones(2)], [("params[0]", 1), ("params[1]", 2)]),
        (Point(1.0, 2.0), [("x", 1), ("y", 1)]),
    )

    @pytest.mark.parametrize(("params", "blocks"), BLOCKS, ids=repr)
    def test_blocks(self, params, blocks):
        """A list of numbers is one block; its entries are named as the user indexes them."""
        parameters = Parameters(params)
        assert [(b.name, b.size) for b in parameters.blocks] == blocks

    def test_labels(self):
        """An entry of a list is called what the user would write to reach it."""
        assert Parameters([1.0, 2.0]).label(1) == "params[1]"
        assert Parameters({"w": [[1.0], [2.0, 3.0]]}).label(2) == "w[1][1]"


class TestIntegers:
    @pytest.mark.parametrize("params", [[2, -1], (2, -1), [np.int64(2), -1], 3, np.int64(3)], ids=repr)
    def test_as_all_of_the_parameters(self, params):
        """Integers that are all of the parameters are floats, as scipy takes them; the cost gets floats."""
        seen = []

        def cost(p):
            seen.extend(p if isinstance(p, list | tuple) else [p])
            return float(np.sum(np.square(p)))

        assert fastgrad.check_gradient(cost, 2.0 * np.asarray(params), params).passed
        assert {type(entry) for entry in seen} <= {float, np.float64}

    def test_beside_a_float(self):
        """In a list with a float an integer is a float."""
        assert Parameters({"w": [1, 2.5]}).leaves[0].tolist() == [1.0, 2.5]

    @pytest.mark.parametrize("setting", [[3, 4], (3, 4), [np.int32(1)]], ids=repr)
    def test_a_setting_among_parameters(self, setting):
        """A list of integers beside other parameters is refused: it may be the shape of something."""
        message = "parameter shape is a (list|tuple) of integers: .* in args"
        with pytest.raises(InputError, match=message):
            Parameters({"W": np.ones(2), "shape": setting})

    @pytest.mark.parametrize("value", [3, np.int64(3), True], ids=repr)
    def test_one_among_parameters(self, value):
        """A single integer beside other parameters is refused likewise."""
        with pytest.raises(InputError, match=r"An integer cannot be perturbed: pass float\(n\)"):
            Parameters({"W": np.ones(2), "n": value})


class TestMadeAgain:
    # value, what is made of other numbers
    MADE = (
        (1.0, "2.0"),
        (np.float64(1), "np.float64(2.0)"),
        (np.float32(1), "np.float32(2.0)"),
    )

    @pytest.mark.parametrize(("value", "made"), MADE, ids=repr)
    def test_a_number(self, value, made):
        """A float stays a float, a number of NumPy's stays one of the same dtype."""
        form = form_of(value, "params", True)
        assert repr(form.rebuild(np.asarray(2.0, dtype=np.asarray(value).dtype))) == made

    # value, what is made of other numbers
    VECTORS = (
        ([1.0, 2.0], "[3.0, 4.0]"),
        ((1, 2.0), "(3.0, 4.0)"),
        ([np.float64(1), 2.0], "[np.float64(3.0), np.float64(4.0)]"),
        (array.array("f", [1, 2]), "array('f', [3.0, 4.0])"),
    )

    @pytest.mark.parametrize(("value", "made"), VECTORS, ids=repr)
    def test_a_vector(self, value, made):
        """A list stays a list and a tuple a tuple, of the numbers that were in it."""
        form = form_of(value, "params", True)
        assert repr(form.rebuild(np.array([3.0, 4.0], dtype=to_array(value, True).dtype))) == made

    def test_an_array_of_pythons_own_has_no_complex_numbers(self):
        """array.array refuses the complex step by itself, with a type error as math's functions do."""
        with pytest.raises(TypeError, match="no complex numbers"):
            form_of(array.array("d", [1.0]), "params", True).rebuild(np.array([1j]))

    @pytest.mark.parametrize("value", ["a", None, [1.0, None], {1.0}, np.ones(2)], ids=repr)
    def test_anything_else_has_no_form_here(self, value):
        """What is no number and no list of numbers is left to others."""
        assert form_of(value, "params", True) is None


class TestInChecks:
    def test_functions_of_math(self):
        """A cost and a gradient written with Python's math module are checked as they are."""
        report = fastgrad.check_gradient(math.sin, math.cos, 0.3)
        assert report.passed

    def test_a_list_as_scipy_has_it(self):
        """x0 as a list and a gradient as an array are checked against each other, entry by entry."""
        report = fastgrad.check_gradient(
            lambda x: x[0] ** 2 + 3 * x[1], lambda x: np.array([2 * x[0], 3.1]), [1.5, -1.5]
        )
        assert [f.label for f in report.wrong] == ["params[1]"]

    def test_numerical_gradient(self):
        """The numerical gradient of a list of numbers is one array."""
        found = fastgrad.numerical_gradient(lambda x: x[0] ** 2 + 3 * x[1], [1.5, -1.5])
        assert np.allclose(found.values, [3.0, 3.0])


def test_is_number():
    """Integers and floats of Python and NumPy are numbers, bools and complex ones are not."""
    assert all(map(is_number, (1, 1.0, np.int8(1), np.float16(1))))
    assert not any(map(is_number, (True, np.True_, 1j, "1", None, np.ones(1))))
