"""The data that cost and gradient are given beside the parameters: laid out, and watched."""

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
from fastgrad.problem.structure import NAMESPACE


def settled_arrays(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The args with arrays laid out as a worker process would find them.

    NumPy rounds differently on strided or unaligned data, which a trip to a worker makes contiguous, and a
    private memory map would be reopened there from its file, without what was changed in memory.
    """

    def settled(leaf: Any) -> Any:
        if type(leaf) not in (np.ndarray, np.memmap):
            return leaf
        in_order = leaf.flags.c_contiguous or leaf.flags.f_contiguous
        if in_order and leaf.flags.aligned and not is_private_map(leaf):
            return leaf
        return np.array(leaf, subok=False)

    return tuple(optree.tree_map(settled, arg, namespace=NAMESPACE) for arg in args)


def array_leaves(args: tuple[Any, ...]) -> list[npt.NDArray[Any]]:
    """The arrays among the args, those in lists, tuples and dicts too."""
    leaves = [leaf for arg in args for leaf in optree.tree_leaves(arg, namespace=NAMESPACE)]
    return [leaf for leaf in leaves if isinstance(leaf, np.ndarray)]


def fingerprints(args: tuple[Any, ...]) -> list[int]:
    """A checksum of each array among the args, to see whether a function writes to them."""
    plain = (leaf for leaf in array_leaves(args) if not leaf.dtype.hasobject)
    return [zlib.crc32(np.ascontiguousarray(leaf).view(np.uint8).reshape(-1).data) for leaf in plain]


@contextlib.contextmanager
def args_unchanged(args: tuple[Any, ...], who: str) -> Iterator[None]:
    """Refuse a function that writes into the data it is given: the next call would see other data.

    Raises
    ------
    InputError
        Saying who did it. What was written cannot be undone here.
    """
    before = fingerprints(args)
    yield
    if fingerprints(args) != before:
        raise InputError(
            f"the {who} changes the arrays in args (as X -= X.mean() does): the data are no longer what you "
            "passed. Work on a copy inside it"
        )
