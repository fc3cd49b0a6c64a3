"""An array that notes what is done to it.

It stands for a value of the tape, and behaves as the NumPy array that it has at the parameters. Functions of
NumPy find it through `__array_ufunc__` and `__array_function__`. It is no subclass of ndarray: what takes it
for one in C would read its numbers without a note, and the tape would miss that. Where a number is asked for,
by float() or int(), the cost is declined, but for a float that is returned at once.

In-place operations follow NumPy's views, and make a new number of a scalar. An array and its views are one family with one root; a write to any
of them makes a new value of the root, from which the others are read again (docs/design.md).
"""

from __future__ import annotations

import operator
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from fastgrad.engines.traced import functions
from fastgrad.engines.traced.declined import dot_is_called
from fastgrad.engines.traced.methods import METHODS
from fastgrad.engines.traced.primitives import assigned, flat_indices, put_flat, take_flat
from fastgrad.engines.traced.recorder import Recorder
from fastgrad.engines.traced.returning import returns_at_once
from fastgrad.engines.traced.tape import Array, Ref

NUMBER_ASKED = (
    "{by} takes a number out of an array that depends on the parameters: leave it an array (return float(cost) "
    "as the last step is fine), and use NumPy's functions in place of those of math"
)

ADVICE = "write it with NumPy functions of arrays"


QUICK_POWERS: dict[float, np.ufunc] = {2: np.square, 0.5: np.sqrt, -1: np.reciprocal, 1: np.positive}
"""Exponents for which an array's operator ** calls another function than np.power."""


