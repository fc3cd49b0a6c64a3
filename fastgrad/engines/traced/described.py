"""What a recorded array says of itself: shape, dtype and the like, and its transpose and parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgrad.engines.traced.tape import Array
from fastgrad.engines.traced.writer import Recorder


class Described:
    """The attributes of an array that are not methods."""

    recorder: Recorder
    array: Array
    scalar: bool

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """What isinstance() takes it for: an ndarray, or where NumPy gives a number, that."""
        return self.dtype.type if self.scalar else np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """As that of an ndarray."""
        return self.array.shape

    @shape.setter
    def shape(self, shape: Any) -> None:
        raise self.recorder.decline("x.shape = ... cannot be recorded: write x = x.reshape(...)")

    @property
    def dtype(self) -> Any:
        """As that of an ndarray."""
        return self.array.dtype

    @property
    def ndim(self) -> int:
        """As that of an ndarray."""
        return self.array.ndim

    @property
    def size(self) -> int:
        """As that of an ndarray."""
        return self.array.size

    @property
    def nbytes(self) -> int:
        """As that of an ndarray."""
        return self.array.nbytes

    @property
    def itemsize(self) -> int:
        """As that of an ndarray."""
        return self.array.itemsize

    @property
    def flags(self) -> Any:
        """As that of an ndarray."""
        return self.array.flags

    @property
    def strides(self) -> Any:
        """As that of an ndarray."""
        return self.array.strides

    @property
    def T(self) -> Any:
        """The transpose."""
        array: Any = self
        return np.transpose(array)

    @property
    def mT(self) -> Any:
        """The transpose of the last two axes."""
        array: Any = self
        return np.swapaxes(array, -1, -2)

    @property
    def real(self) -> Any:
        """The real part."""
        array: Any = self
        return np.real(array)

    @property
    def imag(self) -> Any:
        """The imaginary part."""
        array: Any = self
        return np.imag(array)
