"""Sparse matrices and arrays of scipy: refused as parameters, taken as gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.errors import InputError
from fastgrad.problem.kinds.form import Form


def form_of(value: Any, what: str) -> Form | None:
    """None for anything of scipy that is not sparse.

    Raises
    ------
    InputError
        For a sparse matrix: which of its entries are parameters, only the user can say.
    """
    from scipy import sparse

    if sparse.issparse(value):
        raise InputError(
            f"{what} is a sparse {value.format} matrix of shape {value.shape}: pass the numbers that it "
            "stores, .tocsr().data, as the parameter and build the matrix in the cost; or pass .toarray() if "
            "its zeros are parameters too",
            code="FG107",
        )
    return None


def to_array(value: Any, what: str) -> npt.NDArray[Any] | None:
    """A sparse matrix or array with its zeros; None for anything else of scipy."""
    del what
    from scipy import sparse

    return np.asarray(value.toarray()) if sparse.issparse(value) else None
