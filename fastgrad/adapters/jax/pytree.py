"""A pytree taken apart into real arrays with names, and put together again.

`params` of a check are the leaves that have derivatives, each named by its path as jax prints it:
params['dense']['W']. A complex leaf is a real array with one more axis of length 2, for its real and
imaginary parts. Integers, booleans and random keys are held as they are; None is no leaf to jax.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fastgrad.adapters.jax.precision import as_float64, is_inexact, is_known, precision_of
from fastgrad.arrays import Floats
from fastgrad.errors import InputError
from fastgrad.printable import shortened, shown_name
from fastgrad.problem.describe import describe, joined_names, repr_of

HELD = "{names} held as given: {have} no derivatives ({dtypes})"
NONE = "{names} None: to jax a part of the structure without leaves, so that nothing of it is checked"
COMPLEX = (
    "{names} complex: the coordinates are real and imaginary parts, [..., 0] and [..., 1]; of a real "
    "function jax.grad gives dx - i dy, the conjugate of the gradient dx + i dy that is shown"
)


@dataclass(frozen=True, eq=False)
class Pytree:
    """The leaves of a pytree that have derivatives, and all that it takes to build it again."""

    treedef: Any
    names: tuple[str, ...]
    """Of the leaves that have derivatives."""
    dtypes: tuple[str, ...]
    """The precision of each."""
    is_complex: tuple[bool, ...]
    values: tuple[Floats, ...]
    """Each as a real array in float64."""
    leaves: tuple[Any, ...]
    """All leaves; those with derivatives are None."""
    notes: tuple[str, ...]

    @classmethod
    def of(cls, tree: Any, name: str) -> Pytree:
        """From a pytree, which messages call `name`.

        Raises
        ------
        InputError
            For a tracer, for leaves that jax does not know, and for a pytree without a float.
        """
        paths, treedef = jax.tree_util.tree_flatten_with_path(tree)
        labels = _distinct([name + jax.tree_util.keystr(path) for path, _ in paths])
        given = [leaf for _, leaf in paths]
        leaves = [_array(leaf, label) for leaf, label in zip(given, labels, strict=True)]
        moved = dict.fromkeys(k for k, leaf in enumerate(leaves) if is_inexact(leaf))
        if not moved:
            raise InputError(_nothing_to_move(tree, name, labels, leaves), code="FG825")
        for k in moved:
            _require_known(leaves[k], labels[k])
        flags = tuple(bool(jnp.iscomplexobj(leaves[k])) for k in moved)
        names = tuple(labels[k] for k in moved)
        return cls(
            treedef,
            names,
            tuple(precision_of(leaves[k]) for k in moved),
            flags,
            tuple(as_float64(as_real(leaves[k])) for k in moved),
            tuple(None if k in moved else leaf for k, leaf in enumerate(given)),
            _notes(tree, name, labels, leaves, [n for n, flag in zip(names, flags, strict=True) if flag]),
        )

    def build(self, arrays: Sequence[Any]) -> Any:
        """The pytree with other numbers, from real arrays of jax; it may be traced."""
        given = iter(
            jax.lax.complex(array[..., 0], array[..., 1]) if flag else array
            for array, flag in zip(arrays, self.is_complex, strict=True)
        )
        leaves = [next(given) if leaf is None else leaf for leaf in self.leaves]
        return jax.tree_util.tree_unflatten(self.treedef, leaves)

    def take_apart(self, gradient: Any, what: str) -> list[Any]:
        """A gradient with the structure of this pytree as real arrays, of the leaves that have derivatives.

        jax's convention for complex leaves is taken: dx - i dy.

        Raises
        ------
        InputError
            For another structure, or a leaf of another shape.
        """
        leaves, treedef = jax.tree_util.tree_flatten(gradient)
        if treedef != self.treedef:
            raise InputError(
                f"{what} must have the structure of params, {_shown(self.treedef)}; got {_shown(treedef)}. "
                "jax.grad(fn)(params) returns such a pytree",
                code="FG301",
            )
        found = [jnp.asarray(leaf) for leaf, held in zip(leaves, self.leaves, strict=True) if held is None]
        return [self._matched(array, k, what) for k, array in enumerate(found)]

    def _matched(self, array: Any, k: int, what: str) -> Any:
        real = as_real(jnp.conj(array) if self.is_complex[k] else array)
        if np.shape(real) != self.values[k].shape or jnp.iscomplexobj(array) > self.is_complex[k]:
            shape = self.values[k].shape[: -1 if self.is_complex[k] else None]
            kind = "complex" if self.is_complex[k] else "real"
            raise InputError(
                f"{what} must be a {kind} array of shape {shape} at {self.names[k]}; got {describe(array)}",
                code="FG302",
            )
        return real


def as_real(array: Any) -> Any:
    """A real array as it is; a complex one with an axis for its real and imaginary parts."""
    if not jnp.iscomplexobj(array):
        return array
    return jnp.stack([jnp.real(array), jnp.imag(array)], axis=-1)


def require_no_tracer(tree: Any, name: str) -> None:
    """Refuse a pytree that a transformation of jax traces."""
    for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
        if isinstance(leaf, jax.core.Tracer):
            raise InputError(
                f"{name}{jax.tree_util.keystr(path)} is a tracer: inside of jit, grad and vmap it has no "
                "numbers. Call fastgrad outside of them",
                code="FG110",
            )


def _array(leaf: Any, label: str) -> Any:
    """A leaf as an array of jax, in the precision that jax is set to."""
    require_no_tracer(leaf, label)
    try:
        return jnp.asarray(leaf)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{shown_name(label)} is no type that JAX knows: got {shortened(repr_of(leaf))}. jax.grad takes "
            "pytrees of arrays: make it a static field (jax.tree_util.register_dataclass with meta_fields), "
            "or pass it in args=",
            code="FG826",
        ) from error


def _require_known(array: Any, label: str) -> None:
    if not is_known(precision_of(array)):
        raise InputError(
            f"{shown_name(label)} is {array.dtype}: floats of 16, 32 and 64 bits can be checked. Pass "
            ".astype(jnp.float32) of it",
            code="FG826",
        )


def _distinct(labels: list[str]) -> list[str]:
    """Labels, with a number behind those that were there before."""
    seen: dict[str, int] = {}
    found = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        found.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return found


def _nothing_to_move(tree: Any, name: str, labels: list[str], leaves: list[Any]) -> str:
    if not leaves:
        return f"{name} is a pytree without leaves: got {describe(tree)}. There is nothing to check"
    named = zip(labels, leaves, strict=True)
    have = joined_names([f"{shown_name(label)} is {leaf.dtype}" for label, leaf in named])
    return (
        f"no leaf of {name} has derivatives: {have}. jax.grad needs floats: pass .astype(jnp.float32) of "
        "what is a parameter"
    )


def _notes(
    tree: Any, name: str, labels: list[str], leaves: list[Any], of_complex: list[str]
) -> tuple[str, ...]:
    held = [k for k, leaf in enumerate(leaves) if not is_inexact(leaf)]
    paths = jax.tree_util.tree_flatten_with_path(tree, is_leaf=lambda x: x is None)[0]
    nothing = [name + jax.tree_util.keystr(path) for path, leaf in paths if leaf is None]
    notes = []
    if held:
        dtypes = ", ".join(sorted({str(leaves[k].dtype) for k in held}))
        have = "it has" if len(held) == 1 else "they have"
        notes.append(HELD.format(names=_are([labels[k] for k in held]), have=have, dtypes=dtypes))
    if nothing:
        notes.append(NONE.format(names=_are(nothing)))
    if of_complex:
        notes.append(COMPLEX.format(names=_are(of_complex)))
    return tuple(notes)


def _are(names: list[str]) -> str:
    return joined_names([shown_name(n) for n in names]) + (" is" if len(names) == 1 else " are")


def _shown(treedef: Any) -> str:
    return shortened(repr_of(treedef), 200)
