"""The leaves of a gradient, each with the block of the parameters that it belongs to.

`Parameters` calls `matched`. A gradient is first taken as it stands: in the structure of the parameters. If
it is not, it is taken where only one reading is possible, and what is unusual about it becomes a note:

    a list for a tuple, rows of an array for the entries of a list
    keys dW for W, the same for all keys
    (loss, gradient) for gradient
    one axis of length 1 more or less
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optree

from fastgrad.arrays import FloatArray
from fastgrad.errors import InputError
from fastgrad.printable import shown_names
from fastgrad.problem.block import Block, describe_blocks
from fastgrad.problem.describe import describe, joined_names
from fastgrad.problem.kinds.complex_parts import gradient_parts
from fastgrad.problem.kinds.form import Form
from fastgrad.problem.kinds.registry import to_array
from fastgrad.problem.structure import block_names, containers, flatten, nesting_limited

PREFIXES = (
    "d", "d_", "D", "g", "g_", "G", "grad", "grad_", "Grad", "gradient_", "del_", "delta_", "nabla_", "∂",
    "dL_d", "dL_d_", "dLd", "dL/d", "dJ_d", "dJ_d_", "dJd", "dJ/d", "dloss_d", "dloss/d", "dcost_d",
)  # fmt: skip
"""What is written in front of a parameter's name for its gradient."""

SUFFIXES = ("_grad", ".grad", "grad", "Grad", "_gradient", "_g", "_d", "_bar", "bar", "'")
"""What is written after it."""

OF_A_PAIR = "the {what} comes as a pair (loss, gradient): the second is taken as the gradient"


@dataclass(frozen=True)
class Matched:
    """A gradient, block by block."""

    leaves: list[FloatArray]
    """A flat array for each block, with the user's dtype."""
    notes: tuple[str, ...] = ()
    """What is unusual about the gradient, as sentences for the report."""


def matched(spec: optree.PyTreeSpec, blocks: Sequence[Block], gradient: Any, what: str) -> Matched:
    """A gradient, block by block.

    Parameters
    ----------
    spec, blocks : of the parameters
    gradient : in the structure of the parameters, or as the module says
    what : "gradient", or how else messages call the whole

    Raises
    ------
    InputError
        For a leaf that is missing, unknown, of another shape, or not of a float dtype, with its name.
    """
    with nesting_limited(f"the {what}"):
        return _matched(spec, blocks, gradient, what)


def _matched(spec: optree.PyTreeSpec, blocks: Sequence[Block], gradient: Any, what: str) -> Matched:
    try:
        return _as_it_stands(spec, blocks, gradient, what)
    except InputError as error:
        second = second_of_pair(gradient)
        if second is None:
            _refuse_other_pair(spec, blocks, gradient, what)
            raise
        try:
            found = _as_it_stands(spec, blocks, second, what)
        except InputError as other:
            raise InputError(
                f"the {what} comes as a pair whose first entry is a number, but the second is not a gradient "
                f"of the parameters: {other.message}. Return the gradient alone",
                code="FG304",
            ) from error
        return Matched(found.leaves, (OF_A_PAIR.format(what=what), *found.notes))


