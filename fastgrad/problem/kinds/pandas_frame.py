"""Series and DataFrames of pandas, which is imported only when one comes.

They are made again with the same index, columns and name, over the memory of the working copy. Labels name
the coordinates, and a gradient with the same labels in another order is put into the parameter's order.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.errors import InputError
from fastgrad.problem.kinds.form import Form
from fastgrad.problem.kinds.labels import aligned_positions, in_words

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def form_of(value: Any, what: str) -> Form | None:
    """The form of a Series or a DataFrame; None for anything else of pandas.

    Raises
    ------
    InputError
        For an Index, for other dtypes than float32 and float64, and for columns of several dtypes.
    """
    import pandas as pd

    if isinstance(value, pd.Index):
        raise InputError(
            f"{what} is a pandas Index, which nothing can be written to: pass .to_numpy()", code="FG105"
        )
    if isinstance(value, pd.Series):
        if value.dtype not in FLOATS:
            raise InputError(
                f"{what} must be a Series of float32 or float64; got one of {value.dtype}. "
                'Pass .astype("float64")',
                code="FG101",
            )
        rebuild = partial(_series, value.index, value.name, type(value))
        axes: tuple[Any, ...] = (value.index,)
        return Form("a pandas Series", rebuild, label=partial(_label, axes), align=partial(_align, axes))
    if not isinstance(value, pd.DataFrame):
        return None
    _require_floats(value, what)
    rebuild = partial(_frame, value.index, value.columns, type(value))
    axes = (value.index, value.columns)
    return Form("a pandas DataFrame", rebuild, label=partial(_label, axes), align=partial(_align, axes))


def to_array(value: Any, what: str) -> npt.NDArray[Any] | None:
    """The numbers of a Series or a DataFrame in their order; None for anything else of pandas.

    Missing values of nullable columns are NaN.
    """
    del what
    import pandas as pd

    if not isinstance(value, pd.Series | pd.DataFrame):
        return None
    found = value.to_numpy()
    if found.dtype.kind == "O":  # nullable floats, and integers that would be missing here
        dtypes = [value.dtype] if isinstance(value, pd.Series) else list(value.dtypes)
        if all(pd.api.types.is_float_dtype(dtype) for dtype in dtypes):
            found = value.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(found)


def _require_floats(frame: Any, what: str) -> None:
    dtypes = dict(zip(frame.columns, frame.dtypes, strict=True))
    for column, dtype in dtypes.items():
        if dtype not in FLOATS:
            raise InputError(
                f"{what} must be a DataFrame of float32 or float64; got {dtype} in column "
                f'{in_words(column)}. Pass .astype("float64"), or only the columns that are parameters',
                code="FG101",
            )
    if len(set(dtypes.values())) > 1:
        raise InputError(
            f'{what} is a DataFrame with columns of float32 and of float64: pass .astype("float64")',
            code="FG101",
        )


def _label(axes: tuple[Any, ...], index: tuple[int, ...]) -> str:
    return ", ".join(in_words(axis[i]) for axis, i in zip(axes, index, strict=True))


def _align(axes: tuple[Any, ...], gradient: Any, what: str) -> npt.NDArray[Any] | None:
    """The gradient's numbers in the order of the axes; None for a gradient without labels."""
    import pandas as pd

    if len(axes) == 1 and isinstance(gradient, pd.DataFrame) and gradient.shape[1] == 1:
        gradient = gradient.iloc[:, 0]
    if len(axes) == 2 and isinstance(gradient, pd.Series) and len(axes[1]) == 1:
        gradient = gradient.to_frame(axes[1][0])
    if not isinstance(gradient, pd.Series if len(axes) == 1 else pd.DataFrame):
        return None
    names = ("",) if len(axes) == 1 else ("index", "columns")
    theirs = (gradient.index,) if len(axes) == 1 else (gradient.index, gradient.columns)
    found = to_array(gradient, what)
    assert found is not None
    for k, (axis, other, name) in enumerate(zip(axes, theirs, names, strict=True)):
        found = np.take(found, aligned_positions(axis, other, what, name), axis=k)
    return found


def _series(index: Any, name: Any, kind: type, array: npt.NDArray[Any]) -> Any:
    return kind(array, index=index, name=name, copy=False)


def _frame(index: Any, columns: Any, kind: type, array: npt.NDArray[Any]) -> Any:
    return kind(array, index=index, columns=columns, copy=False)
