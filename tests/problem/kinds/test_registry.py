"""Which kind a leaf is: found without importing anything, refused by a sentence where there is none."""

from __future__ import annotations

import collections
import dataclasses
import re
import sys
import types
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from subprocesses import output_of

import fastgrad
from fastgrad.errors import InputError
from fastgrad.problem.kinds import sparse_matrix
from fastgrad.problem.kinds.registry import LIBRARIES, form_of, kind_of, to_array
from fastgrad.problem.parameters import Parameters

X = np.array([0.5, -1.0, 2.0])


@dataclasses.dataclass
class Layer:
    """Parameters in a dataclass."""

    W: object


class ListOfItsOwn(list):
    """A subclass of list."""


class ArrayLike:
    """An object that NumPy can convert, of a library that fastgrad does not know."""

    def __array__(self, dtype=None, copy=None):
        """Three numbers."""
        return X.astype(dtype or float)


class Hostile:
    """An object that raises whatever it is asked."""

    def __getattr__(self, name):
        raise RuntimeError(name)


class TestKindOf:
    def test_by_the_module_of_the_type(self):
        """A type of a known library, or one derived from it, is found by where it was defined."""
        own = types.new_class("Own", (type("csr_matrix", (), {"__module__": "scipy.sparse._csr"}),))
        assert kind_of(own()) is sparse_matrix
        assert kind_of(X) is None
        assert kind_of("scipy") is None

    def test_every_kind_has_both_functions(self):
        """Each module of the table has form_of and to_array; some of their libraries are not installed."""
        from importlib import import_module

        for module in LIBRARIES.values():
            found = import_module(f"fastgrad.problem.kinds.{module}")
            assert callable(found.form_of)
            assert callable(found.to_array)

    @pytest.mark.parametrize("library", sorted({*LIBRARIES} - {"scipy", "jaxlib", "fastgrad"}))
    def test_nothing_is_imported_for_others(self, library):
        """A check of arrays, dicts and lists loads none of these libraries, be they installed or not."""
        code = (
            "import sys, fastgrad, numpy as np\n"
            "p = {'W': np.ones(2), 'l': [1.0, 2.0], 'f': 1.0}\n"
            "cost = lambda p: float((p['W'] ** 2).sum() + p['l'][0] ** 2 + p['f'] ** 2)\n"
            "fastgrad.check_gradient(cost, {'W': 2 * np.ones(2), 'l': [2.0, 0.0], 'f': 2.0}, p)\n"
            f"print({library!r} in sys.modules)"
        )
        assert output_of([sys.executable, "-c", code]).strip() == "False"


class TestRefused:
    # what is given, what is said
    PARAMETERS = (
        ((v for v in X), "It can be read only once: pass list(...) of it"),
        (iter([1.0]), "It can be read only once: pass list(...) of it"),
        (types.MappingProxyType({"W": X}), "It is a mapping of its own kind: pass dict(...) of it"),
        (collections.Counter(W=1), "It is a mapping of its own kind: pass dict(...) of it"),
        ({1.0, 2.0}, "A set has no order: pass a list or a dict"),
        (frozenset({1.0}), "A set has no order: pass a list or a dict"),
        (Layer(X), "Pass the arrays that it holds in a dict, as vars(...) gives them"),
        (Decimal("1.5"), "Differences are taken in floats: pass float(...) of it"),
        (Fraction(1, 2), "Differences are taken in floats: pass float(...) of it"),
        (len, "It is a function, not an array: the order is check_gradient(cost, gradient, params)"),
        (ArrayLike(), "is of type ArrayLike, of which no other is made: pass np.asarray(...) of it"),
        (
            ListOfItsOwn([1.0]),
            "is of type ListOfItsOwn, of which no other is made: pass np.asarray(...) of it",
        ),
        (memoryview(X), "is of type memoryview, of which no other is made: pass np.asarray(...) of it"),
        (Hostile(), "is not an array: got Hostile"),
        (X.astype(object), "Pass W.astype(float) if these are numbers"),
        (np.zeros(2, dtype=[("a", float)]), "Pass its fields as blocks: {field: array[field] for field in"),
        (range(3), "pass np.array(W, dtype=float)"),
        (X.astype("M8[s]"), "Pass arrays of numbers"),
        ("relu", "Pass arrays of numbers"),
        (object(), "Pass arrays of numbers"),
    )

    @pytest.mark.parametrize(("given", "said"), PARAMETERS, ids=lambda v: type(v).__name__)
    def test_parameters(self, given, said):
        """What fastgrad cannot make again is refused, with what to write in its place."""
        with pytest.raises(InputError, match=f"^parameter W .*{re.escape(said)}"):
            Parameters({"W": given})

    @pytest.mark.parametrize("given", [p for p, _ in PARAMETERS if callable(p)])
    def test_functions_in_another_order(self, given):
        """Parameters given in the place of the gradient are noticed."""
        with pytest.raises(InputError, match="the order is check_gradient"):
            fastgrad.check_gradient(given, X, given)


class TestToArray:
    # value, the array
    ARRAYS = (
        (X, X),
        ([1.0, 2.0], [1.0, 2.0]),
        ((np.array(1.0), np.array(2.0)), [1.0, 2.0]),
        (ArrayLike(), X),
        (3.0, 3.0),
    )

    @pytest.mark.parametrize(("value", "expected"), ARRAYS)
    def test_numbers(self, value, expected):
        """Arrays, lists of numbers and of single arrays, and numbers become arrays of NumPy."""
        found = to_array(value, "g")
        assert type(found) is np.ndarray
        assert found.tolist() == np.asarray(expected).tolist()

    def test_a_plain_array_is_itself(self):
        """A plain array is not copied, and has no form."""
        assert to_array(X, "g") is X
        assert form_of(X, "g") is None

    # value, what is said
    REFUSED = (
        ([[1.0], [2.0, 3.0]], r"got a list of length 2. Join the pieces: np.concatenate"),
        (Hostile(), "g is not an array: got Hostile"),
    )

    @pytest.mark.parametrize(("value", "said"), REFUSED, ids=["ragged", "hostile"])
    def test_no_array(self, value, said):
        """What makes no array is refused by name, whatever it raises."""
        with pytest.raises(InputError, match=said):
            to_array(value, "g")
