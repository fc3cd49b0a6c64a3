"""A gradient is read in the structure of the parameters, or in the one other way that is possible."""

from __future__ import annotations

import re
from collections import namedtuple
from types import MappingProxyType

import numpy as np
import pytest
from parameter_cases import Layer

import fastgrad
from fastgrad.errors import InputError
from fastgrad.problem.matching import PREFIXES, SUFFIXES, second_of_pair
from fastgrad.problem.parameters import Parameters

W, B = np.arange(6.0).reshape(2, 3), np.array([7.0, 8.0, 9.0])
PARAMS = {"W": np.ones((2, 3)), "b": np.ones(3)}

Gradients = namedtuple("Gradients", ["dW", "db"])


def matched(params, gradient):
    """The leaves as lists, and the notes."""
    found = Parameters(params).matched(gradient, "gradient")
    return [leaf.tolist() for leaf in found.leaves], found.notes


class TestContainers:
    # parameters, gradient, the leaves
    ALIKE = (
        ([W, B], (W, B), [W, B]),
        ((W, B), [W, B], [W, B]),
        ({"l": [W, (B,)]}, {"l": (W, [B])}, [W, B]),
        (Layer(W, B), (W, B), [W, B]),
        ((W, B), Layer(W, B), [W, B]),
        ({"W": W}, MappingProxyType({"W": W}), [W]),
        ({"a": (1.0, None)}, {"a": [1.0, None]}, [1.0]),
        ([[1.0, 2.0], [3.0, 4.0]], np.array([[1.0, 2.0], [3.0, 4.0]]), [[1.0, 2.0], [3.0, 4.0]]),
        ([np.ones(2), np.ones(2)], np.array([[1.0, 2.0], [3.0, 4.0]]), [[1.0, 2.0], [3.0, 4.0]]),
        ({"r": (1.0, np.ones(()))}, {"r": np.array([5.0, 6.0])}, [5.0, 6.0]),
        ([1.0, 2.0], np.array([3.0, 4.0]), [[3.0, 4.0]]),
        ((1.0, 2.0), [3.0, 4.0], [[3.0, 4.0]]),
        (np.ones(2), [3.0, 4.0], [[3.0, 4.0]]),
        (np.ones(2), (np.array(3.0), np.array(4.0)), [[3.0, 4.0]]),
    )

    @pytest.mark.parametrize(("params", "gradient", "leaves"), ALIKE)
    def test_the_same_entries_in_another_container(self, params, gradient, leaves):
        """Lists for tuples, tuples for named tuples, other mappings and rows of an array are read alike."""
        found, notes = matched(params, gradient)
        assert [np.reshape(leaf, -1).tolist() for leaf in leaves] == [
            np.reshape(f, -1).tolist() for f in found
        ]
        assert notes == ()

    # parameters, gradient
    OTHERS = (
        ([W, B], (W,)),
        ([W, B], (W, B, B)),
        ({"W": W, "b": B}, [W, B]),
        ([np.ones(2), np.ones(2)], np.ones((3, 2))),
        ([W, B], "WB"),
        ([W, B], None),
    )

    @pytest.mark.parametrize(("params", "gradient"), OTHERS)
    def test_other_entries_are_refused(self, params, gradient):
        """Another number of entries, or a list for a dict, is another structure."""
        with pytest.raises(InputError, match="the gradient has another structure than the parameters"):
            matched(params, gradient)


class TestKeys:
    @pytest.mark.parametrize(
        "named", [f"{p}{{}}" for p in PREFIXES] + [f"{{}}{s}" for s in SUFFIXES], ids=str
    )
    def test_one_prefix_or_suffix(self, named):
        """Keys such as dW for W, all with the same prefix or suffix, are taken, in any order, with a note."""
        leaves, notes = matched(PARAMS, {named.format("b"): B, named.format("W"): W})
        assert leaves == [W.reshape(-1).tolist(), B.tolist()]
        assert notes == (
            f"the keys of the gradient are taken for those of the parameters: {named.format('W')} for W",
        )

    # parameters, gradient
    NESTED = (
        ({"enc": {"W": W}, "out": [{"b": B}]}, {"enc": {"dW": W}, "out": [{"db": B}]}),
        ({"enc": {"W": W}, "out": {"b": B}}, {"denc": {"W": W}, "dout": {"b": B}}),
        (Layer(W, B), Gradients(W, B)),
        ({"l": Layer(W, B)}, {"l": Gradients(W, B)}),
        ({"W": [W, B]}, {"dW": (W, B)}),
    )

    @pytest.mark.parametrize(("params", "gradient"), NESTED)
    def test_in_any_depth(self, params, gradient):
        """The keys may be those of an inner dict, or the fields of a named tuple."""
        leaves, notes = matched(params, gradient)
        assert leaves == [W.reshape(-1).tolist(), B.tolist()]
        assert len(notes) == 1

    def test_the_keys_themselves_come_first(self):
        """Where the gradient has the parameters' own keys, nothing is renamed."""
        leaves, notes = matched({"W": 1.0, "dW": 2.0}, {"dW": 4.0, "W": 3.0})
        assert (leaves, notes) == ([[3.0], [4.0]], ())

    # gradient, what is named
    REFUSED = (
        ({"dW": W, "b": B}, "missing: W; not among the parameters: dW"),
        ({"dW": W, "b_grad": B}, "missing: W, b; not among the parameters: dW, b_grad"),
        ({"dW": W, "db": B, "loss": 1.0}, "missing: W, b; not among the parameters: dW, db, loss"),
        ({"dW": W}, "missing: W, b; not among the parameters: dW"),
        ({"newW": W, "newb": B}, "missing: W, b; not among the parameters: newW, newb"),
    )

    @pytest.mark.parametrize(("gradient", "said"), REFUSED)
    def test_other_keys_are_named(self, gradient, said):
        """Keys that are not all made in one way are refused by name."""
        with pytest.raises(InputError, match=re.escape(said)):
            matched(PARAMS, gradient)

    def test_names_are_shown_safely(self):
        """Keys with escapes, line breaks or 500 characters do no harm in the message."""
        with pytest.raises(InputError) as caught:
            matched({"W\x1b[31m": W}, {"a\nb": W, "x" * 500: W})
        assert r"missing: W\x1b[31m; not among the parameters: a\nb, xxxx" in str(caught.value)
        assert len(str(caught.value)) < 500
        assert str(caught.value).isprintable()


