"""Functions, objects and data of all kinds, of which each process must have the same hashes."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import functools
import pathlib
import threading

import numba
import numpy as np
import scipy.sparse
from scipy.stats import norm
from sklearn.linear_model import LinearRegression

import fastgrad
from fastgrad.execution.contents import contents

SCALE = 2.0
NAMES = {"alpha", "beta", "gamma", "delta", "epsilon"}


class Colour(enum.Enum):
    """Members with values of two types."""

    RED = 1
    BLUE = "b"


@dataclasses.dataclass
class Settings:
    """Settings with a set of names."""

    rate: float = 0.5
    names: frozenset = frozenset({"x", "y", "zz"})
    colour: Colour = Colour.RED


Pair = collections.namedtuple("Pair", "first second")


class Model:
    """An object with a lock, a set, an array and itself."""

    tags = {"p", "q", "r"}  # noqa: RUF012

    def __init__(self):
        self.w = np.arange(3.0)
        self.lock = threading.Lock()
        self.itself = self
        self.names = {"u", "v", "w"}

    @property
    def twice(self):
        """Read by the cost."""
        return 2 * SCALE

    def __call__(self, x):
        """A cost."""
        return inner_product(self.w, x) * self.twice


class Named:
    """An object that is known by its name."""

    def __reduce__(self):
        """Where it is found."""
        return "NAMED"


def inner_product(w, x):
    """A function with names and sets of constants."""
    return w @ x if x in NAMES else [y for y in x if y in {"m", "n", "o"}]


@functools.lru_cache
def cached(x):
    """A function that keeps its answers."""
    return SCALE * x


@numba.njit
def jitted(x):
    """A compiled function with a global constant."""
    return x.sum() * SCALE


def everything(x, k=3, *, settings=Settings()):  # noqa: B008
    """A function that reads all kinds of things."""
    return norm.logpdf(x) + cached(k) + jitted(x) + np.pi * settings.rate + scipy.sparse.eye(3)[0, 0]


def objects():
    """An array of objects."""
    array = np.empty(2, dtype=object)
    array[:] = [Settings(), {"k", "l", "m"}]
    return array


CASES = {
    "function": everything,
    "lambda": lambda x, names={"a", "b", "c"}: x in names,
    "callable object": Model(),
    "bound method": Model().__call__,
    "partial": functools.partial(everything, settings=Settings(0.25)),
    "cached": cached,
    "compiled": jitted,
    "builtin": len,
    "method of a builtin": "abc".join,
    "ufunc": np.sin,
    "vectorized": np.vectorize(inner_product),
    "distribution": norm(0.0, 1.0),
    "estimator": LinearRegression().fit(np.eye(3), np.arange(3.0)),
    "sparse matrix": scipy.sparse.csr_matrix(np.eye(3)),
    "network": fastgrad.Network([fastgrad.Dense(3, 2)], fastgrad.SoftmaxCrossEntropy()).cost,
    "class": Model,
    "enum": Colour.BLUE,
    "dataclass": Settings(),
    "named tuple": Pair(1, {"s", "t"}),
    "decimal": decimal.Decimal("1.5"),
    "date": datetime.datetime(2020, 1, 2, 3),
    "path": pathlib.PurePosixPath("a/b"),
    "objects": objects(),
    "long doubles": np.arange(3, dtype=np.longdouble) / 3,
    "masked array": np.ma.masked_array([1.0, 2.0], [False, True]),
    "records": np.zeros(3, dtype=np.dtype([("a", "i1"), ("b", "f8")], align=True)),
    "texts": np.array(["x", "yy"], dtype=np.dtypes.StringDType()),
    "dates": np.array(["2020-01-01"], dtype="M8[s]"),
    "strided": np.arange(12.0).reshape(3, 4)[::2, 1::2],
    "bytes": [b"a", bytearray(b"b"), memoryview(b"c")],
    "keys": {("a", frozenset("xyz")): 1, None: 2, 3.0: {"n", "m"}},
    "ordered dict": collections.OrderedDict(a=1, b=2),
    "default dict": collections.defaultdict(list, a=[1]),
    "generator": (k for k in range(3)),
    "random numbers": np.random.default_rng(),
    "old random numbers": np.random.RandomState(),
    "lock": threading.Lock(),
    "dtype": np.dtype([("a", "i1"), ("b", "f8")]),
    "named": Named(),
    "plain": [None, ..., True, 1, 1.5, 1j, "text", -0.0, float("nan"), slice(1, 2), range(3)],
}


def hashes():
    """The hashes of all cases."""
    return {name: contents({name: value}) for name, value in CASES.items()}
