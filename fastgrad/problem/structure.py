"""The user's nesting of dicts, lists and tuples, taken apart into named leaves by optree.

`Parameters` calls `flatten` and `block_names`. A dict keeps the order in which the user wrote it. A list or a
tuple that holds nothing but numbers is one leaf. A leaf is named by its path: ("enc", 0, "W") is "enc[0].W".
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import optree

from fastgrad.arrays import Floats
from fastgrad.errors import InputError
from fastgrad.printable import shortened, shown_name
from fastgrad.problem.describe import describe, repr_of
from fastgrad.problem.kinds.number import is_vector
from fastgrad.problem.kinds.registry import to_array

ROOT_NAME = "params"
"""The name of the block where the parameters are one array. Entries of a list are called params[0], ..."""

NAMESPACE = "fastgrad"
"""The optree namespace in which dicts keep the order in which they were written."""

LONGEST_STRUCTURE = 200
"""Characters of a structure that are shown in a message."""


def flatten_alike(a: Any, b: Any) -> tuple[Floats, Floats]:
    """All numbers of two structures as two vectors, in the order of the first.

    Where the structures differ, the numbers of the second are in its own order.

    Raises
    ------
    InputError
        For anything that is no real number.
    """
    leaves, spec = flatten(a, "what is compared")
    try:
        others = spec.flatten_up_to(b)
    except Exception:  # another structure, of which optree says what it holds: a repr may raise anything
        others = [b]
    return _numbers(leaves), _numbers(
        [leaf for other in others for leaf in flatten(other, "what is compared")[0]]
    )


def block_name(path: Sequence[object]) -> str:
    """A leaf's name from its path: ("enc", 0, "W") is "enc[0].W", the root array is "params"."""
    name = ""
    for key in path:
        if isinstance(key, str):
            name += f".{key}" if name else key
        else:
            name = f"{name or ROOT_NAME}[{repr_of(key)}]"
    return name or ROOT_NAME


@contextlib.contextmanager
def nesting_limited(what: str) -> Iterator[None]:
    """Refuse, by InputError, what is nested too deeply to be taken apart inside; `what` names it."""
    try:
        yield
    except RecursionError as error:
        raise InputError(
            f"{what}: nested more deeply than can be followed, which is about a thousand levels, or inside "
            "itself. Use fewer levels, such as one dict of arrays",
            code="FG111",
        ) from error


def flatten(structure: Any, what: str = "the parameters") -> tuple[list[Any], optree.PyTreeSpec]:
    """The leaves of a structure in the user's order, and the optree spec that rebuilds it from leaves.

    Raises
    ------
    InputError
        For a structure, which the message calls `what`, that is nested too deeply.
    """
    with nesting_limited(what), optree.dict_insertion_ordered(True, namespace=NAMESPACE):
        return optree.tree_flatten(structure, is_leaf=is_vector, namespace=NAMESPACE)


def block_names(spec: optree.PyTreeSpec) -> list[str]:
    """The name of each leaf."""
    return [
        block_name(tuple(e.field if isinstance(e, optree.NamedTupleEntry) else e.entry for e in accessor))
        for accessor in optree.treespec_accessors(spec)
    ]


def refuse_repeated(names: Sequence[str]) -> None:
    """Refuse two leaves with the same name."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(
                f"two blocks of the parameters would both be called {shown_name(name)}: give their keys "
                "other names",
                code="FG112",
            )
        seen.add(name)


def containers(spec: optree.PyTreeSpec) -> str:
    """The containers of a structure in words, with a star for each leaf: {'a': (*, *)}."""
    text = repr_of(spec).removeprefix("PyTreeSpec(").removesuffix(")").partition(", namespace=")[0]
    return shortened(text, LONGEST_STRUCTURE)


def _numbers(leaves: Sequence[Any]) -> Floats:
    flat = [_real_numbers(leaf) for leaf in leaves]
    return np.concatenate(flat) if flat else np.empty(0)


def _real_numbers(leaf: Any) -> Floats:
    array = to_array(leaf, "what is compared")
    if array.dtype.kind not in "fiub":
        raise InputError(f"what is compared must be real numbers; got {describe(leaf)}", code="FG114")
    return array.astype(np.float64).reshape(-1)
