"""An engine as it travels to another machine: its large arrays apart from the rest, which is one pickle.

`sent` packs what `cluster` submits, and `cluster_worker` unpacks it. The arrays are data of the user's, and
the same in every plan of a check, while engines differ from plan to plan.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence
from typing import Any

import cloudpickle
import numpy as np
import numpy.typing as npt

from fastgrad.engines.protocol import Engine

Array = npt.NDArray[Any]

LARGE = 2**16
"""Bytes from which an array travels apart. To send one takes a few milliseconds, whatever it holds."""


def packed(engine: Engine) -> tuple[Array, list[Array]]:
    """The pickle of an engine as an array of bytes, and the large arrays that it leaves out, each once.

    Examples
    --------
    >>> from fastgrad.engines.python import PythonEngine
    >>> from fastgrad.problem.parameters import Parameters
    >>> X = np.ones((100, 200))
    >>> rest, arrays = packed(PythonEngine(max, Parameters(np.zeros(3)), (X, X)))
    >>> rest.nbytes < 10_000, [array is X for array in arrays]
    (True, [True])
    >>> unpacked(rest, arrays).args[1] is X
    True
    """
    data = io.BytesIO()
    packer = _Packer(data)
    packer.dump(engine)
    return np.frombuffer(data.getvalue(), dtype=np.uint8), packer.arrays


def unpacked(rest: Array, arrays: Sequence[Array]) -> Engine:
    """The engine again, with these arrays."""
    engine: Engine = _Unpacker(io.BytesIO(rest.tobytes()), arrays).load()
    return engine


class _Packer(cloudpickle.Pickler):  # type: ignore[misc]
    """A pickler that writes the numbers of large arrays in place of what they hold."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.arrays: list[Array] = []
        self._numbers: dict[int, int] = {}

    def persistent_id(self, obj: Any) -> int | None:
        """The number of a large array; None for what is pickled as it is."""
        if type(obj) is not np.ndarray or obj.nbytes < LARGE or obj.dtype.hasobject:
            return None
        if id(obj) not in self._numbers:
            self._numbers[id(obj)] = len(self.arrays)
            self.arrays.append(obj)  # which keeps it: no other array gets its id
        return self._numbers[id(obj)]


class _Unpacker(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, arrays: Sequence[Array]) -> None:
        super().__init__(file)
        self._arrays = arrays

    def persistent_load(self, number: int) -> Array:
        return self._arrays[number]
