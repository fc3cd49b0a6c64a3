"""The one door to Numba: what is compiled, with which options, and where compiled code is kept.

Nothing here imports Numba until something is to be compiled, so asking `is_jitted` about a plain
Python cost costs nothing. Environment:

- `FASTGRAD_NUMBA_CACHE=0` compiles anew in each process instead of keeping machine code on disk.
- `NUMBA_DISABLE_JIT=1` (Numba's own) runs every kernel as the plain Python it is written in.
"""

import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])

FASTMATH = frozenset({"contract"})
"""The only licence given: a * b + c may become one fused operation (a tenth less time, and one
rounding less). Not `reassoc`: with `nsz` it deletes the 1.5 * 2**52 rounding of `_scalar.py` and makes
exp wrong by its whole value, without a warning. Not `nnan` or `ninf`: NaN and infinity are
information here.

It is always named, so that a caller's `fastmath=True` is not inherited by the kernels."""

OPTIONS: dict[str, Any] = {
    "nogil": True,  # joblib's threads are the parallelism
    "error_model": "numpy",  # the Python model's test of each divisor stops vectorisation
    "fastmath": set(FASTMATH),
}

KINDS: dict[Any, str] = {
    key: kind
    for kind, names in {
        "float": ("float32", "float64"),
        "integer": ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
        "bool": ("bool",),
    }.items()
    for name in names
    for key in (name, np.dtype(name))
}

"""What `kind_of` answers: each dtype, and the name that it and Numba's type print as."""

KEEP_ON_DISK = os.environ.get("FASTGRAD_NUMBA_CACHE", "1") != "0"


def jit(function: F) -> F:
    """Compile `function` with the options of all kernels; the undecorated one is `plain(function)`.

    Compiled code is kept on disk, and is thrown away when any file beside this one changes: Numba
    alone looks only at the file of `function` and would go on using the old version of the kernels
    it calls.

    >>> @jit_uncached
    ... def double(x: float) -> float:
    ...     return x + x
    >>> double(21.0)
    42.0
    """
    return _compile(function, cache=KEEP_ON_DISK)


def jit_inlined(function: F) -> F:
    """Compile a small function that must dissolve in its caller: the scalar kernels.

    Left to itself LLVM inlines exp but not softplus, and a loop around a call does not vectorise
    (measured: softplus 27 ns an element called, 5 inlined).
    """
    return _compile(function, cache=KEEP_ON_DISK, forceinline=True)


def jit_summing(function: F) -> F:
    """Compile a function whose sums may be taken in another order, which vectorises them.

    For plain sums and products only: see FASTMATH for what `reassoc` does to more careful arithmetic.
    """
    return _compile(function, cache=KEEP_ON_DISK, fastmath={*FASTMATH, "reassoc"})


def jit_uncached(function: F) -> F:
    """Compile a function that takes another compiled function as argument: not to be kept on disk.

    Such an argument has a new type in each process, so a cache on disk would only ever grow.
    """
    return _compile(function, cache=False)


def overload(function: Callable[..., Any]) -> Callable[[F], F]:
    """Register what compiled code runs where it calls the plain Python `function`.

    The decorated chooser takes Numba types and returns the implementation, as
    `numba.extending.overload` describes.
    """
    extending = import_module("numba.extending")
    options = {**OPTIONS, "forceinline": True}  # so that a user's loop around it vectorises
    register: Callable[[F], F] = extending.overload(function, jit_options=options)
    return register


def plain(function: F) -> F:
    """The function as written in Python: the reference a compiled one is tested against."""
    written: F = getattr(function, "py_func", function)
    return written


def kind_of(dtype: Any) -> str:
    """`"float"` (float32, float64), `"integer"`, `"bool"` or `""`, of a NumPy dtype or a Numba type.

    Both print as their NumPy name; looking that up first saves the printing, which takes 2 us.

    >>> kind_of(np.dtype(np.float32)), kind_of(np.dtype(np.uint8)), kind_of(np.dtype(complex))
    ('float', 'integer', '')
    """
    return KINDS.get(dtype) or KINDS.get(str(dtype), "")


def is_jitted(function: object) -> bool:
    """Whether `function` is compiled by Numba for the CPU; does not import Numba to find out."""
    registry = sys.modules.get("numba.core.registry")
    return registry is not None and isinstance(function, registry.CPUDispatcher)


def is_none(numba_type: Any) -> bool:
    """Whether Numba's type of an argument is that of None."""
    return str(numba_type) == "none"


def runs_in_parallel(function: object) -> bool:
    """Whether `function` was compiled with `parallel=True`, and so starts threads of its own."""
    return is_jitted(function) and bool(getattr(function, "targetoptions", {}).get("parallel"))


def _compile(function: F, *, cache: bool, **options: Any) -> F:
    numba = import_module("numba")
    if numba.config.DISABLE_JIT:
        # Compiled code does not warn of overflow; neither does the plain code in its place.
        return np.errstate(all="ignore")(function)
    compiled: F = numba.njit(cache=cache, **{**OPTIONS, **options})(function)
    cache_file = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if cache_file is not None:
        cache_file._source_stamp = (cache_file._source_stamp, _kernels_stamp())
    return compiled


def _kernels_stamp() -> tuple[tuple[str, int, int], ...]:
    files = sorted(Path(__file__).parent.glob("*.py"))
    return tuple((file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files)
