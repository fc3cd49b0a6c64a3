"""A value of the user's in a few words, for error messages. It never raises, and it can be printed."""

from __future__ import annotations

import numpy as np

from fastgrad.printable import shortened

LONGEST = 60
"""Characters of a value that are shown."""

LONGEST_QUOTE = 400
"""Characters of an exception's text that are shown."""

KEYS_SHOWN = 10
"""Keys of a dict that are shown at most."""


def describe(value: object) -> str:
    """A value in a few words.

    Examples
    --------
    >>> describe(np.zeros(3)), describe({"W": 1.0}), describe([1.0, 2.0]), describe("relu")
    ('float64 array of shape (3,)', "a dict with keys ['W']", 'a list of length 2', "str 'relu'")
    """
    if isinstance(value, np.ndarray):
        return f"{value.dtype} array of shape {value.shape}"
    if type(value) is dict or (isinstance(value, dict) and type(value).__module__ == "collections"):
        return f"a dict with keys {_keys(list(value))}"
    if type(value) in (list, tuple):
        return f"a {type(value).__name__} of length {len(value)}"  # type: ignore[arg-type]
    return _array_like(value) or f"{type(value).__name__} {shortened(repr_of(value), LONGEST)}"


def joined_names(names: list[str], most: int = KEYS_SHOWN) -> str:
    """Names with commas between them; of many only the first, and how many there are beside these."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def repr_of(value: object) -> str:
    """What repr gives, or where it raises the name of the type."""
    try:
        return repr(value)
    except Exception:
        return f"<{type(value).__name__}>"


def quoted(error: BaseException) -> str:
    """An exception of the user's in a few words: its type and what it says, on one line.

    Examples
    --------
    >>> quoted(ValueError("math domain error"))
    'ValueError: math domain error'
    """
    try:
        text = str(error)
    except Exception:
        text = ""
    return shortened(f"{type(error).__name__}: {text}" if text else type(error).__name__, LONGEST_QUOTE)


def _keys(keys: list[object]) -> str:
    more = len(keys) - KEYS_SHOWN
    shown = ", ".join(shortened(repr_of(key), LONGEST) for key in keys[:KEYS_SHOWN])
    return f"[{shown}]" + (f" and {more:,} more" if more > 0 else "")


def _array_like(value: object) -> str:
    """What has a shape is described by it: tensors, Series and the like. Empty for anything else."""
    try:
        shape = tuple(int(n) for n in value.shape)  # type: ignore[attr-defined]
        dtype = getattr(value, "dtype", None)
        of = f" of {dtype}," if dtype is not None else " of"
        if isinstance(value, np.generic) or not (shape or dtype is not None):
            return ""
        return f"{type(value).__name__}{of} shape {shape}"
    except Exception:  # a shape of another meaning
        return ""
