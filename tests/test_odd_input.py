"""Whatever comes in, what comes out is a report or an InputError whose text can be printed.

An exception from inside fastgrad, such as an AttributeError, is never what a user should see. Each odd object
is given as parameters, as gradient, and as what the cost returns.
"""

from __future__ import annotations

import array
import collections
import dataclasses
import datetime
import enum
import itertools
import types
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import fastgrad

X = np.array([0.5, -1.0, 2.0])

Pair = collections.namedtuple("Pair", ["W", "b"])


class Plain:
    """An object without anything."""


class BadRepr:
    """An object whose repr raises."""

    def __repr__(self):
        raise RuntimeError("repr")


class BadArray:
    """An object that refuses to become an array."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("array")


class GoodArray:
    """An object that becomes an array."""

    def __array__(self, dtype=None, copy=None):
        return X.astype(dtype or float)


class Hostile:
    """An object that raises whatever it is asked."""

    def __getattr__(self, name):
        raise RuntimeError(name)


class RoundShape:
    """An object whose shape is something else."""

    shape = "round"
    dtype = 3


class OwnArray(np.ndarray):
    """A subclass of NumPy's array."""


class OwnList(list):
    """A subclass of list."""


class OwnDict(dict):
    """A subclass of dict."""


class OwnFloat(float):
    """A subclass of float."""


class Colour(enum.Enum):
    """An enumeration."""

    RED = 1.0


@dataclasses.dataclass
class Record:
    """A dataclass."""

    W: object


ODD = {
    "None": lambda: None,
    "str": lambda: "text",
    "nasty str": lambda: "\ud800\x1b[31m\n",
    "bytes": lambda: b"text",
    "bytearray": lambda: bytearray(b"abc"),
    "memoryview": lambda: memoryview(X),
    "empty set": set,
    "set": lambda: {1.0},
    "frozenset": lambda: frozenset({1.0}),
    "generator": lambda: (v for v in [1.0]),
    "iterator": lambda: iter([1.0]),
    "count": itertools.count,
    "range": lambda: range(3),
    "object": Plain,
    "bad repr": BadRepr,
    "bad array": BadArray,
    "good array": GoodArray,
    "hostile": Hostile,
    "round shape": RoundShape,
    "lambda": lambda: lambda *_: 1.0,
    "builtin": lambda: len,
    "type": lambda: int,
    "module": lambda: np,
    "exception": lambda: Exception("text"),
    "NotImplemented": lambda: NotImplemented,
    "Ellipsis": lambda: ...,
    "slice": lambda: slice(1, 2),
    "dtype": lambda: np.dtype(float),
    "enum": lambda: Colour.RED,
    "datetime": datetime.datetime.now,
    "bool": lambda: True,
    "numpy bool": lambda: np.True_,
    "int": lambda: 3,
    "huge int": lambda: 10**400,
    "float": lambda: 0.5,
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "own float": lambda: OwnFloat(1.0),
    "complex": lambda: 1j,
    "real complex": lambda: complex(1, 0),
    "Decimal": lambda: Decimal("1.5"),
    "Fraction": lambda: Fraction(1, 2),
    "float16": lambda: np.float16(1),
    "longdouble": lambda: np.longdouble(1),
    "0-d": lambda: np.array(1.5),
    "empty": lambda: np.empty(0),
    "empty matrix": lambda: np.empty((0, 3)),
    "dates": lambda: np.array(["2020-01-01"], dtype="M8[D]"),
    "durations": lambda: np.array([1, 2], dtype="m8[s]"),
    "objects": lambda: np.array([1.0, None], dtype=object),
    "float objects": lambda: np.array([1.0, 2.0], dtype=object),
    "half": lambda: np.ones(3, np.float16),
    "long doubles": lambda: np.ones(3, np.longdouble),
    "complex array": lambda: np.ones(3, complex),
    "strings": lambda: np.array(["a"]),
    "structured": lambda: np.zeros(2, dtype=[("a", float), ("b", float)]),
    "reversed": lambda: X[::-1],
    "Fortran": lambda: np.asfortranarray(np.ones((2, 3))),
    "big-endian": lambda: X.astype(">f8"),
    "big-endian single": lambda: X.astype(">f4"),
    "read-only": lambda: np.frombuffer(X.tobytes()),
    "twenty axes": lambda: np.ones((1,) * 20),
    "own array": lambda: X.view(OwnArray),
    "record array": lambda: X.view(np.recarray),
    "matrix": lambda: np.ones((1, 3)).view(np.matrix),
    "masked array": lambda: np.ma.array(X, mask=[0, 1, 0]),
    "unmasked array": lambda: np.ma.array(X),
    "masked": lambda: np.ma.masked,
    "nditer": lambda: np.nditer(X),
    "own list": lambda: OwnList([1.0, 2.0]),
    "own dict": lambda: OwnDict(W=1.0),
    "ordered dict": lambda: collections.OrderedDict(W=1.0),
    "counter": lambda: collections.Counter(W=1),
    "deque": lambda: collections.deque([1.0, 2.0]),
    "mapping": lambda: types.MappingProxyType({"W": 1.0}),
    "namespace": lambda: types.SimpleNamespace(W=1.0),
    "record": lambda: Record(X),
    "named tuple": lambda: Pair(X, 1.0),
    "named tuple of numbers": lambda: Pair(1.0, 2.0),
    "stdlib array": lambda: array.array("d", X),
    "stdlib integers": lambda: array.array("i", [1]),
    "stdlib characters": lambda: array.array("u", "ab"),
    "empty list": list,
    "empty tuple": tuple,
    "empty dict": dict,
    "nested empty": lambda: [[]],
    "list of None": lambda: [None],
    "dict of None": lambda: {"W": None},
    "mixed list": lambda: [1.0, "a"],
    "list with None": lambda: [1.0, None],
    "list with bool": lambda: [True, 1.0],
    "list with complex": lambda: [1.0, 1j],
    "list with huge int": lambda: [10**400, 1.0],
    "list of ints": lambda: [1, 2],
    "list of floats": lambda: [1.0, 2.0],
    "list of singles": lambda: [np.float32(1), np.float32(2)],
    "list of 0-d": lambda: [np.array(1.0), np.array(2.0)],
    "ragged list": lambda: [[1.0, 2.0], [3.0]],
    "list in list": lambda: [1.0, [2.0]],
    "array in tuple": lambda: (1.0, X),
    "deep": lambda: {"a": {"b": [1.0, (2.0, X)]}},
    "keys of all kinds": lambda: {1: X, None: X, (1, 2): X, b"k": X, "": X},
    "key with bad repr": lambda: {BadRepr(): 1.0},
    "key of two names": lambda: {"a.b": 1.0, "a": {"b": 2.0}},
    "nasty key": lambda: {"\x1b[31m\n\u202e\ud800": X},
    "long key": lambda: {"a" * 500: X},
}
"""Odd objects, by name; each is made anew, for some can be read only once."""

