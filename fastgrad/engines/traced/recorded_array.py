"""An array that notes what is done to it.

It stands for a value of the tape, and behaves as the NumPy array that it has at the parameters. Functions of
NumPy find it through `__array_ufunc__` and `__array_function__`. It is no subclass of ndarray: what takes it
for one in C would read its numbers without a note, and the tape would miss that. Where a number is asked for,
by float() or int(), the cost is declined, but for a float that is returned at once.

In-place operations follow NumPy's views. An array and its views are one family with one root; a write to any
of them makes a new value of the root, from which the others are read again (docs/design.md).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from fastgrad.engines.traced import functions
from fastgrad.engines.traced.declined import Declined
from fastgrad.engines.traced.recorder import Recorder
from fastgrad.engines.traced.returning import returns_at_once
from fastgrad.engines.traced.tape import Array, Method, Ref

NUMBER_ASKED = (
    "{by} takes a number out of an array that depends on the parameters: leave it an array (return float(cost) "
    "as the last step is fine), and use NumPy's functions in place of those of math"
)

ADVICE = "write it with NumPy functions of arrays"


class Recorded(NDArrayOperatorsMixin):
    """A value of the tape, or a constant that the cost may still write parameters into.

    Parameters
    ----------
    recorder : Recorder
    array : its numbers at the parameters
    number : of the value; None for a constant
    view_of : the array that this one is a view of, and how to get from one to the other
    """

    __hash__ = None  # type: ignore[assignment]  # as that of an ndarray
    __array_priority__ = 1000.0

    def __init__(
        self,
        recorder: Recorder,
        array: Array,
        number: int | None,
        view_of: tuple[Recorded, Callable[[Array], Array]] | None = None,
    ) -> None:
        self.recorder = recorder
        self.array = array
        self.number = number
        self.is_parameter = False
        self.root = self
        self.version = 0
        self._view_of = view_of
        if view_of is not None:
            self.root, self.version = view_of[0].root, view_of[0].root.version

    # What an ndarray says of itself
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
        return np.transpose(self)

    @property
    def mT(self) -> Any:
        """The transpose of the last two axes."""
        return np.swapaxes(self, -1, -2)

    @property
    def real(self) -> Any:
        """The real part."""
        return np.real(self)

    @property
    def imag(self) -> Any:
        """The imaginary part."""
        return np.imag(self)

    @property
    def flat(self) -> Any:
        """The entries one by one; they cannot be written to."""
        return iter(np.ravel(self))

    # Values and references
    def ids(self) -> Array:
        """The flat index in the root of each entry."""
        if self._view_of is None:
            return np.arange(self.array.size).reshape(self.array.shape)
        parent, view = self._view_of
        return np.asarray(view(parent.ids()))

    def reference(self) -> Ref | Array:
        """What stands for the array in an operation: its value, or for a constant its numbers."""
        if self.version != self.root.version:
            ids = self.ids()
            root = self.root
            found = self.recorder.append(functions.take_flat, (root.reference(), ids), {})
            self.array = np.asarray(found[0])
            self.number = found[1][0] if found[1] else None
            self.version = root.version
        if self.number is None:
            return self.array if self.root.version == 0 else self.array.copy()
        return Ref(self.number)

    def assign(self, value: Any) -> None:
        """Write to all of the array, and so to the family that it belongs to.

        Parameters
        ----------
        value : Recorded of the same shape and dtype
        """
        root = self.root
        if root.is_parameter:
            raise self.recorder.decline("the cost writes to its parameters: work on a copy (np.copy)")
        if root is self:
            source = value.reference()
            self.array, self.number = np.array(value.array), source.number if isinstance(source, Ref) else None
        else:
            self.reference()
            args = (root.reference(), self.ids(), value.reference())
            result, outputs, _ = self.recorder.append(functions.put_flat, args, {})
            root.array, root.number = np.asarray(result), outputs[0] if outputs else None
            self.array = np.array(value.array)
        root.version += 1
        if root is self:
            self.version = root.version

    # Python asks for numbers
    def __bool__(self) -> bool:
        return bool(self._guarded())

    def __index__(self) -> int:
        return operator.index(self._guarded()[()])

    def __int__(self) -> int:
        if self.recorder.closed:
            return int(self.array)
        if self.dtype.kind in "iub":
            return int(self._guarded())
        raise self._number_asked("int()")

    def __float__(self) -> float:
        if self.recorder.closed:
            return float(self.array)
        if self.size == 1 and returns_at_once():
            return self._handed_out(float(self.array.reshape(-1)[0]), "float()")
        raise self._number_asked("float()")

    def __complex__(self) -> complex:
        if self.recorder.closed:
            return complex(self.array)
        raise self._number_asked("complex()")

    def item(self, *args: Any) -> Any:
        """A Python number: only as what the cost returns."""
        if self.recorder.closed:
            return self.array.item(*args)
        if not args and self.size == 1 and self.dtype.kind == "f" and returns_at_once(depth=1):
            return self._handed_out(self.array.item(), ".item()")
        raise self._number_asked(".item()")

    def tolist(self) -> Any:
        """Python numbers: declined."""
        if self.recorder.closed:
            return self.array.tolist()
        raise self._number_asked(".tolist()")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        if self.number is None and self.root.number is None:
            return np.array(self.array, dtype=dtype)
        if self.recorder.closed:  # kept in the user's objects by the call that was recorded
            return np.array(self.array, dtype=dtype)
        raise self.recorder.decline(
            f"the parameters are turned into a plain array or a list of numbers, by a function that {_NOT_SEEN}: "
            f"{ADVICE}"
        )

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise TypeError("iteration over a 0-d array")
        return (self[k] for k in range(self.shape[0]))

    def __contains__(self, value: Any) -> bool:
        return bool(np.any(self == value))

    def __repr__(self) -> str:
        return repr(self.array)

    def __str__(self) -> str:
        return str(self.array)

    def __format__(self, form: str) -> str:
        return format(self.array[()] if not self.shape else self.array, form)

    def __copy__(self) -> Any:
        return np.copy(self)

    def __deepcopy__(self, memo: Any) -> Any:
        return np.copy(self)

    def __reduce__(self) -> Any:
        if self.recorder.closed:
            return np.asarray, (self.array,)
        raise self.recorder.decline(f"the parameters are pickled: {ADVICE}")

    def __round__(self, digits: int | None = None) -> Any:
        return np.round(self, digits or 0)

    # NumPy
    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return functions.call_ufunc(self.recorder, ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return functions.call_function(self.recorder, function, args, kwargs)

    def __getitem__(self, index: Any) -> Any:
        settled = functions.settled_index(index)
        return functions.apply(self.recorder, operator.getitem, (self, settled), {})

    def __setitem__(self, index: Any, value: Any) -> None:
        if self.recorder.closed:
            self.array[index] = value
            return
        settled = functions.settled_index(index)
        self.assign(functions.apply(self.recorder, functions.assigned, (self, settled, value), {}))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if self.recorder.closed:
            return getattr(self.array, name)
        method = functions.METHODS.get(name)
        if method is None:
            raise self.recorder.decline(f"x.{name} cannot be recorded: {ADVICE}")
        return lambda *args, **kwargs: method(self, *args, **kwargs)

    def _guarded(self) -> Array:
        source = self.reference()
        if isinstance(source, Ref):
            self.recorder.guard(source.number)
        return self.array

    def _handed_out(self, number: float, by: str) -> float:
        source = self.reference()
        if isinstance(source, Ref):
            self.recorder.hand_out(number, source.number, NUMBER_ASKED.format(by=by))
        return number

    def _number_asked(self, by: str) -> Exception:
        return self.recorder.decline(NUMBER_ASKED.format(by=by))


_NOT_SEEN = "is not one of NumPy's or gets it inside a list"


def is_recorded(value: Any) -> bool:
    """Whether something is a recorded array."""
    return isinstance(value, Recorded)


__all__ = ["Declined", "Method", "Recorded", "is_recorded"]
