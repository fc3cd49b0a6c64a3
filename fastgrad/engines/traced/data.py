"""Data whose own methods see recording arrays: X.dot(w), where X is a plain array and w is recorded.

NumPy hands np.dot(X, w) on to w, but not X.dot(w), which reads the numbers of w in C. So where a cost was
declined at such a call it is recorded once more, with its data as arrays of a subclass whose dot is np.dot's:
what it takes beside the parameters, the global names of its module, what closures and objects hold.
"""

from __future__ import annotations

import contextlib
import functools
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

DEEPEST = 4
"""Functions within functions and objects within objects that are looked into."""


class Data(np.ndarray[Any, Any]):
    """A plain array whose dot takes recording arrays."""

    def dot(self, b: Any, out: Any = None) -> Any:
        """np.dot of it and another.

        Parameters
        ----------
        b : the other
        out : what is written to
        """
        return np.dot(self, b) if out is None else np.dot(self, b, out=out)


def without_methods(tree: Any) -> Any:
    """An array as NumPy's own; anything else as it is."""
    return tree.view(np.ndarray) if isinstance(tree, Data) else tree


@contextlib.contextmanager
def seen_by_methods(cost: Callable[..., Any], args: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """The arguments as such data, and the names that a cost knows, for as long as this is entered.

    Parameters
    ----------
    cost : callable(params, *args)
    args : what it takes beside the parameters
    """
    with contextlib.ExitStack() as undo:
        for names in _names_of(cost, DEEPEST, set()):
            for name, value in list(names.items()):
                if type(value) is np.ndarray:
                    names[name] = data = value.view(Data)
                    undo.callback(_put_back, names, name, data, value)
        yield tuple(_as_data(item) for item in args)


def _as_data(tree: Any) -> Any:
    if type(tree) is np.ndarray:
        return tree.view(Data)
    if type(tree) in (tuple, list):
        return type(tree)(map(_as_data, tree))
    return {key: _as_data(item) for key, item in tree.items()} if type(tree) is dict else tree


def _put_back(names: Any, name: Any, data: Data, value: Any) -> None:
    if names.get(name) is data:
        names[name] = value


class _Cells:
    """The names that a closure keeps, as a dict has them."""

    def __init__(self, function: types.FunctionType) -> None:
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        self._cells = {name: cell for name, cell in cells if _is_filled(cell)}

    def items(self) -> list[tuple[str, Any]]:
        """Names and what they hold."""
        return [(name, cell.cell_contents) for name, cell in self._cells.items()]

    def get(self, name: str) -> Any:
        """What a name holds."""
        return self._cells[name].cell_contents

    def __setitem__(self, name: str, value: Any) -> None:
        self._cells[name].cell_contents = value


def _is_filled(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _names_of(thing: Any, depth: int, seen: set[int]) -> Iterator[Any]:
    """What holds names that a function or an object knows: its module, its closure, its attributes."""
    if depth == 0 or id(thing) in seen or isinstance(thing, type | types.ModuleType):
        return
    seen.add(id(thing))
    if isinstance(thing, functools.partial):
        yield thing.keywords
        inner = [thing.func, *thing.args]
    elif isinstance(thing, types.MethodType):
        inner = [thing.__self__, thing.__func__]
    elif isinstance(thing, types.FunctionType):
        yield from _of_function(thing, seen)
        inner = [value for _, value in _Cells(thing).items()]
        inner += [thing.__globals__.get(name) for name in thing.__code__.co_names]
    elif type(getattr(thing, "__dict__", None)) is dict:
        yield vars(thing)
        inner = [value for value in vars(type(thing)).values() if isinstance(value, types.FunctionType)]
        inner += list(vars(thing).values())
    else:
        return
    for one in inner:
        yield from _names_of(one, depth - 1, seen)


def _of_function(function: types.FunctionType, seen: set[int]) -> Iterator[Any]:
    yield _Cells(function)
    if id(function.__globals__) not in seen:
        seen.add(id(function.__globals__))
        yield function.__globals__
