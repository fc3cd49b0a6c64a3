"""The names of a function's arguments, where NumPy tells them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=256)
def signature_of(function: Callable[..., Any]) -> inspect.Signature | None:
    """The signature of a function; None for one that tells none, as some that are written in C."""
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None
