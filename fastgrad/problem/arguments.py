"""The data `args` that the cost and the gradient function take beside the parameters.

Engines call the cost with `settled_arrays(args)`, so that every worker computes with the same layout.
`checks` and the preflight wrap the user's functions in `args_unchanged`. `array_leaves` gives the arrays
among the args to whoever looks at them: the identity of a check, and the diagnosis.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import optree

from fastgrad.arrays import is_private_map
from fastgrad.errors import InputError
from fastgrad.problem.kinds.registry import kind_of
from fastgrad.problem.structure import NAMESPACE, nesting_limited

DATA = "the data in args"
"""What messages call them."""

PLAIN = {bool, int, float, complex, str, bytes, type(None)}
"""Python's own values, whose `repr` says all."""

MANY = 10_000
"""Values of Python's own that are compared at most: 3 ms."""


def settled_arrays(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The args with every array laid out as a worker process would get it.

    Sending an array to a worker makes it contiguous and aligned, and NumPy rounds differently on strided or
    unaligned data. A worker would open a private memory map from its file, and so lose what was changed in
    memory. Both kinds of array are copied here; all others are passed on as they are.
    """

    def settled(leaf: Any) -> Any:
        if type(leaf) not in (np.ndarray, np.memmap):
            return leaf
        in_order = leaf.flags.c_contiguous or leaf.flags.f_contiguous
        if in_order and leaf.flags.aligned and not is_private_map(leaf):
            return leaf
        return np.array(leaf, subok=False)

    with nesting_limited(DATA):
        return tuple(optree.tree_map(settled, arg, namespace=NAMESPACE) for arg in args)


def array_leaves(args: tuple[Any, ...]) -> list[npt.NDArray[Any]]:
    """The arrays among the args, also those inside lists, tuples and dicts."""
    with nesting_limited(DATA):
        leaves = [leaf for arg in args for leaf in optree.tree_leaves(arg, namespace=NAMESPACE)]
    return [leaf for leaf in leaves if isinstance(leaf, np.ndarray)]


@dataclass(frozen=True)
class Fingerprints:
    """Checksums of what the args hold, as far as they are cheap."""

    data: tuple[int, ...]
    """Of each array, tensor and table, in order."""
    values: tuple[int, ...]
    """Of each of the args: its structure, and Python's own values in it."""


def fingerprints(args: tuple[Any, ...]) -> Fingerprints:
    """The checksums now.

    Of more than MANY lists, numbers and the like only the arrays count, and objects of other types are not
    looked into.

    Examples
    --------
    >>> X, settings = np.zeros(3), {"scale": 1.0}
    >>> before = fingerprints((X, settings))
    >>> X[0], settings["scale"] = 1.0, 2.0
    >>> now = fingerprints((X, settings))
    >>> now.data == before.data, [a == b for a, b in zip(now.values, before.values)]
    (False, [True, False])
    """
    data, values = [], []
    for arg in args:
        with nesting_limited(DATA):
            leaves, structure = optree.tree_flatten(arg, namespace=NAMESPACE)
        found = zlib.crc32(str(structure).encode(errors="surrogatepass")) if len(leaves) <= MANY else 0
        for leaf in leaves:
            arrays = _arrays_of(leaf)
            data += [_checksum(array) for array in arrays if not array.dtype.hasobject]
            if len(leaves) <= MANY:
                said = _in_words(leaf, [array for array in arrays if array.dtype.hasobject])
                found = zlib.crc32(said.encode(errors="surrogatepass"), found)
        values.append(found)
    return Fingerprints(tuple(data), tuple(values))


def _arrays_of(leaf: Any) -> list[npt.NDArray[Any]]:
    """The numbers of an array, of a tensor, or of each column of a table; none of anything else."""
    if isinstance(leaf, np.ndarray):
        return [leaf]
    if kind_of(leaf) is None:
        return []
    try:
        if hasattr(leaf, "columns"):
            return [np.asarray(column) for _, column in leaf.items()]
        return [np.asarray(leaf.detach().cpu() if hasattr(leaf, "detach") else leaf)]
    except Exception:  # what has no numbers, such as a sparse matrix, is not compared
        return []


def _checksum(array: npt.NDArray[Any]) -> int:
    return zlib.crc32(np.ascontiguousarray(array).view(np.uint8).reshape(-1).data)


def _in_words(leaf: Any, of_objects: list[npt.NDArray[Any]]) -> str:
    """A value of Python's own, and short arrays of such; empty for what is not looked into."""
    if type(leaf) in PLAIN:
        return repr(leaf)
    if type(leaf) in (set, frozenset) and len(leaf) <= MANY:
        of_objects = [np.array(list(leaf), dtype=object)]
    short = (array.reshape(-1).tolist() for array in of_objects if array.size <= MANY)
    return repr([element if type(element) in PLAIN else None for array in short for element in array])


@contextlib.contextmanager
def args_unchanged(
    args: tuple[Any, ...], who: str, say: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Refuse a function that writes into the data it is given: the next call would see other data.

    Parameters
    ----------
    args : the data
    who : the function that is called inside the `with`, as messages name it
    say : is told of lists, dicts and sets that were changed, which may be counters or caches

    Raises
    ------
    InputError
        After the `with`, naming the function. The data stay as the function left them.
    """
    before = fingerprints(args)
    yield
    now = fingerprints(args)
    if now.data != before.data:
        raise InputError(
            f"the {who} changes the arrays in args (as X -= X.mean() does): the data are no longer what you "
            "passed. Work on a copy inside it",
            code="FG206",
        )
    if now.values != before.values and say is not None:
        changed = [
            k for k, pair in enumerate(zip(now.values, before.values, strict=True)) if len({*pair}) > 1
        ]
        places = ", ".join(f"args[{k}]" for k in changed)
        say(
            f"the {who} changes {places} from call to call: its values must not depend on what it changes "
            "there"
        )