PARAMETERS = (X, {"W": X, "b": 2.0}, [X, X], [1.0, 2.0], 1.0, X[None].view(np.matrix))
"""Usual parameters, whose gradient is something odd."""


LIBRARIES = {
    "torch": lambda torch: (
        torch.empty(0),
        torch.tensor(2.0),
        torch.ones(3).to_sparse(),
        torch.ones(3, device="meta"),
        torch.ones(3, requires_grad=True) * 2,
        torch.randn(3, dtype=torch.complex64).conj(),
        torch.ones(3, dtype=torch.bfloat16),
        torch.tensor([True]),
        torch.Size([1, 2]),
        torch.float32,
        torch.device("cpu"),
        torch.Generator(),
        torch.nn.Parameter(torch.ones(2)),
        torch.nn.ParameterDict({"a": torch.nn.Parameter(torch.ones(2))}),
        torch.nn.ParameterList([torch.nn.Parameter(torch.ones(2))]),
        torch.nn.Linear(2, 1),
    ),
    "jax": lambda jax: (
        jax.numpy.empty(0),
        jax.numpy.float32(1),
        jax.numpy.arange(3),
        jax.numpy.ones(2, complex),
        jax.numpy.ones(2, jax.numpy.bfloat16),
        jax.random.key(0),
        jax.numpy.float32,
        jax.numpy,
    ),
    "pandas": lambda pd: (
        pd.Series(dtype=float),
        pd.Series(["a"]),
        pd.Series([1, 2]),
        pd.Series([1.0, None]),
        pd.Series([1.0, 2.0], dtype="Float64"),
        pd.Series(pd.arrays.SparseArray([1.0, 0.0])),
        pd.Series(pd.to_datetime(["2020"])),
        pd.Series([1.0, 2.0]).rolling(2),
        pd.DataFrame(),
        pd.DataFrame({"a": [1.0], "b": ["x"]}),
        pd.DataFrame([[1.0, 2.0]], columns=["a", "a"]),
        pd.DataFrame({"a": [1.0]}).groupby("a"),
        pd.Index([1.0]),
        pd.MultiIndex.from_tuples([("a", 1)]),
        pd.array([1.0]),
        pd.Categorical(["a"]),
        pd.Timestamp("2020"),
        pd.NA,
        pd.NaT,
    ),
    "xarray": lambda xr: (
        xr.DataArray(1.0),
        xr.DataArray([1]),
        xr.DataArray(["a"]),
        xr.DataArray(np.empty((0, 2))),
        xr.Dataset({"a": ("x", [1.0])}),
        xr.Dataset(),
        xr.Variable("x", [1.0]),
    ),
    "scipy": lambda scipy: (
        scipy.sparse.csr_matrix(np.eye(2)),
        scipy.sparse.eye_array(2),
        scipy.sparse.linalg.aslinearoperator(np.eye(2)),
        scipy.optimize.OptimizeResult(x=X),
        scipy.stats.norm(),
        scipy.sparse.csr_matrix,
    ),
}
"""Odd objects of other libraries, each given its module."""

