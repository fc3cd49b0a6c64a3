"""Any value is described in a few words that can be printed."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.problem.describe import describe, joined_names, repr_of


class Unspeakable:
    """An object whose repr raises."""

    def __repr__(self):
        raise RuntimeError("no words")


class Shaped:
    """An object whose shape means something else."""

    shape = "round"


# value, its description
DESCRIBED = (
    (np.zeros((2, 3), np.float32), "float32 array of shape (2, 3)"),
    ({"W": 1, "b": 2}, "a dict with keys ['W', 'b']"),
    (dict.fromkeys(range(12)), "a dict with keys [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] and 2 more"),
    ([1, 2, 3], "a list of length 3"),
    ((), "a tuple of length 0"),
    (None, "NoneType None"),
    (3, "int 3"),
    ("relu", "str 'relu'"),
    (np.float64(0.5), "float64 np.float64(0.5)"),
    (Unspeakable(), "Unspeakable <Unspeakable>"),
    ("\x1b[2J\n", r"str '\x1b[2J\n'"),
)


class TestDescribe:
    @pytest.mark.parametrize(("value", "words"), DESCRIBED)
    def test_words(self, value, words):
        """Arrays go by dtype and shape, containers by length or keys, anything else by its repr."""
        assert describe(value) == words

    def test_long_values_are_cut(self):
        """A value whose repr fills pages is described in one line."""
        assert len(describe("x" * 10_000)) < 80
        assert len(describe({"k" * 10_000: 1})) < 100

    def test_a_shape_of_another_meaning(self):
        """An object that has something else under the name of shape is described by its repr."""
        assert describe(Shaped()).startswith("Shaped <")


def test_repr_that_raises():
    """The repr of an object that refuses to give one is the name of its type."""
    assert repr_of(Unspeakable()) == "<Unspeakable>"
    assert repr_of("a") == "'a'"


def test_joined_names():
    """Few names are all there; of many the first, and how many more."""
    assert joined_names(["a", "b"]) == "a, b"
    assert joined_names([str(k) for k in range(1012)], 2) == "0, 1 and 1,010 more"
