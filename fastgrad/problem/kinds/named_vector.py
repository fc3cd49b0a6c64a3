"""A vector whose entries have names that only messages use: the functions get a plain array.

`Problem.from_model` and the forms of scipy's optimisers make one where the user's own functions take arrays,
and the names stand elsewhere: in a model's exog_names, or in the index of a pandas Series.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.problem.kinds.form import Form, plain_array
from fastgrad.problem.kinds.labels import in_words


@dataclass(frozen=True, eq=False)
class NamedVector:
    """A vector with a name for each entry.

    Parameters
    ----------
    values : (n,) array of floats
    names : n names, of any type that has a repr

    Examples
    --------
    >>> from fastgrad.problem.parameters import Parameters
    >>> Parameters(NamedVector(np.array([0.5, 2.0]), ("const", "alpha"))).label(1)
    "params['alpha']"
    """

    values: npt.NDArray[Any]
    names: tuple[Any, ...]


def named(values: npt.NDArray[Any], names: Sequence[Any] | None) -> Any:
    """The vector with names, or as it is where there are none."""
    return values if names is None else NamedVector(values, tuple(names))


def form_of(value: Any, what: str) -> Form | None:
    """The form of a NamedVector; None for anything else of fastgrad."""
    del what
    if not isinstance(value, NamedVector):
        return None
    return Form("an array with names", plain_array, label=partial(_label, value.names))


def to_array(value: Any, what: str) -> npt.NDArray[Any] | None:
    """The numbers of a NamedVector; None for anything else of fastgrad."""
    del what
    return np.asarray(value.values) if isinstance(value, NamedVector) else None


def _label(names: tuple[Any, ...], index: tuple[int, ...]) -> str:
    return in_words(names[index[0]])
