"""Costs that are changed between two runs of a check, each as a function of the number that is changed."""

from __future__ import annotations

import functools
import types

import numba
import numpy as np

X = np.random.default_rng(0).normal(size=20)


class Tensor:
    """What a tensor is to us."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        """Its numbers."""
        return self.array


class Table(Tensor):
    """What a DataFrame is to us."""

    def __init__(self, array, columns):
        super().__init__(array)
        self.columns = columns


def gradient(p, *args):
    """The gradient of p @ p."""
    return 2 * p


def scaled(k):
    """A cost with a value of an enclosing function."""
    return lambda p, *args: k * float(p @ p)


def made(source, **values):
    """A cost of a module of its own, by its source."""
    module = {"__name__": "made", "np": np} | values
    exec(compile(source, "made.py", "exec"), module)
    return module["cost"]


def first_of(p, data):
    """A cost with a number in its data."""
    return float(np.asarray(data).reshape(-1)[0] * (p @ p))


def rows_of(p, data):
    """A cost with a shape in its data."""
    return float(np.shape(data)[0] * (p @ p))


def of_table(p, table):
    """A cost with a name in its data."""
    return float(np.asarray(table)[0, table.columns.index("scale")] * (p @ p))


def by_name(p, data):
    """A cost with nested data."""
    return float(data["a"][1]["k"] * (p @ p))


def called(p, function):
    """A cost with a function in its data."""
    return function(p)


def of_attribute(p, thing):
    """A cost with an object in its data."""
    return thing.k * float(p @ p)


class Callable:
    """An object that is a cost."""

    def __init__(self, k):
        self.k = k

    def __call__(self, p, *args):
        """The cost."""
        return self.k * float(p @ p)

    cost = __call__


class Opaque(Callable):
    """A cost of which nothing can be known but what it says."""

    def __reduce_ex__(self, protocol):
        raise TypeError

    def __deepcopy__(self, memo):
        return type(self)(self.k)


class NearOnly(Opaque):
    """Such a cost that is another near the parameters only."""

    def __call__(self, p):
        """The cost."""
        return float(X @ X) + self.k * float(p @ p - X @ X)


ONE_LINE = "def cost(p): return {} * float(p @ p)"
TWO = "K = {}\ndef helper(p): return K * float(p @ p)\ndef cost(p): return helper(p)"
CONFIG = "def cost(p): return config.K * float(p @ p)"
CLASS = "class A:\n    def f(self, p): return {} * float(p @ p)\na = A()\ndef cost(p): return a.f(p)"


def config(k):
    """A module with a constant."""
    module = types.ModuleType("config")
    module.K = k
    return module


def objects(k):
    """An array of objects."""
    return np.array([k, None], dtype=object)


def grid(k):
    """An array of six ones, of k rows."""
    return np.ones((int(k), 6 // int(k)))


ONE_AND_THREE = np.array([[1.0, 3.0]])

COSTS = {
    "mended under the same name": lambda k: (made(ONE_LINE.format(k)), ()),
    "value of an enclosing function": lambda k: (scaled(k), ()),
    "constant of the module": lambda k: (made("def cost(p): return K * float(p @ p)", K=k), ()),
    "constant of another module": lambda k: (made(CONFIG, config=config(k)), ()),
    "constant of a function that it calls": lambda k: (made(TWO.format(k)), ()),
    "method of a class that it uses": lambda k: (made(CLASS.format(k)), ()),
    "default": lambda k: (made(f"def cost(p, k={k}): return k * float(p @ p)"), ()),
    "partial": lambda k: (functools.partial(first_of, data=k), ()),
    "callable object": lambda k: (Callable(k), ()),
    "bound method": lambda k: (Callable(k).cost, ()),
    "Numba": lambda k: (numba.njit(lambda p: k * np.sum(p * p)), ()),
    "number in args": lambda k: (first_of, (k,)),
    "list in args": lambda k: (first_of, ([k, 5.0],)),
    "nested args": lambda k: (by_name, ({"a": (1.0, {"k": k})},)),
    "array in args": lambda k: (first_of, (np.array([k]),)),
    "array of objects in args": lambda k: (first_of, (objects(k),)),
    "array of another shape": lambda k: (rows_of, (grid(k),)),
    "tensor in args": lambda k: (first_of, (Tensor(np.array([k])),)),
    "table in args": lambda k: (first_of, (Table(np.array([[k, 5.0]]), ["scale", "other"]),)),
    "names of a table": lambda k: (of_table, (Table(ONE_AND_THREE, ["scale", "other"][:: 2 - int(k)]),)),
    "object in args": lambda k: (of_attribute, (types.SimpleNamespace(k=k),)),
    "function in args": lambda k: (called, (scaled(k),)),
    "what it says at the parameters": lambda k: (Opaque(k), ()),
    "what it says near them": lambda k: (NearOnly(k), ()),
}  # fmt: skip
OTHER = {"array of another shape": (2.0, 3.0), "names of a table": (1.0, 3.0)}
