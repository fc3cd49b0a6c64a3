"""Labels of the entries of an array, as pandas and xarray have them: in words, and aligned.

An axis has a pandas Index. This module calls its methods and does not import pandas.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.errors import InputError
from fastgrad.printable import shortened

NAMED = 8
"""Labels that are named at most where a gradient does not have them."""


def in_words(label: Any) -> str:
    """A label as the user would write it, as far as that is short.

    Examples
    --------
    >>> print(in_words("alpha"), in_words(np.int64(3)), in_words(("a", 1)))
    'alpha' 3 ('a', 1)
    """
    return shortened(_written(label))


def aligned_positions(mine: Any, theirs: Any, what: str, axis: str = "") -> IndexArray:
    """Where the labels of one index stand in another one.

    Parameters
    ----------
    mine : (n,) pandas Index of a parameter
    theirs : (m,) pandas Index of its gradient
    what : the gradient, as messages call it
    axis : the axis, as messages call it; empty where there is only one

    Returns
    -------
    (n,) positions in `theirs`

    Raises
    ------
    InputError
        Naming labels that are missing in `theirs`, or that `mine` does not have; where a label stands in an
        index twice, and the two are not equal.
    """
    if mine.equals(theirs):
        return np.arange(len(mine), dtype=np.intp)
    of = f" of its {axis}" if axis else ""
    if not (mine.is_unique and theirs.is_unique):
        raise InputError(
            f"{what} has the labels{of} in another order, and some of them stand there twice: give it in the "
            "order of the parameter, or as a plain array",
            code="FG309",
        )
    positions = theirs.get_indexer(mine)
    back = mine.get_indexer(theirs)
    missing = [mine[int(k)] for k in np.flatnonzero(positions < 0)]
    unknown = [theirs[int(k)] for k in np.flatnonzero(back < 0)]
    if missing or unknown:
        said = [f"missing: {_some(missing)}"] if missing else []
        said += [f"not among the parameter's: {_some(unknown)}"] if unknown else []
        raise InputError(
            f"{what} has other labels{of} than the parameter; {'; '.join(said)}. Give it the parameter's "
            "labels, or give a plain array to have it compared by position",
            code="FG309",
        )
    return np.asarray(positions, dtype=np.intp)


def _some(labels: Sequence[Any]) -> str:
    named = ", ".join(in_words(label) for label in labels[:NAMED])
    more = len(labels) - NAMED
    return f"{named} and {more} more" if more > 0 else named


def _written(label: Any) -> str:
    if isinstance(label, tuple):
        return f"({', '.join(map(_written, label))}{',' * (len(label) == 1)})"
    if isinstance(label, np.generic) and label.dtype.kind in "biufSU":
        label = label.item()
    return repr(label) if isinstance(label, str | bytes | int | float | None) else repr(str(label))
