"""A function that changes args is seen: refused where that is data, said where it may be a counter."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.errors import InputError
from fastgrad.problem.arguments import MANY, fingerprints

X = np.linspace(0.3, 1.7, 5)


def array(kind="numpy"):
    """An array of a library that may be missing."""
    module = pytest.importorskip({"numpy": "numpy"}.get(kind, kind))
    return module.ones(3)


def table():
    """A table of numbers and texts."""
    return pytest.importorskip("pandas").DataFrame({"a": [1.0, 2.0], "b": ["x", "y"], "c": [1, 2]})


def change_table(frame):
    """One number of it."""
    frame.loc[1, "a"] += 1


DATA = {
    "array": (lambda: np.ones(3), lambda a: a.__setitem__(0, a[0] + 1)),
    "array in a dict": (lambda: {"k": [np.ones(3)]}, lambda a: a["k"][0].__setitem__(0, a["k"][0][0] + 1)),
    "tensor": (lambda: array("torch"), lambda a: a.add_(1)),
    "DataFrame": (table, change_table),
    "integers of a DataFrame": (table, lambda a: a.__setitem__("c", a["c"] + 1)),
    "Series": (lambda: table()["a"], lambda a: a.__setitem__(0, a[0] + 1)),
    "DataArray": (
        lambda: pytest.importorskip("xarray").DataArray(np.ones(3)),
        lambda a: a.__setitem__(0, a[0] + 1),
    ),
}
VALUES = {
    "list": (lambda: [1.0, 2.0], lambda a: a.append(1.0)),
    "a number in a list": (lambda: [1.0, [2.0]], lambda a: a[1].__setitem__(0, a[1][0] + 1)),
    "dict": (lambda: {"calls": 0}, lambda a: a.__setitem__("calls", a["calls"] + 1)),
    "a key": (lambda: {"calls": 0}, lambda a: a.__setitem__(f"call {len(a)}", 0)),
    "set": (lambda: {1, 2}, lambda a: a.add(len(a) + 1)),
    "array of objects": (lambda: np.array([1, "x"], dtype=object), lambda a: a.__setitem__(0, a[0] + 1)),
    "texts of a DataFrame": (table, lambda a: a.__setitem__("b", a["b"] + "x")),
}


def changing(kind):
    """The args, a cost that changes them, and one that does not."""
    make, change = (DATA | VALUES)[kind]

    def writing(x, given):
        change(given)
        return float(np.sum(np.sin(x)))

    def reading(x, given):
        return float(np.sum(np.sin(x)))

    return (make(),), writing, reading


@pytest.mark.parametrize("kind", DATA)
def test_a_cost_that_changes_data(kind):
    """Arrays, tensors and tables in args are data: a cost that writes into them is refused."""
    for check in (
        lambda args, cost: fastgrad.check_gradient(cost, lambda x, a: np.cos(x), X, args=args),
        lambda args, cost: fastgrad.check_gradient(cost, np.cos(X), X, args=args),
        lambda args, cost: fastgrad.numerical_gradient(cost, X, args=args),
    ):
        args, writing, _ = changing(kind)
        with pytest.raises(InputError, match="the cost changes the arrays in args"):
            check(args, writing)


@pytest.mark.parametrize("kind", DATA)
def test_a_gradient_that_changes_data(kind):
    """So is a gradient function."""
    args, writing, reading = changing(kind)

    def gradient(x, given):
        writing(x, given)
        return np.cos(x)

    with pytest.raises(InputError, match="the gradient function changes the arrays in args"):
        fastgrad.check_gradient(reading, gradient, X, args=args)


@pytest.mark.parametrize("kind", VALUES)
def test_values_that_are_changed(kind):
    """Lists, dicts and sets may be counters or caches: the report says who changes them, and where."""
    if kind == "texts of a DataFrame" and table()["b"].to_numpy().dtype != object:
        pytest.skip("texts of their own dtype are data")
    args, writing, reading = changing(kind)
    said = "the cost changes args[1] from call to call: its values must not depend on what it changes there"
    report = fastgrad.check_gradient(
        lambda x, _, a: writing(x, a), lambda x, _, a: np.cos(x), X, args=(1.0, *args)
    )
    assert report.passed
    assert said in report.notes
    args, writing, reading = changing(kind)
    found = fastgrad.numerical_gradient(lambda x, _, a: writing(x, a), X, args=(1.0, *args))
    assert said in found.notes

    def gradient(x, _, given):
        writing(x, given)
        return np.cos(x)

    args, writing, reading = changing(kind)
    report = fastgrad.check_gradient(lambda x, _, a: reading(x, a), gradient, X, args=(1.0, *args))
    assert said.replace("the cost", "the gradient function") in report.notes


@pytest.mark.parametrize("kind", DATA | VALUES)
def test_nothing_is_said_of_readers(kind):
    """A cost that only reads them is not accused."""
    args, _, reading = changing(kind)
    report = fastgrad.check_gradient(reading, lambda x, a: np.cos(x), X, args=args)
    assert report.passed
    assert not [note for note in report.notes if "args" in note]


def test_what_is_not_looked_into():
    """Long lists, objects of other types and NaN do not get in the way."""
    long, thing = list(range(MANY + 1)), object()
    before = fingerprints((long, thing, float("nan"), {"a": float("nan"), 3: None, "s": "\ud800"}))
    long[0] = 5
    now = fingerprints((long, thing, float("nan"), {"a": float("nan"), 3: None, "s": "\ud800"}))
    assert now == before
