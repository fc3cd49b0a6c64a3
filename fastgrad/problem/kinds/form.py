"""What a leaf of the parameters was, beside its numbers: enough to make the same kind again from an array.

The module of each kind makes a `Form` of a leaf. `Parameters` keeps it with the block, `AsGiven` calls its
`rebuild`, a block asks it for labels, and `matching` for the numbers of a gradient in the leaf's own order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

Rebuild = Callable[[Any], Any]
"""rebuild(array in the block's shape) -> the kind that the user gave, with the array's numbers. It can be
pickled."""


def plain_array(array: Any) -> Any:
    """The rebuild of a kind of which the user's functions get the array itself: they need no wrapper."""
    return array


@dataclass(frozen=True, eq=False)
class Form:
    """How a leaf is made again from an array.

    Parameters
    ----------
    kind : in words, as "a pandas Series"
    rebuild : makes the kind of an array; `plain_array` where the array itself is what functions get
    is_number : whether the leaf is one number, which an array without axes stands for in compiled code
    takes_batch : whether `rebuild` also makes a batch, of an array with one more axis in front
    follows : whether `rebuild` takes any object that acts like an array, and not only an array
    batch_is_array : whether an array stands for a batch of the kind: it has none of its own
    label : label(index) -> the coordinate's labels in words; None where indices are the labels
    is_complex : whether its numbers are complex, of which the array has the real and the imaginary parts
    is_conjugate : whether the library of a complex leaf gives dL/da - i dL/db for its gradient
    gradient_note : a sentence on what its gradient is taken for, with {name}; empty where there is no choice
    align : align(gradient, what) -> its numbers, in the order of the leaf's labels, for a gradient that has
        labels of the same library; None where there are none
    """

    kind: str
    rebuild: Rebuild
    is_number: bool = False
    takes_batch: bool = False
    follows: bool = False
    batch_is_array: bool = False
    label: Callable[[tuple[int, ...]], str] | None = None
    is_complex: bool = False
    is_conjugate: bool = False
    gradient_note: str = ""
    align: Callable[[Any, str], npt.NDArray[Any] | None] | None = None
