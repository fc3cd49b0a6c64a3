"""Functions that make arrays, or take lists, while a cost is recorded.

NumPy asks a recorded array what a function gives only if the array is an argument. It does not where the
function makes a new array (np.zeros), reads any object as an array (np.asarray), or gets arrays in a list. So
these functions are replaced while the cost is called, in NumPy's modules and under the names that the cost's
own module has for them, for the calling thread only. Everything is put back afterwards.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fastgrad.engines.traced import compositions
from fastgrad.engines.traced.declined import called_by_user, is_users_file
from fastgrad.engines.traced.functions import apply, holds_recorded, stacked
from fastgrad.engines.traced.recorded_array import Recorded
from fastgrad.engines.traced.recorder import Recorder

MADE = ("zeros", "ones", "empty", "full", "eye", "identity")
"""Functions that make an array that the cost may write to."""

READ = ("array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray", "asarray_chkfinite")
"""Functions that read any object as an array."""

TAKING_LISTS = (
    "sum", "prod", "mean", "var", "std", "max", "min", "amax", "amin", "any", "all", "cumsum", "cumprod",
    "sort", "argmax", "argmin", "median", "linalg.norm",
)  # fmt: skip
"""Functions whose first argument may be a list of numbers."""

OTHERS = {
    "scipy.special": ("logsumexp", "softmax", "log_softmax"),
    "scipy.linalg": (
        "cho_factor", "cho_solve", "solve_triangular", "cholesky", "solve", "inv", "det", "lstsq", "expm",
        "toeplitz", "block_diag",
    ),
    "scipy.signal": ("convolve", "convolve2d", "correlate", "correlate2d", "fftconvolve", "lfilter"),
}  # fmt: skip
"""Functions of other libraries that give arrays of arrays and have no other effect."""

_lock = threading.RLock()


@contextlib.contextmanager
def recording(recorder: Recorder) -> Iterator[None]:
    """Replace the functions while a cost is called.

    Parameters
    ----------
    recorder : Recorder
    """
    assert compositions.COMPOSED  # its tables must know NumPy's own functions, and so be loaded before
    with _lock, contextlib.ExitStack() as undo:
        replaced = dict(_replacements(recorder))
        for (holder, name), function in replaced.items():
            undo.callback(setattr, holder, name, getattr(holder, name))
            setattr(holder, name, function)
        for names, name, function in _imported(replaced):
            undo.callback(names.__setitem__, name, names[name])
            names[name] = function
        yield


def _replacements(recorder: Recorder) -> Iterator[tuple[tuple[Any, str], Callable[..., Any]]]:
    owner = threading.get_ident()
    for name in MADE:
        yield (np, name), _making(recorder, owner, getattr(np, name))
    for name in READ:
        yield (np, name), _reading(owner, getattr(np, name))
    for path in TAKING_LISTS:
        holder, _, name = path.rpartition(".")
        module = getattr(np, holder) if holder else np
        yield (module, name), _taking_lists(owner, getattr(module, name))
    for library, names in OTHERS.items():
        module = sys.modules.get(library)
        for name in names if module is not None else ():
            yield (module, name), _noted(recorder, owner, getattr(module, name))


def _imported(replaced: dict[tuple[Any, str], Callable[..., Any]]) -> list[tuple[dict[str, Any], str, Any]]:
    """Names in the modules of users that stand for a replaced function: `from numpy import zeros`."""
    originals = {
        id(function.__wrapped__): function  # type: ignore[attr-defined]
        for function in replaced.values()
    }
    found = []
    for module in list(sys.modules.values()):
        if not _is_users(module):
            continue
        names = vars(module)
        for name, value in list(names.items()):
            function = originals.get(id(value))
            if function is not None and value is function.__wrapped__:  # type: ignore[attr-defined]
                found.append((names, name, function))
    return found


def _is_users(module: Any) -> bool:
    """Whether a module is neither of Python nor of an installed package."""
    path = getattr(module, "__file__", None)
    if getattr(module, "__name__", "") == "__main__":
        return True
    return isinstance(path, str) and is_users_file(path)


def _alike(function: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    function.__wrapped__ = original  # type: ignore[attr-defined]
    function.__name__ = original.__name__
    return function


def _making(recorder: Recorder, owner: int, original: Callable[..., Any]) -> Callable[..., Any]:
    def made(*args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() != owner or recorder.closed or not called_by_user():
            return original(*args, **kwargs)
        if original.__name__ == "full":
            return _filled(recorder, original, *args, **kwargs)
        array = original(*args, **kwargs)
        if original.__name__ == "empty":
            array[...] = np.zeros((), array.dtype)  # what it holds differs from call to call
        return Recorded(recorder, array, None)

    return _alike(made, original)


def _filled(
    recorder: Recorder, original: Callable[..., Any], shape: Any, value: Any, *args: Any, **kwargs: Any
) -> Any:
    if not isinstance(value, Recorded):
        return Recorded(recorder, original(shape, value, *args, **kwargs), None)
    made = Recorded(recorder, original(shape, 0, *args, **{"dtype": value.dtype, **kwargs}), None)
    made[...] = value
    return made


def _reading(owner: int, original: Callable[..., Any]) -> Callable[..., Any]:
    copies = original.__name__ == "array"

    def read(value: Any = None, *args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() != owner or not holds_recorded(value) or not called_by_user():
            return original(value, *args, **kwargs) if value is not None else original(*args, **kwargs)
        array = stacked(value)
        dtype = args[0] if args else kwargs.get("dtype")
        if dtype is not None and np.dtype(dtype) != array.dtype:
            return array.astype(dtype)
        return np.copy(array) if copies and array is value and kwargs.get("copy", True) else array

    return _alike(read, original)


def _taking_lists(owner: int, original: Callable[..., Any]) -> Callable[..., Any]:
    def taken(first: Any, *args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() == owner and isinstance(first, tuple | list) and holds_recorded(first):
            first = stacked(first)
        return original(first, *args, **kwargs)

    return _alike(taken, original)


def _noted(recorder: Recorder, owner: int, original: Callable[..., Any]) -> Callable[..., Any]:
    def noted(*args: Any, **kwargs: Any) -> Any:
        ours = threading.get_ident() == owner and not recorder.closed
        if not ours or not holds_recorded([*args, *kwargs.values()]):
            return original(*args, **kwargs)
        return apply(recorder, original, args, kwargs)

    return _alike(noted, original)