def second_of_pair(value: object) -> Any:
    """The second entry of a pair whose first is one number; None if it is no such pair."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        return None
    try:
        first = to_array(value[0], "the loss")
    except InputError:
        return None
    return value[1] if first.ndim == 0 and first.dtype.kind in "iufc" else None


def _refuse_other_pair(spec: optree.PyTreeSpec, blocks: Sequence[Block], gradient: Any, what: str) -> None:
    """Refuse (gradient, loss): which of the two is meant is for the user to say."""
    if not isinstance(gradient, tuple | list) or second_of_pair(gradient[::-1]) is None:
        return
    try:
        _as_it_stands(spec, blocks, gradient[0], what)
    except InputError:
        return
    raise InputError(
        f"the {what} comes as a pair (gradient, number): return the gradient alone, or as (loss, gradient)",
        code="FG304",
    )


def _as_it_stands(spec: optree.PyTreeSpec, blocks: Sequence[Block], gradient: Any, what: str) -> Matched:
    leaves = _by_structure(spec, gradient)
    notes = []
    if leaves is None:
        leaves, note = _read_otherwise(spec, gradient)
        notes += [note] if note else []
    if leaves is None:
        raise InputError(_structure_message(spec, blocks, gradient, what), code="FG301")
    found = [matching_leaf(leaf, block, what) for leaf, block in zip(leaves, blocks, strict=True)]
    notes += [note for _, note in found if note]
    return Matched([leaf for leaf, _ in found], tuple(notes))


def _by_structure(spec: optree.PyTreeSpec, gradient: Any) -> list[Any] | None:
    """The leaves of a gradient in the structure of the parameters; None if it is in another one."""
    try:
        leaves: list[Any] = spec.flatten_up_to(gradient)
    except Exception:  # another structure, of which optree says what it holds: a repr may raise anything
        return None
    return None if any(map(_is_dict, leaves)) else leaves


def _is_dict(leaf: object) -> bool:
    """Whether a leaf is a dict with leaves of its own; a dict of another class is none for optree."""
    if not isinstance(leaf, dict):
        return False
    found: Any = leaf
    return not optree.tree_is_leaf(found)


def _read_otherwise(spec: optree.PyTreeSpec, gradient: Any) -> tuple[list[Any] | None, str]:
    """The leaves by the first other reading that fits, and a note on it; None if none fits."""
    numbered = optree.tree_unflatten(spec, list(range(spec.num_leaves)))
    affixes = [("", ""), *((prefix, "") for prefix in PREFIXES), *(("", suffix) for suffix in SUFFIXES)]
    for prefix, suffix in affixes:
        renaming = _Renaming(prefix, suffix)
        try:
            leaves = dict(_walk(numbered, gradient, renaming))
        except _OtherStructureError:
            continue
        return [leaves[k] for k in range(spec.num_leaves)], renaming.note
    return None, ""


class _OtherStructureError(Exception):
    """A gradient cannot be read in this way."""


@dataclass
class _Renaming:
    """How keys of the gradient are made of those of the parameters; the first one that was."""

    prefix: str
    suffix: str
    first: str = ""

    def find(self, keys: Sequence[Any], among: Sequence[Any]) -> list[Any]:
        """The gradient's keys for those of the parameters, in their order."""
        for names in (list(keys), [self._renamed(key) for key in keys]):
            if len(names) == len(among) and set(names) == set(among):
                if names and names != list(keys) and not self.first:
                    self.first = f"{names[0]} for {keys[0]}"
                return names
        raise _OtherStructureError

    def _renamed(self, key: Any) -> Any:
        return f"{self.prefix}{key}{self.suffix}" if isinstance(key, str) else key

    @property
    def note(self) -> str:
        """What was renamed, as a sentence; empty if nothing was."""
        if not self.first:
            return ""
        return f"the keys of the gradient are taken for those of the parameters: {self.first}"


def _walk(numbered: Any, gradient: Any, renaming: _Renaming) -> Iterator[tuple[int, Any]]:
    """The leaves of a gradient with the numbers that stand in their places.

    Parameters
    ----------
    numbered : the structure of the parameters, with the number of each leaf in its place
    gradient : the gradient, or a part of it
    renaming : _Renaming of keys
    """
    if isinstance(numbered, int):
        if _is_dict(gradient):
            raise _OtherStructureError
        yield numbered, gradient
        return
    for child, its_gradient in _children(numbered, gradient, renaming):
        yield from _walk(child, its_gradient, renaming)


def _children(numbered: Any, gradient: Any, renaming: _Renaming) -> list[tuple[Any, Any]]:
    if isinstance(numbered, dict) and isinstance(gradient, Mapping):
        keys = renaming.find(list(numbered), list(gradient))
        return [(child, gradient[key]) for child, key in zip(numbered.values(), keys, strict=True)]
    if isinstance(numbered, list | tuple):
        entries = _entries(numbered, gradient, renaming)
        if len(entries) == len(numbered):
            return list(zip(numbered, entries, strict=True))
    if numbered is None and gradient is None:
        return []
    raise _OtherStructureError


def _entries(numbered: Any, gradient: Any, renaming: _Renaming) -> list[Any]:
    """The entries of a list or tuple; of named tuples by their fields, of an array its rows."""
    if isinstance(gradient, tuple) and hasattr(numbered, "_fields") and hasattr(gradient, "_fields"):
        return [getattr(gradient, name) for name in renaming.find(numbered._fields, gradient._fields)]
    if isinstance(gradient, list | tuple):
        return list(gradient)
    if isinstance(gradient, Mapping | str) or gradient is None:
        raise _OtherStructureError
    try:
        rows = to_array(gradient, "the gradient")
    except InputError as error:
        raise _OtherStructureError from error
    if rows.ndim == 0:
        raise _OtherStructureError
    return list(rows)


