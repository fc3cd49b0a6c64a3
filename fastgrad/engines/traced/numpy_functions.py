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
from functools import wraps
from types import ModuleType
from typing import Any

import numpy as np

from fastgrad.engines.traced import composed
from fastgrad.engines.traced.declined import REPLACED, called_by_user, is_users_file
from fastgrad.engines.traced.functions import apply, holds_recorded, stacked
from fastgrad.engines.traced.recorded_array import Recorded
from fastgrad.engines.traced.writer import Recorder

MADE = (
    "zeros", "ones", "empty", "full", "eye", "identity", "zeros_like", "ones_like", "empty_like",
    "full_like", "copy",
)  # fmt: skip
"""Functions that make an array that the cost may write to."""

FILLED = {"full": "zeros", "full_like": "zeros_like"}
"""Those with a value in all entries, and those that make such an array without it."""

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
    assert composed.COMPOSED  # its tables must know NumPy's own functions, and so be loaded before
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
        yield (np, name), _reading(recorder, owner, getattr(np, name))
    for path in TAKING_LISTS:
        holder, _, name = path.rpartition(".")
        module = getattr(np, holder) if holder else np
        yield (module, name), _taking_lists(recorder, owner, getattr(module, name))
    for library, names in OTHERS.items():
        module = sys.modules.get(library)
        for name in names if module is not None else ():
            yield (module, name), _noted(recorder, owner, getattr(module, name))


def _imported(replaced: dict[tuple[Any, str], Callable[..., Any]]) -> list[tuple[dict[str, Any], str, Any]]:
    """Names in the modules of users that stand for a replaced function: `from numpy import zeros`."""
    functions = {id(_original(function)): function for function in replaced.values()}
    return [
        (vars(module), name, functions[id(value)])
        for module in list(sys.modules.values())
        if _is_users(module)
        for name, value in list(vars(module).items())
        if id(value) in functions
    ]


def _is_users(module: Any) -> bool:
    """Whether a module is neither of Python nor of an installed package."""
    path = vars(module).get("__file__") if isinstance(module, ModuleType) else None
    if module is sys.modules.get("__main__"):
        return True
    return isinstance(path, str) and is_users_file(path)


def _alike(function: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    function = wraps(original)(function)
    setattr(function, REPLACED, original)
    return function


def _making(recorder: Recorder, owner: int, original: Callable[..., Any]) -> Callable[..., Any]:
    name = original.__name__

    def made(*args: Any, **kwargs: Any) -> Any:
        ours = threading.get_ident() == owner and not recorder.closed
        if not ours or holds_recorded(args[:1]) or not called_by_user(original):
            return original(*args, **kwargs)
        if name in FILLED and holds_recorded([*args[1:2], kwargs.get("fill_value")]):
            return _filled(recorder, name, *args, **kwargs)
        array = original(*args, **kwargs)
        if not isinstance(array, np.ndarray) or array.dtype.hasobject:
            return array
        if name.startswith("empty"):
            array[...] = np.zeros((), array.dtype)  # what it holds differs from call to call
        return Recorded(recorder, array, None)

    return _alike(made, original)


def _filled(
    recorder: Recorder, name: str, first: Any, fill_value: Any, dtype: Any = None, **kwargs: Any
) -> Any:
    if name == "full":
        dtype = fill_value.dtype if dtype is None else dtype
    make = _original(getattr(np, FILLED[name]))
    made = Recorded(recorder, make(first, dtype=dtype, **kwargs), None)
    made[...] = fill_value
    return made


def _original(function: Callable[..., Any]) -> Callable[..., Any]:
    return getattr(function, REPLACED, function)


def _reading(recorder: Recorder, owner: int, original: Callable[..., Any]) -> Callable[..., Any]:
    copies = original.__name__ == "array"

    def read(*args: Any, **kwargs: Any) -> Any:
        ours = threading.get_ident() == owner and not recorder.closed
        if not ours or not args or not holds_recorded(args[0]) or not called_by_user(original):
            return original(*args, **kwargs)
        value, *others = args
        kwargs = dict(zip(("dtype",), others, strict=False)) | kwargs
        array = stacked(value)
        if kwargs.get("dtype") is not None and np.dtype(kwargs["dtype"]) != array.dtype:
            array = array.astype(kwargs["dtype"])
        elif array is value and copies and kwargs.get("copy", True):
            array = np.copy(array)
        if array.scalar:
            array = np.copy(array)
        ndmin = 1 if original.__name__ in ("ascontiguousarray", "asfortranarray") else kwargs.get("ndmin", 0)
        missing = ndmin - array.ndim
        return np.reshape(array, (1,) * missing + array.shape) if missing > 0 else array

    return _alike(read, original)


def _taking_lists(recorder: Recorder, owner: int, original: Callable[..., Any]) -> Callable[..., Any]:
    def taken(*args: Any, **kwargs: Any) -> Any:
        ours = threading.get_ident() == owner and not recorder.closed
        if ours and args and isinstance(args[0], tuple | list) and holds_recorded(args[0]):
            args = (stacked(args[0]), *args[1:])
        return original(*args, **kwargs)

    return _alike(taken, original)


def _noted(recorder: Recorder, owner: int, original: Callable[..., Any]) -> Callable[..., Any]:
    def noted(*args: Any, **kwargs: Any) -> Any:
        ours = threading.get_ident() == owner and not recorder.closed
        if not ours or not holds_recorded([*args, *kwargs.values()]):
            return original(*args, **kwargs)
        kwargs = {k: v for k, v in kwargs.items() if not k.startswith("overwrite_")}
        return apply(recorder, original, args, kwargs)

    return _alike(noted, original)
