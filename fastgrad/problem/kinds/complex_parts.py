"""Complex parameters: z = a + ib is checked as the two real coordinates a and b.

Inside, a complex leaf of shape s is a real array of shape (*s, 2). The functions get complex numbers again. A
gradient of complex numbers is taken for G = dL/da + i dL/db, the direction of steepest ascent, which torch
gives too. That of a jax array is taken for dL/da - i dL/db, as jax.grad gives it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.errors import InputError
from fastgrad.problem.kinds.form import Form, Rebuild

PARTS = ("real", "imag")

NOTE = "{name} is complex: its gradient is taken to be dL/da {sign} i dL/db for {name} = a + ib, as {who} it"


def form_of_array(value: npt.NDArray[Any]) -> Form | None:
    """The form of a complex array of NumPy; None for other dtypes, and for longer floats."""
    return complex_form("a complex array", complex_array) if is_complex(value) else None


def form_of_number(value: Any) -> Form:
    """The form of a complex number of Python's or NumPy's."""
    return complex_form("a complex number", partial(_number, type(value)))


def complex_form(kind: str, rebuild: Rebuild, is_conjugate: bool = False) -> Form:
    """The form of a complex leaf.

    Parameters
    ----------
    kind : in words
    rebuild : makes the leaf of an array (*s, 2)
    is_conjugate : whether its library gives dL/da - i dL/db
    """
    sign, who = ("-", "jax.grad gives") if is_conjugate else ("+", "torch, too, gives")
    note = NOTE.replace("{sign}", sign).replace("{who}", who)
    return Form(
        kind, rebuild, takes_batch=True, is_complex=True, is_conjugate=is_conjugate, gradient_note=note
    )


def is_complex(array: npt.NDArray[Any]) -> bool:
    """Whether an array holds complex numbers whose parts are float32 or float64."""
    return array.dtype.type in (np.complex64, np.complex128)


def real_parts(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """(*s, 2) real and imaginary parts of an array (s): a view where it is contiguous.

    Examples
    --------
    >>> real_parts(np.array([1 + 2j, 3.0]))
    array([[1., 2.],
           [3., 0.]])
    """
    native = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
    return native.view(native.real.dtype).reshape((*array.shape, 2))


def complex_array(parts: Any) -> npt.NDArray[Any]:
    """(s) complex numbers of an array (*s, 2), whose memory they share.

    Examples
    --------
    >>> complex_array(np.array([[1.0, 2.0], [3.0, 0.0]]))
    array([1.+2.j, 3.+0.j])
    """
    if np.iscomplexobj(parts):
        raise TypeError("the parts of a complex number are real: no complex step can be taken along them")
    whole = np.complex64 if parts.dtype == np.float32 else np.complex128
    return np.asarray(np.ascontiguousarray(parts).view(whole)[..., 0])


def label(shown: str, index: tuple[int, ...]) -> str:
    """A coordinate in the user's terms.

    Examples
    --------
    >>> label("z", (3, 1)), label("z", (0,))
    ('z[3].imag', 'z.real')
    """
    inside = f"[{', '.join(map(str, index[:-1]))}]" if len(index) > 1 else ""
    return f"{shown}{inside}.{PARTS[index[-1]]}"


def gradient_parts(
    gradient: npt.NDArray[Any], shape: tuple[int, ...], what: str, is_conjugate: bool
) -> npt.NDArray[Any]:
    """(*shape, 2) the real coordinates' derivatives of a gradient of complex numbers.

    A gradient of real numbers has zeros for the derivatives by imaginary parts.

    Parameters
    ----------
    gradient : array of complex or real floats
    shape : of the complex parameter
    what : as messages call the gradient
    is_conjugate : whether it is dL/da - i dL/db

    Raises
    ------
    InputError
        For another shape, axes of length 1 aside.
    """
    if tuple(n for n in gradient.shape if n != 1) != tuple(n for n in shape if n != 1):
        raise InputError(
            f"{what} must have shape {shape}, as the parameter has; got shape {gradient.shape}", code="FG302"
        )
    short = gradient.dtype.itemsize <= (8 if gradient.dtype.kind == "c" else 4)
    found = real_parts(gradient.astype(np.complex64 if short else np.complex128).reshape(shape))
    return found * np.array([1, -1], found.dtype) if is_conjugate else found


def _number(kind: type, parts: Any) -> Any:
    found = complex_array(parts)
    return found if found.ndim else (found.item() if kind is complex else found[()])
