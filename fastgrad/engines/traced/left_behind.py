"""Recorded arrays that a cost left in its objects (self.a2 = ...) become plain when the recording ends.

Few costs leave any, so that looking for who holds them is worth its time then.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterable
from types import CellType
from typing import Any

import numpy as np


def made_plain(recorded: Iterable[weakref.ref[Any]]) -> None:
    """Put plain arrays in place of recorded ones wherever Python objects hold them.

    Parameters
    ----------
    recorded : the recorded arrays, those that are gone among them
    """
    alive = [array for array in (reference() for reference in recorded) if array is not None]
    if not alive:
        return
    settled = {id(array): np.array(array.settled()) for array in alive}
    own = {id(alive)} | settled.keys() | {id(vars(array)) for array in alive}
    found = gc.get_referrers(*alive)  # once for all: it looks at every object there is
    holders = [holder for holder in found if id(holder) not in own]
    dicts = [holder for holder in holders if isinstance(holder, dict)]
    classes = [owner for owner in gc.get_referrers(*dicts) if isinstance(owner, type)] if dicts else []
    for owner in classes:  # Python remembers what a class has: writing to its dict would leave that behind
        for name in [name for name, value in vars(owner).items() if id(value) in settled]:
            setattr(owner, name, settled[id(vars(owner)[name])])
    for holder in holders:
        _replace(holder, settled)


def _replace(holder: Any, settled: dict[int, Any]) -> None:
    """Put plain arrays, by id of the recorded ones, into a list, a dict, an object or a closure."""
    if isinstance(holder, list):
        holder[:] = [settled.get(id(item), item) for item in holder]
    elif isinstance(holder, CellType):
        holder.cell_contents = settled.get(id(holder.cell_contents), holder.cell_contents)
    elif isinstance(holder, dict) or _has_attributes(holder):
        names = holder if isinstance(holder, dict) else vars(holder)
        names.update({name: settled[id(value)] for name, value in names.items() if id(value) in settled})


def _has_attributes(holder: Any) -> bool:
    """Whether an object keeps its attributes in a dict that can be written to; a class does not."""
    return isinstance(getattr(holder, "__dict__", None), dict)