class Recorded(NDArrayOperatorsMixin):
    """A value of the tape, or a constant that the cost may still write parameters into.

    Parameters
    ----------
    recorder : Recorder
    array : its numbers at the parameters
    number : of the value; None for a constant
    view_of : the array that this one is a view of, and how to get from the flat indices of one to those of the
        other; None where it is a view of another kind, such as the real part
    scalar : whether NumPy gave a scalar, which is no array and cannot be written to
    """

    __hash__ = None  # type: ignore[assignment]  # as that of an ndarray
    __array_priority__ = 1000.0

    def __init__(
        self,
        recorder: Recorder,
        array: Array,
        number: int | None,
        view_of: tuple[Recorded, Callable[[Array], Array] | None] | None = None,
        scalar: bool = False,
    ) -> None:
        self.recorder = recorder
        self.array = array
        self.number = number
        self.scalar = scalar
        self.is_parameter = False
        self._view_of = view_of
        self._root = None if view_of is None else view_of[0].root  # not self: a circle is freed late
        self.version: int = 0 if self._root is None else self._root.version
        recorder.made.append(weakref.ref(self))

    @property
    def root(self) -> Recorded:
        """The array that this one is a view of, itself where it is none."""
        return self if self._root is None else self._root

    # What an ndarray says of itself
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
        """The entries one by one, as a flat array that writes through."""
        flat = np.array(self.settled()).reshape(-1)
        source = self.reference()
        if isinstance(source, Ref):
            _, (number,), _ = self.recorder.append(take_flat, (source, np.arange(self.size)), {})
            return Recorded(self.recorder, flat, number, view_of=(self, np.ravel))
        return Recorded(self.recorder, flat, None, view_of=(self, np.ravel))

    # Values and references
    def is_constant(self) -> bool:
        """Whether the array does not depend on the parameters."""
        return self.number is None and self.root.number is None

    def ids(self) -> Array:
        """The flat index in the root of each entry."""
        if self._view_of is None:
            return flat_indices(self.array)
        parent, view = self._view_of
        if view is None:
            raise self.recorder.decline(
                "parts of numbers (x.real, x.imag, x.view) are written to, or read after a write to x: make a copy"
            )
        return np.asarray(view(parent.ids()))

    def reference(self) -> Ref | Array:
        """What stands for the array in an operation: its value, or for a constant its numbers."""
        if self.version != self.root.version:
            root = self.root
            found = self.recorder.append(take_flat, (root.reference(), self.ids()), {})
            self.array = np.asarray(found[0])
            self.number = found[1][0] if found[1] else None
            self.version = root.version
        return self.array if self.number is None else Ref(self.number)

    def settled(self) -> Array:
        """The numbers, with what was written through other views of the same array."""
        if not self.recorder.closed:
            self.reference()
        elif self.version != self.root.version:
            self.array = take_flat(self.root.array, self.ids())
            self.version = self.root.version
        elif not self.array.flags.writeable:
            self.array = np.array(self.array)  # the user's now, apart from the tape
        return self.array

    def assign(self, value: Any) -> None:
        """Write to all of the array, and so to the family that it belongs to.

        Parameters
        ----------
        value : Recorded of the same shape and dtype; an array once the recording has ended
        """
        root = self.root
        if self.recorder.closed:
            root.array = put_flat(root.array, self.ids(), functions.plain(value))
            root.version += 1
            return
        if root.is_parameter:
            raise self.recorder.decline("the cost writes to its parameters: work on a copy (np.copy)")
        if self.scalar:
            raise TypeError("a NumPy scalar cannot be written to")
        source = value.reference()
        if root is self:
            self.array, self.number = value.array, source.number if isinstance(source, Ref) else None
            root.version += 1
            self.version = root.version
            return
        result, outputs, _ = self.recorder.append(put_flat, (root.reference(), self.ids(), source), {})
        root.array, root.number = np.asarray(result), outputs[0] if outputs else None
        root.version += 1

    # Python asks for numbers
    def __bool__(self) -> bool:
        if self.dtype != bool and self.size == 1 and not self._is_plain():
            return bool(self != 0)  # that, and not the number, is what the course of the cost depends on
        return bool(self.guarded())

    def __index__(self) -> int:
        return operator.index(self.guarded()[()])

    def __int__(self) -> int:
        if self.dtype.kind in "iub" or self._is_plain():
            return int(self.guarded())
        raise self._number_asked("int()")

    def __float__(self) -> float:
        if self._is_plain():
            return float(self.settled())
        if self.size == 1 and returns_at_once():
            return self._handed_out(float(self.settled().reshape(-1)[0]), "float()")
        raise self._number_asked("float()")

    def __complex__(self) -> complex:
        if self._is_plain():
            return complex(self.settled())
        raise self._number_asked("complex()")

    def item(self, *args: Any) -> Any:
        """A Python number: only as what the cost returns."""
        if self._is_plain():
            return self.settled().item(*args)
        if not args and self.size == 1 and self.dtype.kind == "f" and returns_at_once():
            return self._handed_out(self.settled().item(), ".item()")
        raise self._number_asked(".item()")

    def tolist(self) -> Any:
        """Python numbers: declined."""
        if self._is_plain():
            return self.settled().tolist()
        raise self._number_asked(".tolist()")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        if self._is_plain():
            return np.array(self.settled(), dtype=dtype)
        declined = self.recorder.decline(
            f"the parameters are turned into a plain array or a list of numbers, by a function that {_NOT_SEEN}: "
            f"{ADVICE}"
        )
        declined.by_dot = dot_is_called()
        raise declined

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
        return repr(self.settled()[()] if self.scalar else self.settled())

    def __str__(self) -> str:
        return str(self.settled())

    def __format__(self, form: str) -> str:
        return format(self.settled()[()], form)

    def __copy__(self) -> Any:
        return np.copy(self)

    def __deepcopy__(self, memo: Any) -> Any:
        return np.copy(self)

    def __reduce__(self) -> Any:
        if self._is_plain():
            return np.asarray, (self.settled(),)
        raise self.recorder.decline(f"the parameters are pickled: {ADVICE}")

    def __pow__(self, exponent: Any) -> Any:
        return _power(self, exponent)(self, exponent)

    def __ipow__(self, exponent: Any) -> Any:
        if self.scalar:
            return NotImplemented
        return _power(self, exponent)(self, exponent, out=(self,))

    def __round__(self, digits: int | None = None) -> Any:
        return np.round(self, digits or 0)

    # NumPy
    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        recorder = functions.recorder_of(self.recorder, inputs, kwargs)
        if recorder.closed:
            return _after(getattr(ufunc, method), inputs, kwargs)
        return functions.call_ufunc(recorder, ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        recorder = functions.recorder_of(self.recorder, args, kwargs)
        if recorder.closed:
            return _after(function, args, kwargs)
        return functions.call_function(recorder, function, args, kwargs)

    def __getitem__(self, index: Any) -> Any:
        if self.recorder.closed:
            return self.settled()[functions.plain(index)]
        settled = functions.settled_index(index)
        return functions.apply(self.recorder, operator.getitem, (self, settled), {})

    def __setitem__(self, index: Any, value: Any) -> None:
        if self.recorder.closed:
            self.assign(assigned(self.settled(), functions.plain(index), functions.plain(value)))
            return
        settled = functions.settled_index(index)
        self.assign(functions.apply(self.recorder, assigned, (self, settled, value), {}))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_view_of":
            raise AttributeError(name)
        if self.recorder.closed:
            return getattr(self.settled(), name)
        method = METHODS.get(name)
        if method is None and (hasattr(np.ndarray, name) or hasattr(np.float64, name)):
            raise self.recorder.decline(f"x.{name} cannot be recorded: {ADVICE}")
        if method is None:
            raise AttributeError(f"'numpy.ndarray' object has no attribute {name!r}")
        return lambda *args, **kwargs: method(self, *args, **kwargs)

    def guarded(self) -> Array:
        """The numbers, on which the course of the cost depends from now on."""
        if self.recorder.closed:
            return self.settled()
        source = self.reference()
        if isinstance(source, Ref):
            self.recorder.guard(source.number)
        return self.array

    def _is_plain(self) -> bool:
        """Whether the numbers may be given away."""
        return self.recorder.closed or self.is_constant()

    def _handed_out(self, number: float, by: str) -> float:
        source = self.reference()
        if isinstance(source, Ref):
            self.recorder.hand_out(number, source.number, NUMBER_ASKED.format(by=by))
        return number

    def _number_asked(self, by: str) -> Exception:
        return self.recorder.decline(NUMBER_ASKED.format(by=by))


_NOT_SEEN = (
    "is not one of NumPy's, gets it inside a list, or is a method of a plain array (X.dot(W): say X @ W)"
)


def _power(array: Recorded, exponent: Any) -> Callable[..., Any]:
    """The function for x ** exponent: an array of NumPy's takes a quicker one for some numbers."""
    if array.scalar or type(exponent) not in (int, float) or array.dtype.kind not in "fc":
        return np.power
    quicker = QUICK_POWERS.get(exponent)
    return np.power if quicker is None else lambda x, _, **out: quicker(x, **out)


def _after(function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """What a function gives of arrays that are left from a recording which has ended."""
    outs = kwargs.get("out")
    if outs is None:
        return function(*functions.plain(args), **functions.plain(kwargs))
    outs = outs if isinstance(outs, tuple) else (outs,)
    own = tuple(np.array(out.settled()) if isinstance(out, Recorded) else out for out in outs)
    result = function(*functions.plain(args), **functions.plain(kwargs | {"out": own}))
    for out, new in zip(outs, own, strict=True):
        if isinstance(out, Recorded):
            out.assign(new)
    return outs[0] if len(outs) == 1 and outs[0] is not None else result


def _scalars_anew(in_place: Callable[..., Any]) -> Callable[..., Any]:
    """An in-place operator that leaves a scalar as it is: Python then computes a new one."""

    def operated(self: Recorded, other: Any) -> Any:
        return NotImplemented if self.scalar else in_place(self, other)

    return operated


for _name in (
    "add",
    "sub",
    "mul",
    "matmul",
    "truediv",
    "floordiv",
    "mod",
    "lshift",
    "rshift",
    "and",
    "or",
    "xor",
):
    setattr(Recorded, f"__i{_name}__", _scalars_anew(getattr(NDArrayOperatorsMixin, f"__i{_name}__")))
