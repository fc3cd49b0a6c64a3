"""What of NumPy can be recorded, and how it is then evaluated: the table of docs/traced.md.

Each function is called once while it is recorded (`numpy_calls`), and the table says what the tape has of it.
    scripts/numpy_coverage            the table
    scripts/numpy_coverage --save     writes it into docs/traced.md
"""

from __future__ import annotations

import contextlib
import inspect
import re
import sys
import tempfile
import warnings
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy_calls import CALLS, MATRIX, PLAIN, Call

from fastgrad.engines.traced.declined import Declined
from fastgrad.engines.traced.kinds import MATRICES, POINTWISE, PRODUCTS, axis_of, is_elementwise
from fastgrad.engines.traced.movement import moves_entries
from fastgrad.engines.traced.numpy_functions import recording
from fastgrad.engines.traced.recorded_array import Recorded
from fastgrad.engines.traced.tape import Method, Operation
from fastgrad.engines.traced.writer import Recorder

FILE = Path(__file__).parents[1] / "docs" / "traced.md"
BEGIN, END = "<!-- coverage: numpy -->", "<!-- /coverage -->"
HOW = ("entries moved", "elementwise", "along an axis", "product", "matrices", "one point at a time")
"""Ways of evaluation, the fastest first. A function that is written as several operations has several."""

NOTHING = "the array itself"
CLASSES = ("vectorize", "nditer", "ndenumerate", "poly1d", "matrix", "r_", "c_")
OTHERS = ("lib.stride_tricks.sliding_window_view", "lib.stride_tricks.as_strided")
METHODS_OF_UFUNCS: dict[str, Call] = {
    "reduce": lambda x: np.add.reduce(x),
    "accumulate": lambda x: np.multiply.accumulate(x),
    "outer": lambda x: np.subtract.outer(x, x),
    "reduceat": lambda x: np.add.reduceat(x, [0, 2]),
    "at": lambda x: _at(x.copy()),
}


def _at(y: Any) -> Any:
    np.add.at(y, [0, 0], y[1])
    return y


def public_names() -> Iterator[str]:
    """The public functions of NumPy, of its linalg and fft, and the methods of an array."""
    for name in sorted(set(np.__all__)):
        found = getattr(np, name)
        if callable(found) and not inspect.isclass(found) and not inspect.ismodule(found):
            yield name
    yield from CLASSES
    for module in ("linalg", "fft"):
        names = sorted(getattr(np, module).__all__)
        yield from (
            f"{module}.{name}" for name in names if not inspect.isclass(getattr(getattr(np, module), name))
        )
    yield from OTHERS
    yield from (f"ndarray.{name}" for name in dir(np.ndarray) if not name.startswith("_"))


def call_of(name: str) -> Call:
    """A call of a function or a method."""
    if name in CALLS:
        return CALLS[name]
    *path, last = name.split(".")
    if path == ["ndarray"]:
        return lambda x: getattr(x, last)()
    holder = getattr(np, path[0]) if path else np
    function = getattr(holder, last)
    if isinstance(function, np.ufunc):
        return _call_of_ufunc(function)
    return lambda x: getattr(holder, last)(x)


def _call_of_ufunc(ufunc: np.ufunc) -> Call:
    if not any(kinds.startswith("d" * ufunc.nin) for kinds in ufunc.types):
        whole = [np.int64(1)] * (ufunc.nin - 1)
        return lambda x: ufunc(x.astype(np.int64), *whole)
    return lambda x: ufunc(*([x / 8, x / 4][: ufunc.nin]))


def recorded_operations(call: Call) -> list[Operation]:
    """The operations that a call leaves on a tape.

    Raises
    ------
    Declined
        Where it cannot be recorded.
    """
    recorder = Recorder([MATRIX])
    with recording(recorder), np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = call(Recorded(recorder, recorder.base[0], 0))
        except Declined:
            pass
        except Exception as error:
            recorder.decline(f"it raises {type(error).__name__}")
    recorder.closed = True
    if recorder.declined is not None:
        raise recorder.declined
    found = [x for x in (result if isinstance(result, tuple | list) else [result]) if isinstance(x, Recorded)]
    numbers = [x.number for x in found if x.number is not None]
    return recorder.tape(numbers[0]).operations if numbers else recorder.operations


def way_of(operation: Operation) -> str:
    """How an operation is evaluated."""
    function = operation.function
    if moves_entries(operation):
        return "entries moved"
    if is_elementwise(operation) or function in POINTWISE:
        return "elementwise"
    if (isinstance(function, Method) and function.name in ("reduce", "accumulate", "reduceat")) or axis_of(
        function
    ):
        return "along an axis"
    if function in PRODUCTS:
        return "product"
    return "matrices" if function in MATRICES or function is np.linalg.solve else "one point at a time"


def status_of(name: str, call: Call) -> str:
    """What becomes of a function: how it is evaluated, or why it is declined."""
    try:
        ways = {way_of(operation) for operation in recorded_operations(call)}
    except Declined as declined:
        return f"declined: {_short(declined.reason)}"
    others = ways - {"entries moved"} if len(ways) > 1 and "moveaxis" not in name else ways
    return ", ".join(way for way in HOW if way in others) or NOTHING


def _short(reason: str) -> str:
    """The reason without the name of the function and the advice."""
    if reason.startswith("the parameters are turned into"):
        return "it makes a plain array, or numbers, of what it is given"
    reason = re.sub(r"^(np\.\S+|x\.\S+) cannot be recorded:? ?", "", reason)
    return (
        reason.partition(": ")[0].removesuffix("write it with NumPy functions of arrays").strip(" :")
        or "no rule"
    )


def statuses() -> dict[str, str]:
    """What becomes of each function. A file that one of them writes is thrown away."""
    plain = {name: f"plain by design: {why}" for why, names in PLAIN.items() for name in names.split()}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        found = {name: plain.get(name) or status_of(name, call_of(name)) for name in public_names()}
        return found | {f"ufunc.{name}": status_of(name, call) for name, call in METHODS_OF_UFUNCS.items()}


def table() -> str:
    """The table in Markdown, a row for each way."""
    rows = defaultdict(list)
    for name, status in statuses().items():
        rows[status].append(name)
    order = sorted(rows, key=lambda s: (s.startswith("declined"), s.startswith("plain"), s))
    lines = ["| in a recorded cost | functions and methods |", "| --- | --- |"]
    lines += [f"| {status} | {', '.join(f'`{name}`' for name in rows[status])} |" for status in order]
    return "\n".join(lines)


def page_with(text: str, version: str) -> str:
    """The page with a table between the markers."""
    page = FILE.read_text()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    caption = f"`scripts/numpy_coverage --save`, NumPy {version}."
    return f"{before}{BEGIN}\n{text}\n\n{caption}\n{END}{after}"


def main(arguments: list[str]) -> None:
    """Print the table, or write it into the page."""
    version = ".".join(np.__version__.split(".")[:2])
    if "--save" in arguments:
        FILE.write_text(page_with(table(), version))
    else:
        print(table())


if __name__ == "__main__":
    main(sys.argv[1:])
