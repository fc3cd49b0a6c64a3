"""What a cost kept of its recording: arrays that stand in the user's objects, replaced by plain ones.

A cost may keep arrays, as in self.a2 = ..., self.losses.append(...) or a global name. While it is recorded it
keeps recording arrays. Who holds them is known to Python's garbage collector.
"""

from __future__ import annotations

import gc
import types
from collections.abc import Iterable
from typing import Any

import numpy as np

AT_A_TIME = 256
"""Arrays whose holders are looked for at a time: every object of Python is compared with all of them."""


def replace_leftovers(arrays: list[Any]) -> None:
    """Put plain arrays in place of recording ones wherever an object, a dict, a list or a name holds them.

    Tuples cannot be changed; the arrays in them behave as plain ones.

    Parameters
    ----------
    arrays : Recorded, those that are alive
    """
    for k in range(0, len(arrays), AT_A_TIME):
        _replace(arrays[k : k + AT_A_TIME])


def _replace(arrays: list[Any]) -> None:
    own = {id(arrays), *(id(vars(array)) for array in arrays), *map(id, arrays)}
    plain = {id(array): as_plain(array) for array in arrays}
    holders = [holder for holder in gc.get_referrers(*arrays) if id(holder) not in own]
    dicts = [holder for holder in holders if type(holder) is dict]
    for owner in gc.get_referrers(*dicts) if dicts else ():
        if isinstance(owner, type):  # Python caches what a class has: its dict must not be written to
            _replace_attributes(owner, plain)
    for holder in holders:
        _replace_in(holder, plain)


def as_plain(recorded: Any) -> Any:
    """The numbers of a recording array, of which the tape keeps its own; of no axis, a NumPy number."""
    array = np.array(recorded.settled())
    return array[()] if recorded.scalar else array


def _replace_attributes(owner: Any, plain: dict[int, Any]) -> None:
    for name, value in list(vars(owner).items()):
        if id(value) in plain:
            setattr(owner, name, plain[id(value)])


def _replace_in(holder: Any, plain: dict[int, Any]) -> None:
    if isinstance(holder, dict):
        _replace_items(holder, holder.items(), plain)
    elif isinstance(holder, list):
        _replace_items(holder, enumerate(holder), plain)
    elif isinstance(holder, types.CellType):
        holder.cell_contents = plain[id(holder.cell_contents)]
    elif type(getattr(holder, "__dict__", None)) is dict:
        _replace_items(vars(holder), vars(holder).items(), plain)


def _replace_items(holder: Any, items: Iterable[tuple[Any, Any]], plain: dict[int, Any]) -> None:
    for key, value in list(items):
        if id(value) in plain:
            holder[key] = plain[id(value)]
