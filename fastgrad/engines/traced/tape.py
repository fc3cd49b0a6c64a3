"""The tape: what a cost does to its parameters, as a straight line of NumPy operations over numbered values.

`recorder` writes it, `batch` evaluates it at perturbed points, and `fastgrad trace` prints it. It is data: it
holds functions of NumPy, constants, and places in the user's files as text, but no more of the user's code.

A value is a number: the parameters' arrays come first, then what each operation gives. What does not depend
on the parameters is a constant, and stands in the arguments of an operation itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.engines.traced.declined import Place

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Ref:
    """A value of the tape, in the arguments of an operation."""

    number: int


@dataclass(frozen=True)
class Method:
    """A method of a ufunc, such as add.reduce, as a function."""

    ufunc: np.ufunc
    name: str

    @property
    def __name__(self) -> str:
        return f"{self.ufunc.__name__}.{self.name}"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the method."""
        return getattr(self.ufunc, self.name)(*args, **kwargs)


@dataclass(frozen=True, eq=False)
class Operation:
    """One call of a NumPy function."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    """Arrays and numbers, with a Ref for each value of the tape; also inside tuples, lists and dicts."""
    kwargs: dict[str, Any]
    outputs: tuple[int, ...]
    several: bool
    """Whether the function returns a tuple or a list."""
    place: Place
    """The line of the user's code."""
    inputs: tuple[int, ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.inputs:
            object.__setattr__(self, "inputs", inputs_of(self.args, self.kwargs))

    def evaluate(self, values: Callable[[int], Any]) -> tuple[Any, ...]:
        """What the function gives for some values of its inputs, as a tuple."""
        result = self.function(
            *substituted(self.args, values), **{k: substituted(v, values) for k, v in self.kwargs.items()}
        )
        return tuple(result) if self.several else (result,)


@dataclass(eq=False)
class Tape:
    """A recorded cost."""

    inputs: tuple[int, ...]
    """The values that are the parameters' arrays, one for each block."""
    operations: list[Operation]
    base: list[Array]
    """Each value at the parameters."""
    output: int
    """The value that is the cost."""
    names: tuple[str, ...] = ()
    """What the parameters' arrays are called."""
    guards: tuple[int, ...] = ()
    """Values that the course of the cost depends on: where one differs, the cost may have taken another
    way, and the plain cost has to be evaluated."""

    def pruned(self) -> Tape:
        """The tape without operations on which neither the cost nor a guard depends."""
        needed, kept = {self.output, *self.guards}, []
        for operation in reversed(self.operations):
            if needed.intersection(operation.outputs):
                needed.update(operation.inputs)
                kept.append(operation)
        return replace(self, operations=kept[::-1])

    def replay(self, leaves: list[Array]) -> Any:
        """The cost at other parameters, operation by operation; None where it may have taken another way.

        Parameters
        ----------
        leaves : the arrays of the parameters
        """
        values: dict[int, Any] = dict(zip(self.inputs, leaves, strict=True))
        for operation in self.operations:
            found = operation.evaluate(values.__getitem__)
            if not all(
                is_alike(x, self.base[number]) for x, number in zip(found, operation.outputs, strict=True)
            ):
                return None
            values.update(zip(operation.outputs, found, strict=True))
        for number in self.guards:
            if not np.array_equal(values[number], self.base[number]):
                return None
        return values[self.output]

    def lines(self) -> Iterator[str]:
        """The tape in words, one line for each operation."""
        names = [*self.names, *[""] * len(self.inputs)]
        for number, name in zip(self.inputs, names, strict=False):
            yield f"%{number} = parameters {name}  {_described(self.base[number])}"
        width = max((len(_left(o)) for o in self.operations), default=0)
        for operation in self.operations:
            kinds = ", ".join(_described(self.base[number]) for number in operation.outputs)
            yield f"{_left(operation):<{min(width, 64)}}  {kinds}  {operation.place}"
        for number in dict.fromkeys(self.guards):
            yield f"guard %{number}: the cost may take another way where it differs"
        yield f"return %{self.output}"


def is_alike(value: Any, base: Array) -> bool:
    """Whether a value has the shape and the dtype that it had when it was recorded."""
    array = np.asarray(value)
    return array.shape == base.shape and array.dtype == base.dtype


def inputs_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[int, ...]:
    """The numbers of the values in the arguments of an operation."""
    return tuple(dict.fromkeys(ref.number for ref in refs((*args, *kwargs.values()))))


def refs(tree: Any) -> list[Ref]:
    """The values in the arguments of an operation."""
    if isinstance(tree, Ref):
        return [tree]
    if isinstance(tree, dict):
        tree = tree.values()
    elif not isinstance(tree, tuple | list):
        return []
    found = []
    for item in tree:
        if isinstance(item, Ref):
            found.append(item)
        elif isinstance(item, tuple | list | dict):
            found += refs(item)
    return found


def substituted(tree: Any, values: Callable[[int], Any]) -> Any:
    """The arguments of an operation with an array in place of each Ref."""
    if isinstance(tree, Ref):
        return values(tree.number)
    if type(tree) in (tuple, list):
        return type(tree)(substituted(item, values) for item in tree)
    if type(tree) is dict:
        return {key: substituted(item, values) for key, item in tree.items()}
    return tree


def _left(operation: Operation) -> str:
    outputs = ", ".join(f"%{number}" for number in operation.outputs)
    given = [_argument(a) for a in operation.args]
    given += [f"{name}={_argument(a)}" for name, a in operation.kwargs.items()]
    return f"{outputs} = {operation.function.__name__}({', '.join(given)})"


def _argument(tree: Any) -> str:
    if isinstance(tree, Ref):
        return f"%{tree.number}"
    if isinstance(tree, np.ndarray):
        return f"{tree:.6g}" if tree.ndim == 0 and tree.dtype.kind == "f" else f"constant {_described(tree)}"
    if isinstance(tree, slice):
        return ":".join("" if part is None else str(part) for part in (tree.start, tree.stop, tree.step))
    if isinstance(tree, tuple | list):
        return f"{'[' if isinstance(tree, list) else '('}{', '.join(map(_argument, tree))}" + (
            "]" if isinstance(tree, list) else ")"
        )
    return tree.__name__ if callable(tree) and hasattr(tree, "__name__") else repr(tree)


def _described(array: Any) -> str:
    array = np.asarray(array)
    return f"{array.dtype.name}{list(array.shape)}"
