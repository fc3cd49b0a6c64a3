"""What functions that wrap a user's function have of it: its name, and how a worker gets a copy of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def name_like(wrapper: object, function: object) -> None:
    """Give a wrapper the name of a function; of a callable object, that of its class."""
    for name in ("__name__", "__qualname__"):
        object.__setattr__(wrapper, name, getattr(function, name, getattr(type(function), name)))


def copy_for_worker(function: Callable[..., Any]) -> Callable[..., Any]:
    """A copy of a function that keeps state and says how it is copied (`for_worker`); any other as it is."""
    for_worker = getattr(function, "for_worker", None)
    return for_worker() if callable(for_worker) else function