INSIDE = (lambda v: v, lambda v: {"W": v}, lambda v: [v, X])
"""Where an odd object stands among parameters."""

BESIDE = (
    lambda make: make,
    lambda make: lambda: {"W": make(), "b": make()},
    lambda make: lambda: [make(), make()],
    lambda make: lambda: (1.0, make()),
)
"""What is made of an odd object for a gradient."""


def outcome(check, *given, **options):
    """The report or InputError that comes of a check; its text can be printed and is not too long."""
    try:
        found = check(*given, **options)
        text = (
            "" if isinstance(found, fastgrad.NumericalGradient) else str(found)
        )  # which has the user's keys
    except fastgrad.InputError as error:
        text = str(error)
        assert len(text) < 900
    assert all(line.isprintable() for line in text.split("\n"))
    return text


@pytest.mark.parametrize("make", ODD.values(), ids=ODD.keys())
class TestOdd:
    @pytest.mark.parametrize("inside", INSIDE, ids=["alone", "in a dict", "in a list"])
    def test_as_parameters(self, make, inside):
        """Odd parameters, alone or beside others, are checked or refused by a sentence."""
        if make() is not None:  # a gradient that is None is none
            outcome(fastgrad.check_gradient, lambda p: 1.0, inside(make()), inside(make()))
        outcome(fastgrad.numerical_gradient, lambda p: 1.0, inside(make()))

    def test_as_what_the_cost_returns(self, make):
        """An odd value of the cost, alone or beside a loss, is a number or refused by a sentence."""
        for options in ({}, {"vectorized": True}, {"method": "complex"}):
            outcome(fastgrad.check_gradient, lambda p: make(), lambda p: p, X, **options)
        outcome(fastgrad.check_gradient, lambda p: (1.0, make()), lambda p: p, X)
        outcome(fastgrad.check_gradient, lambda p: (1.0, make()), True, X)

    @pytest.mark.parametrize("params", PARAMETERS, ids=lambda p: type(p).__name__)
    def test_as_gradient(self, make, params):
        """An odd gradient, alone, in a dict or beside a loss, is compared or refused by a sentence."""
        for made in (beside(make) for beside in BESIDE):
            outcome(fastgrad.check_gradient, lambda p: 1.0, lambda p, made=made: made(), params)
            if not callable(made()) and made() is not None:
                outcome(fastgrad.check_gradient, lambda p: 1.0, made(), params)

    def test_in_relative_error(self, make):
        """An odd object has a relative error to itself, or is refused by a sentence."""
        outcome(fastgrad.relative_error, make(), make())


@pytest.mark.parametrize("library", LIBRARIES)
def test_of_other_libraries(library):
    """The same holds for odd objects of the libraries that fastgrad knows, where they are installed."""
    for made in LIBRARIES[library](pytest.importorskip(library)):
        for inside in INSIDE:
            outcome(fastgrad.numerical_gradient, lambda p: 1.0, inside(made))
            if not callable(inside(made)):  # a gradient that can be called is called
                outcome(fastgrad.check_gradient, lambda p: 1.0, inside(made), inside(made))
        for options in ({}, {"vectorized": True}, {"method": "complex"}):
            outcome(fastgrad.check_gradient, lambda p, made=made: made, X, X, **options)
        for params in PARAMETERS:
            for beside in BESIDE:
                gradient = beside(lambda made=made: made)
                outcome(fastgrad.check_gradient, lambda p: 1.0, lambda p, g=gradient: g(), params)
        outcome(fastgrad.relative_error, made, made)


def test_the_test_above_can_fail():
    """The twin: an exception from inside passes through, and a text that acts on a terminal is noticed."""

    def raising():
        raise AttributeError("inside")

    with pytest.raises(AttributeError):
        outcome(raising)
    with pytest.raises(AssertionError):
        outcome(lambda: "\x1b[31m")
