"""DataArrays of xarray, which is imported only when one comes.

They are made again with the same dimensions, coordinates, name and attributes, over the memory of the working
copy. A gradient is put into the parameter's order of dimensions and of coordinates.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.errors import InputError
from fastgrad.printable import shortened
from fastgrad.problem.kinds.form import Form
from fastgrad.problem.kinds.labels import aligned_positions, in_words


def form_of(value: Any, what: str) -> Form | None:
    """The form of a DataArray; None for anything else of xarray.

    Raises
    ------
    InputError
        For a Dataset or a Variable, and for other dtypes than float32 and float64.
    """
    import xarray as xr

    if isinstance(value, xr.Dataset):
        raise InputError(
            f"{what} is an xarray Dataset: pass its DataArrays in a dict, dict(ds.data_vars), and join them "
            "in the cost, xr.Dataset(params)",
            code="FG105",
        )
    if isinstance(value, xr.Variable):
        raise InputError(f"{what} is an xarray Variable: pass a DataArray, xr.DataArray(...)", code="FG105")
    if not isinstance(value, xr.DataArray):
        return None
    if value.dtype not in (np.float32, np.float64):
        raise InputError(
            f"{what} must be a DataArray of float32 or float64; got one of {value.dtype}. "
            "Pass .astype(float) if it is a parameter",
            code="FG101",
        )
    without_numbers = value.copy(data=np.broadcast_to(np.zeros((), value.dtype), value.shape))
    axes = tuple((str(dim), value.indexes.get(dim)) for dim in value.dims)
    return Form(
        "an xarray DataArray",
        partial(_data_array, without_numbers),
        label=partial(_label, axes),
        align=partial(_align, without_numbers),
    )


def to_array(value: Any, what: str) -> npt.NDArray[Any] | None:
    """The numbers of a DataArray or a Variable in their order; None for anything else of xarray."""
    del what
    import xarray as xr

    return np.asarray(value.values) if isinstance(value, xr.DataArray | xr.Variable) else None


def _label(axes: tuple[tuple[str, Any], ...], index: tuple[int, ...]) -> str:
    """Coordinates as dim=label, positions of a dimension without coordinates as they are."""
    words = (
        str(i) if labels is None else f"{shortened(dim)}={in_words(labels[i])}"
        for (dim, labels), i in zip(axes, index, strict=True)
    )
    return ", ".join(words)


def _align(parameter: Any, gradient: Any, what: str) -> npt.NDArray[Any] | None:
    """The gradient's numbers in the order of the parameter; None for a gradient without dimensions' names."""
    import xarray as xr

    if not isinstance(gradient, xr.DataArray):
        return None
    if set(gradient.dims) != set(parameter.dims):
        raise InputError(
            f"{what} must have the dimensions of the parameter, {_dims(parameter)}; got {_dims(gradient)}",
            code="FG309",
        )
    found = np.asarray(gradient.transpose(*parameter.dims).values)
    for k, dim in enumerate(parameter.dims):
        mine, theirs = parameter.indexes.get(dim), gradient.indexes.get(dim)
        if mine is not None and theirs is not None:
            positions = aligned_positions(mine, theirs, what, f"dimension {shortened(str(dim))}")
            found = np.take(found, positions, axis=k)
    return found


def _dims(array: Any) -> str:
    return f"({', '.join(shortened(str(dim)) for dim in array.dims)})"


def _data_array(like: Any, array: npt.NDArray[Any]) -> Any:
    return like.copy(data=array)
