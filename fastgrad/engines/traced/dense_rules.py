"""How operations are evaluated at K points at once, with the points along a new first axis.

A rule takes an operation and the value of each input at all points, (K, *shape) or as it is where it does not
differ, and gives the results, each (K, *shape). An operation without a rule is called once for each point.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad.engines.traced.changes import aligned
from fastgrad.engines.traced.kinds import MATRICES, POINTWISE, PRODUCTS, axis_of, is_elementwise
from fastgrad.engines.traced.signatures import signature_of
from fastgrad.engines.traced.tape import Array, Method, Operation, Tape, is_alike, refs, substituted


def evaluate_dense(
    operation: Operation, tape: Tape, values: dict[int, Array], points: int
) -> tuple[Array, ...]:
    """The results of an operation at all points, each (K, *shape).

    Parameters
    ----------
    operation : Operation
    tape : Tape
    values : the inputs that differ, (K, *shape) each
    points : K
    """
    rule = _rule_for(operation)
    found = rule(operation, tape, values, points) if rule is not None else None
    if found is None:
        found = _one_by_one(operation, tape, values, points)
    return tuple(
        np.asarray(new).reshape(points, *tape.base[number].shape)
        for new, number in zip(found, operation.outputs, strict=True)
    )


Rule = Callable[[Operation, Tape, dict[int, Array], int], tuple[Any, ...] | None]


def _rule_for(operation: Operation) -> Rule | None:
    function = operation.function
    if is_elementwise(operation):
        return _elementwise
    if isinstance(function, Method):
        rules: dict[str, Rule] = {
            "reduce": _reduction,
            "accumulate": _accumulation,
            "reduceat": _accumulation,
        }
        return rules.get(function.name)
    if function in PRODUCTS:
        return _product
    if function is np.linalg.solve:
        return _solve
    if function is np.einsum:
        return _einsum
    if function in MATRICES:
        return _matrices
    if function in POINTWISE:
        return _pointwise
    return _along if axis_of(function) is not None else None


def _one_by_one(
    operation: Operation, tape: Tape, values: dict[int, Array], points: int
) -> tuple[list[Any], ...]:
    def given(k: int) -> Callable[[int], Any]:
        return lambda number: values[number][k] if number in values else tape.base[number]

    found = [operation.evaluate(given(k)) for k in range(points)]
    results = tuple(list(each) for each in zip(*found, strict=True))
    for new, number in zip(results, operation.outputs, strict=True):
        if not all(is_alike(x, tape.base[number]) for x in new):
            raise OtherShape
    return results


class OtherShape(Exception):
    """An operation gives an array of another shape or dtype at a perturbed point."""


FAILURES = (ArithmeticError, ValueError, IndexError, OtherShape, np.linalg.LinAlgError)
"""What the evaluation of a tape may raise at perturbed points."""


def _with(operation: Operation, value: Callable[[int], Any], **more: Any) -> tuple[Any, ...]:
    args = substituted(operation.args, value)
    kwargs = {k: substituted(v, value) for k, v in operation.kwargs.items()} | more
    result = operation.function(*args, **kwargs)
    return tuple(result) if operation.several else (result,)


def _elementwise(operation: Operation, tape: Tape, values: dict[int, Array], points: int) -> tuple[Any, ...]:
    ndim = tape.base[operation.outputs[0]].ndim

    def given(number: int) -> Any:
        return aligned(values[number], ndim) if number in values else tape.base[number]

    found = _with(operation, given)
    return (
        found if all(np.shape(x)[:1] == (points,) for x in found) else _spread(found, tape, operation, points)
    )


def _spread(found: tuple[Any, ...], tape: Tape, operation: Operation, points: int) -> tuple[Any, ...]:
    shapes = [(points, *tape.base[number].shape) for number in operation.outputs]
    return tuple(np.broadcast_to(x, shape) for x, shape in zip(found, shapes, strict=True))


def _first(operation: Operation, values: dict[int, Array]) -> int | None:
    """The number of the only input that differs, if it is the first argument and others are constants."""
    first = operation.args[0] if operation.args else None
    number = getattr(first, "number", None)
    others = any(refs((operation.args[1:], operation.kwargs)))
    return number if number is not None and set(values) == {number} and not others else None


def _reduction(
    operation: Operation, tape: Tape, values: dict[int, Array], points: int
) -> tuple[Any, ...] | None:
    number = _first(operation, values)
    kwargs = dict(operation.kwargs)
    axis = kwargs.pop("axis", operation.args[1] if len(operation.args) > 1 else 0)
    if number is None or len(operation.args) > 2 or set(kwargs) - {"dtype", "keepdims"}:
        return None
    x, ndim = values[number], tape.base[number].ndim
    if axis == () or tape.base[number].size == 0:
        return None
    kwargs.pop("keepdims", None)  # the results are reshaped
    if axis is None or ndim == 0:
        return (operation.function(x.reshape(points, -1), axis=1, **kwargs),)
    axes = tuple(_from_end(k, ndim) for k in (axis if isinstance(axis, tuple) else (axis,)))
    return (operation.function(x, axis=axes if len(axes) > 1 else axes[0], **kwargs),)


def _from_end(axis: int, ndim: int) -> int:
    return axis - ndim if axis >= 0 else axis


def _accumulation(
    operation: Operation, tape: Tape, values: dict[int, Array], points: int
) -> tuple[Any, ...] | None:
    del points
    number = _first(operation, values)
    if number is None or tape.base[number].ndim == 0:
        return None
    kwargs = dict(operation.kwargs)
    axis = _from_end(kwargs.pop("axis", 0), tape.base[number].ndim)
    return (operation.function(values[number], *operation.args[1:], axis=axis, **kwargs),)


def _product(
    operation: Operation, tape: Tape, values: dict[int, Array], points: int
) -> tuple[Any, ...] | None:
    """a @ b: each point has a product of its own, so that it does not depend on the others of its batch."""
    if len(operation.args) != 2 or operation.kwargs:
        return None
    sides, shapes = [], []
    for k, argument in enumerate(operation.args):
        number = getattr(argument, "number", None)
        base = tape.base[number] if number is not None else np.asarray(argument)
        x = values.get(number, base) if number is not None else base
        if base.ndim == 1:
            x = x[..., None, :] if k == 0 else x[..., :, None]
        sides.append(x)
        shapes.append(base.ndim)
    if max(shapes) > 2:
        return None if operation.function is np.dot else _stacked_product(operation, tape, values)
    return (np.matmul(*sides),)


def _stacked_product(operation: Operation, tape: Tape, values: dict[int, Array]) -> tuple[Any, ...]:
    bases = [tape.base[a.number] if hasattr(a, "number") else np.asarray(a) for a in operation.args]
    ndim = max(base.ndim for base in bases)
    sides = []
    for k, (argument, base) in enumerate(zip(operation.args, bases, strict=True)):
        number = getattr(argument, "number", None)
        x = values.get(number, base) if number is not None else base
        if base.ndim == 1:
            x = x[..., None, :] if k == 0 else x[..., :, None]
        sides.append(aligned(x, ndim) if number in values else x)
    return (np.matmul(*sides),)


def _solve(operation: Operation, tape: Tape, values: dict[int, Array], points: int) -> tuple[Any, ...] | None:
    del points
    if len(operation.args) != 2 or operation.kwargs:
        return None
    a, b = operation.args
    bases = [tape.base[x.number] if hasattr(x, "number") else np.asarray(x) for x in (a, b)]
    if bases[0].ndim != 2 or bases[1].ndim > 2:
        return None
    left, right = (values.get(getattr(x, "number", -1), base) for x, base in zip((a, b), bases, strict=True))
    if bases[1].ndim == 1:
        right = right[..., None]
    return (np.linalg.solve(left, right),)


def _einsum(
    operation: Operation, tape: Tape, values: dict[int, Array], points: int
) -> tuple[Any, ...] | None:
    del points
    text = operation.args[0]
    if not isinstance(text, str) or len(operation.args) != 2 or "." in text or operation.kwargs:
        return None  # products of two are written as such, and of more as those of two
    given, arrow, out = text.replace(" ", "").partition("->")
    if not arrow:
        out = "".join(sorted(c for c in set(given) if given.count(c) == 1))
    letter = next(c for c in "zyxwvutsrqponmlkjihgfedcba" if c not in text)
    return (np.einsum(f"{letter}{given}->{letter}{out}", next(iter(values.values()))),)


def _along(operation: Operation, tape: Tape, values: dict[int, Array], points: int) -> tuple[Any, ...] | None:
    number = _first(operation, values)
    if number is None:
        return None
    bound = _bound(operation)
    if bound is None:
        return None
    found = axis_of(operation.function)
    assert found is not None
    (name, default), x, ndim = found, values[number], tape.base[number].ndim
    axis = bound.pop(name, default)
    bound.pop(next(iter(bound)))
    bound.pop("keepdims", None)
    if np.ndim(bound.get("q", 0)) > 1 or axis == () or ndim == 0:
        return None
    if axis is None:
        x, axis = x.reshape(points, -1), -1
    axis = (
        tuple(_from_end(k, ndim) for k in axis)
        if isinstance(axis, tuple | list)
        else (_from_end(axis, ndim) if axis >= 0 else axis)
    )
    result = operation.function(x, **bound, **{name: axis})
    if operation.function in (np.percentile, np.quantile) and np.ndim(result) and np.ndim(bound.get("q", 0)):
        result = np.moveaxis(result, 0, 1)  # several of them come in front
    return (result,)


def _pointwise(
    operation: Operation, tape: Tape, values: dict[int, Array], points: int
) -> tuple[Any, ...] | None:
    del tape, points
    which = POINTWISE[operation.function]
    number = getattr(operation.args[which], "number", None) if len(operation.args) > which else None
    others = (operation.args[:which], operation.args[which + 1 :], operation.kwargs)
    if number is None or set(values) != {number} or any(refs(others)):
        return None
    return _with(operation, values.__getitem__)


def _bound(operation: Operation) -> dict[str, Any] | None:
    """The arguments by name; None where NumPy does not tell their names."""
    signature = signature_of(operation.function)
    if signature is None:
        return None
    return dict(signature.bind(*operation.args, **operation.kwargs).arguments)


def _matrices(
    operation: Operation, tape: Tape, values: dict[int, Array], points: int
) -> tuple[Any, ...] | None:
    del points
    number = _first(operation, values)
    if number is None or tape.base[number].ndim < 2:
        return None
    return _with(operation, values.__getitem__)