class TestPairs:
    # parameters, gradient with its loss
    TAKEN = (
        (np.ones(3), (0.5, B)),
        (np.ones(3), [np.float32(0.5), B]),
        (np.ones(3), (np.array(0.5), B)),
        ([1.0, 2.0, 3.0], (3, [7.0, 8.0, 9.0])),
        ({"b": np.ones(3)}, (0.5, {"b": B})),
        ({"b": np.ones(3)}, (0.5, {"db": B})),
    )

    @pytest.mark.parametrize(("params", "pair"), TAKEN)
    def test_loss_and_gradient(self, params, pair):
        """Of a pair (loss, gradient) the second is the gradient, and a note says so."""
        leaves, notes = matched(params, pair)
        assert leaves == [B.tolist()]
        assert (
            notes[0] == "the gradient comes as a pair (loss, gradient): the second is taken as the gradient"
        )

    def test_a_gradient_that_is_a_pair(self):
        """Two parameters, the first a number, have a gradient that only looks like (loss, gradient)."""
        assert matched((1.0, np.ones(3)), (0.5, B)) == ([[0.5], B.tolist()], ())
        assert matched([1.0, 2.0], (0.5, 0.25)) == ([[0.5, 0.25]], ())

    def test_gradient_and_loss(self):
        """The other order is refused, saying what to return."""
        message = r"comes as a pair \(gradient, number\): return the gradient alone, or as \(loss, gradient\)"
        with pytest.raises(InputError, match=message):
            matched(np.ones(3), (B, 0.5))

    def test_a_number_and_something_else(self):
        """A pair of which the second is no gradient is refused with what is wrong about it."""
        message = r"pair whose first entry is a number, but the second .* must have shape \(3,\)"
        with pytest.raises(InputError, match=message):
            matched(np.ones(3), (0.5, np.ones(4)))

    # value, whether it is such a pair
    PAIRS = (
        ((1.0, "x"), True),
        ([1, B], True),
        ((1.0,), False),
        ((B, B), False),
        ("ab", False),
        (None, False),
    )

    @pytest.mark.parametrize(("value", "is_pair"), PAIRS)
    def test_second_of_pair(self, value, is_pair):
        """A pair is a tuple or a list of two whose first entry is one number."""
        assert (second_of_pair(value) is not None) == is_pair


class TestShapes:
    # the parameter's shape, the gradient's, the shape of parameter - rate * gradient if that is another one
    WITH_ONES = (
        ((3,), (3, 1), (3, 3)),
        ((3,), (1, 3), (1, 3)),
        ((3, 1), (3,), (3, 3)),
        ((1, 3), (3,), None),
        ((2, 3), (2, 3, 1), "no array"),
        ((2, 1, 3), (2, 3), (2, 2, 3)),
        ((1,), (), None),
        ((), (1,), (1,)),
        ((), (1, 1), (1, 1)),
    )

    @pytest.mark.parametrize(("shape", "other", "together"), WITH_ONES)
    def test_axes_of_length_one(self, shape, other, together):
        """A shape that differs in axes of length 1 is read in order; a note says what broadcasting makes."""
        g = np.arange(float(np.prod(shape))).reshape(other)
        leaves, notes = matched({"b": np.ones(shape)}, {"b": g})
        assert leaves == [g.reshape(-1).tolist()]
        said = "is no array" if together == "no array" else f"has shape {together}"
        if together is None:
            assert notes == ()
        else:
            assert notes == (
                f"the gradient of b has shape {other} and the parameter {shape}: they are compared entry by "
                f"entry, but parameter - rate * gradient {said}",
            )

    @pytest.mark.parametrize("other", [(6,), (3, 2), (6, 1), (1, 6), (2, 2), ()])
    def test_any_other_shape_is_refused(self, other):
        """A flat or transposed gradient of a matrix is refused: in which order it is, nobody can know."""
        with pytest.raises(InputError, match=r"the gradient of W must have shape \(2, 3\)"):
            matched({"W": W}, {"W": np.ones(other)})

    def test_a_broadcasting_gradient_in_a_check(self):
        """The note stands in the report of a check that agrees."""
        x = np.array([1.0, 2.0, 3.0])
        report = fastgrad.check_gradient(lambda x: float(x @ x), lambda x: 2 * x[:, None], x)
        assert report.passed
        assert "parameter - rate * gradient has shape (3, 3)" in report.notes[0]
