"""The only module that imports Numba: what is compiled, with which options, and where compiled code is kept.

The kernels and `engines.compiled` compile functions with it. Numba is imported when the first function is
compiled, so that `is_jitted` of a plain Python cost is fast. Environment:

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
"""The only change of arithmetic that LLVM may make: a * b + c may become one fused operation, which takes a
tenth less time and has one rounding less. `reassoc` with `nsz` would delete the rounding by 1.5 * 2**52 in
`_scalar` and make exp wrong by its whole value, without a warning. `nnan` and `ninf` would lose NaN and
infinity, which are information here.

The option is always given, so that the kernels do not inherit `fastmath=True` from a caller."""

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
"""The results of `kind_of`, by dtype and by the name that a dtype and Numba's type print as."""

KEEP_ON_DISK = os.environ.get("FASTGRAD_NUMBA_CACHE", "1") != "0"


def jit(function: F) -> F:
    """Compile `function` with the options of all kernels; `plain` gives the function as it was.

    Compiled code is kept on disk until any file of this folder changes. Numba by itself compares only the
    file of `function`, and would go on using old versions of the kernels that `function` calls.

    >>> @jit_uncached
    ... def double(x: float) -> float:
    ...     return x + x
    >>> double(21.0)
    42.0
    """
    return _compile(function, cache=KEEP_ON_DISK)


def jit_inlined(function: F) -> F:
    """Compile a small function that must be inlined in its caller: the functions of one number.

    LLVM by itself inlines exp but not softplus, and a loop with a call does not vectorise: softplus then
    takes 27 ns an element, and 5 ns inlined.
    """
    return _compile(function, cache=KEEP_ON_DISK, forceinline=True)


def jit_summing(function: F) -> F:
    """Compile a function whose sums may be taken in another order, which vectorises them.

    It is for plain sums and products only: FASTMATH says what `reassoc` does to other arithmetic.
    """
    return _compile(function, cache=KEEP_ON_DISK, fastmath={*FASTMATH, "reassoc"})


def jit_uncached(function: F) -> F:
    """Compile a function that takes another compiled function as an argument, without keeping it on disk.

    Such an argument has a new type in each process, so that a cache on disk would grow with each process.
    """
    return _compile(function, cache=False)


def overload(function: Callable[..., Any]) -> Callable[[F], F]:
    """Register what compiled code runs in place of the plain Python `function`.

    The decorated function takes the Numba types of the arguments and returns the implementation for them, as
    with `numba.extending.overload`.
    """
    extending = import_module("numba.extending")
    options = {**OPTIONS, "forceinline": True}  # so that a user's loop around it vectorises
    register: Callable[[F], F] = extending.overload(function, jit_options=options)
    return register


def plain(function: F) -> F:
    """The function as it is written in Python, the reference for tests of the compiled one."""
    written: F = getattr(function, "py_func", function)
    return written


def kind_of(dtype: Any) -> str:
    """`"float"` (float32, float64), `"integer"`, `"bool"` or `""`, for a NumPy dtype or a Numba type.

    Both print as their NumPy name. A NumPy dtype is looked up as it is, since printing it takes 2 us.

    >>> kind_of(np.dtype(np.float32)), kind_of(np.dtype(np.uint8)), kind_of(np.dtype(complex))
    ('float', 'integer', '')
    """
    return KINDS.get(dtype) or KINDS.get(str(dtype), "")


def is_jitted(function: object) -> bool:
    """Whether `function` is compiled by Numba for the CPU; answered without importing Numba."""
    registry = sys.modules.get("numba.core.registry")
    return registry is not None and isinstance(function, registry.CPUDispatcher)


def is_none(numba_type: Any) -> bool:
    """Whether the Numba type of an argument is that of None."""
    return str(numba_type) == "none"


def runs_in_parallel(function: object) -> bool:
    """Whether `function` was compiled with `parallel=True`, and so starts threads of its own."""
    return is_jitted(function) and bool(getattr(function, "targetoptions", {}).get("parallel"))


def _compile(function: F, *, cache: bool, **options: Any) -> F:
    numba = import_module("numba")
    if numba.config.DISABLE_JIT:
        # Compiled code does not warn of overflow, and the plain code in its place must not either.
        return np.errstate(all="ignore")(function)
    compiled: F = numba.njit(**{**OPTIONS, **options})(function)
    if cache:
        # Imported here: it takes time, and `is_jitted` of a plain cost needs none of it.
        from fastgrad.kernels.disk_cache import keep

        keep(compiled, numba.config)
    cache_file = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if cache_file is not None:
        cache_file._source_stamp = (cache_file._source_stamp, _kernels_stamp())
    return compiled


def _kernels_stamp() -> tuple[tuple[str, int, int], ...]:
    files = sorted(Path(__file__).parent.glob("*.py"))
    return tuple((file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files)