def matching_leaf(leaf: object, block: Block, what: str) -> tuple[FloatArray, str]:
    """A leaf of a gradient as a flat array, and a note where its shape is not quite the block's.

    Parameters
    ----------
    leaf : what the user gave
    block : the block whose gradient it is
    what : "gradient", or how else messages call the whole structure

    Raises
    ------
    InputError
        Unless the leaf has a float dtype, and the shape of its block, axes of length 1 aside.
    """
    name = f"the {what} of {block.shown}"
    if block.form is not None and block.form.is_complex:
        return _complex_leaf(leaf, block, block.form, name)
    align = None if block.form is None else block.form.align
    array = None if align is None else align(leaf, name)
    if array is None:
        array = to_array(leaf, name)
    if array.dtype.kind != "f":
        hint = " (integers drop the fraction: compute it in floats)" * (array.dtype.kind in "iub")
        hint += ". Is a return missing?" * (leaf is None)
        raise InputError(f"{name} must hold real floats; got {describe(leaf)}{hint}", code="FG303")
    if array.shape == block.shape:
        return array.reshape(-1), ""
    if _without_ones(array.shape) != _without_ones(block.shape):
        raise InputError(
            f"{name} must have shape {block.shape}, as the parameter has; got shape {array.shape}"
            + _shape_hint(array.shape, block),
            code="FG302",
        )
    return array.reshape(-1), _shape_note(array.shape, block, name)


def _complex_leaf(leaf: object, block: Block, form: Form, name: str) -> tuple[FloatArray, str]:
    """The real and imaginary parts of a gradient by complex numbers, and what it was taken for."""
    array = to_array(leaf, name)
    if array.dtype.kind not in "cf":
        hint = ". Is a return missing?" * (leaf is None)
        raise InputError(f"{name} must hold complex floats; got {describe(leaf)}{hint}", code="FG303")
    parts = gradient_parts(array, block.shape_as_given, name, form.is_conjugate)
    return parts.reshape(-1), form.gradient_note.replace("{name}", block.shown)


def _shape_hint(shape: tuple[int, ...], block: Block) -> str:
    if len(shape) == 2 and shape[::-1] == block.shape:
        return ": transposed?"
    if int(np.prod(shape, dtype=np.int64)) == block.size:
        return ": the size is right, reshape it"
    if shape == () and block.shape and block.name == "params":  # the only one
        return ": is it the cost, and are cost and gradient in each other's place?"
    if len(shape) == len(block.shape) == 1 and shape[0] % block.shape[0] == 0:
        return ": twice a list is a list of twice the length; give the parameters as np.array(...)"
    return ""


def _shape_note(shape: tuple[int, ...], block: Block, name: str) -> str:
    """What comes of another shape with the same entries when the parameter is moved along the gradient."""
    try:
        together = np.broadcast_shapes(shape, block.shape)
        comes_of_it = f"has shape {together}"
    except ValueError:
        together, comes_of_it = None, "is no array"
    if together == block.shape:
        return ""
    return (
        f"{name} has shape {shape} and the parameter {block.shape}: they are compared entry by entry, but "
        f"parameter - rate * gradient {comes_of_it}"
    )


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in shape if n != 1)


def _structure_message(spec: optree.PyTreeSpec, blocks: Sequence[Block], gradient: Any, what: str) -> str:
    leaves, other = flatten(gradient, f"the {what}")
    expected = [b.name for b in blocks]
    got = block_names(other)
    missing = [b.shown for b in blocks if b.name not in set(got)]
    unknown = shown_names([name for name in got if name not in set(expected)])
    lines = [f"the {what} has another structure than the parameters"]
    if missing:
        lines.append(f"missing: {joined_names(missing)}")
    if unknown:
        lines.append(f"not among the parameters: {joined_names(unknown)}")
    if not missing and not unknown:
        return f"{lines[0]}; its containers differ: expected {containers(spec)}, got {containers(other)}"
    lines.append(f"expected {describe_blocks(blocks)}; got {describe(gradient)}")
    if len(leaves) == 1 and _size(leaves[0]) == sum(b.size for b in blocks):
        lines.append("the size is right: reshape it to the parameters' structure")
    return "; ".join(lines)


def _size(leaf: object) -> int:
    try:
        return to_array(leaf, "the gradient").size
    except InputError:
        return -1
