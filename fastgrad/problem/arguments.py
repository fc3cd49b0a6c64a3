"""The data `args` that the cost and the gradient function take beside the parameters.

Engines call the cost with `settled_arrays(args)`, so that every worker computes with the same layout.
`checks` and the preflight wrap the user's functions in `args_unchanged`. `array_leaves` gives the arrays
among the args to whoever looks at them: the identity of a check, and the diagnosis.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import optree

from fastgrad.arrays import is_private_map
from fastgrad.errors import InputError
from fastgrad.problem.structure import NAMESPACE, nesting_limited

DATA = "the data in args"
"""What messages call them."""


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


def fingerprints(args: tuple[Any, ...]) -> list[int]:
    """A checksum of each array among the args. Arrays of Python objects have none and are left out."""
    plain = (leaf for leaf in array_leaves(args) if not leaf.dtype.hasobject)
    return [zlib.crc32(np.ascontiguousarray(leaf).view(np.uint8).reshape(-1).data) for leaf in plain]


@contextlib.contextmanager
def args_unchanged(args: tuple[Any, ...], who: str) -> Iterator[None]:
    """Refuse a function that writes into the data it is given: the next call would see other data.

    Parameters
    ----------
    args : the data
    who : the function that is called inside the `with`, as messages name it

    Raises
    ------
    InputError
        After the `with`, naming the function. The data stay as the function left them.
    """
    before = fingerprints(args)
    yield
    if fingerprints(args) != before:
        raise InputError(
            f"the {who} changes the arrays in args (as X -= X.mean() does): the data are no longer what you "
            "passed. Work on a copy inside it"
        )
