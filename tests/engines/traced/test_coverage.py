"""Functions along axes, recorded, against NumPy's: reductions, accumulations, sorts, and their kin."""

from __future__ import annotations

import numpy as np
import pytest
from tape_cases import compared

REDUCTIONS = (
    "sum", "prod", "mean", "var", "std", "max", "min", "amax", "amin", "any", "all", "median", "ptp", "nansum",
    "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin", "nanmedian", "count_nonzero",
)  # fmt: skip
POSITIONS = ("argmax", "argmin", "nanargmax", "nanargmin")
ALONG_ONE = (
    "cumsum", "cumprod", "nancumsum", "nancumprod", "sort", "argsort", "unwrap", "diff", "gradient", "flip",
    "cumulative_sum", "cumulative_prod", "trapezoid",
)  # fmt: skip
AXES = (None, 0, 1, -1, (0, 1), (0, -1))
DTYPES = (np.float16, np.float32, np.float64, np.complex128, np.int32, np.bool_)


def made_of(x, dtype):
    """A value inside a cost, of some dtype, that follows from real parameters."""
    if np.issubdtype(dtype, np.complexfloating):
        return x * (1 + 2j)
    return x > 0 if dtype is np.bool_ else (3 * x).astype(dtype)


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_over_axes(name, rng):
    """A reduction gives what NumPy's gives, for each axis and with the axes kept."""
    function, x = getattr(np, name), rng.array(2, 3, 4)
    for axis in AXES:
        for keepdims in (False, True):
            compared(lambda x, axis=axis, keepdims=keepdims: function(x, axis=axis, keepdims=keepdims), x)


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_of_few_axes(name, rng):
    """A reduction of a number, of a vector, and of one entry gives what NumPy's gives."""
    function = getattr(np, name)
    for shape in ((), (5,), (1,), (1, 1), (4, 1), (1, 4)):
        compared(lambda x: function(x), rng.array(*shape))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_of_dtypes(name, dtype, rng):
    """A reduction inside a cost gives the dtype that NumPy's gives."""
    if name == "ptp" and dtype is np.bool_:
        pytest.skip("NumPy has no difference of bools")
    compared(lambda x: getattr(np, name)(made_of(x, dtype), axis=0), rng.array(3, 4))


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "any", "all"])
def test_reductions_of_nothing(name):
    """A reduction of an array without entries gives what NumPy's gives."""
    if name == "mean":
        compared(lambda x: np.mean(x[:, :0], axis=0), np.ones((2, 3)))
        return
    compared(lambda x: getattr(np, name)(x[:, :0], axis=1), np.ones((2, 3)))
    compared(lambda x: x[0] + getattr(np, name)(x[:0]), np.ones(3))


@pytest.mark.parametrize("name", POSITIONS)
def test_positions(name, rng):
    """The place of the largest is what NumPy gives, as a value and as an index."""
    function, x = getattr(np, name), rng.array(2, 3, 4)
    for axis in (None, 0, -1):
        compared(lambda x, axis=axis: function(x, axis=axis), x)
    compared(lambda x: x.ravel()[function(x)], x)


@pytest.mark.parametrize("name", ALONG_ONE)
def test_along_one_axis(name, rng):
    """What works along one axis gives what NumPy's gives, for each axis."""
    function = getattr(np, name)
    for axis in (0, 1, -1):
        compared(lambda x, axis=axis: function(x, axis=axis), rng.array(3, 4))
    compared(lambda x: function(x), rng.array(5))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["cumsum", "cumprod", "diff", "sort", "argsort", "flip"])
def test_along_one_axis_of_dtypes(name, dtype, rng):
    """So it does in each dtype."""
    compared(lambda x: getattr(np, name)(made_of(x, dtype), axis=0), rng.array(4, 3))


CASES = {
    "flat cumsum": lambda x: np.cumsum(x),
    "sort of all": lambda x: np.sort(x, axis=None),
    "argsort of all": lambda x: np.argsort(x, axis=None, kind="stable"),
    "partition": lambda x: np.partition(x, 2, axis=0),
    "argpartition": lambda x: np.take_along_axis(x, np.argpartition(x, 2, axis=1), 1),
    "percentile": lambda x: np.percentile(x, 30, axis=0),
    "percentiles": lambda x: np.percentile(x, [10, 40, 90], axis=1),
    "quantile": lambda x: np.quantile(x, 0.3),
    "quantiles by tables": lambda x: np.quantile(x, [[0.1, 0.2], [0.3, 0.4]], axis=0),
    "quantile of a value": lambda x: np.quantile(x, 1 / (1 + np.exp(-x[0, 0])), axis=0),
    "nanpercentile": lambda x: np.nanpercentile(x, 40, axis=0),
    "sum where": lambda x: np.sum(x, axis=0, where=x > 0),
    "sum with a start": lambda x: np.sum(x, axis=1, initial=2.5),
    "max with a start": lambda x: np.max(x, axis=1, initial=0.5),
    "min where": lambda x: np.min(x, axis=0, initial=9.0, where=x > 0),
    "mean where": lambda x: np.mean(x, axis=0, where=np.array([[True], [False], [True]])),
    "var where": lambda x: np.var(x, axis=0, where=np.array([[True], [False], [True]])),
    "var with ddof": lambda x: np.var(x, axis=1, ddof=1),
    "std with correction": lambda x: np.std(x, axis=1, correction=1),
    "var in float32": lambda x: np.var(x, axis=1, dtype=np.float32),
    "sum in float32": lambda x: np.sum(x, axis=1, dtype=np.float32),
    "mean in float32": lambda x: np.mean(x, axis=1, dtype=np.float32),
    "sum over no axis": lambda x: np.sum(x, axis=()),
    "max over no axis": lambda x: np.max(x, axis=()),
    "method by place": lambda x: x.sum(0, None, None, True),
    "mean by place": lambda x: x.mean(1, None, None, True),
    "var by place": lambda x: x.var(1, None, None, 1),
    "average": lambda x: np.average(x, axis=0),
    "weighted average": lambda x: np.average(x, axis=1, weights=[1.0, 2.0, 3.0, 4.0]),
    "average by parameters": lambda x: np.average(x, axis=1, weights=np.abs(x[0])),
    "average and weights": lambda x: np.average(x, weights=np.abs(x), returned=True),
    "differences": lambda x: np.diff(x, n=2, axis=0),
    "differences with ends": lambda x: np.diff(x, prepend=0.0, append=x[:, :1], axis=1),
    "ediff1d": lambda x: np.ediff1d(x),
    "gradient with steps": lambda x: np.gradient(x, 0.5, axis=1),
    "gradients": lambda x: np.gradient(x),
    "trapezoid on a grid": lambda x: np.trapezoid(x, np.array([0.0, 1.0, 3.0, 4.0]), axis=1),
    "histogram": lambda x: np.histogram(x, bins=4, range=(-9.0, 9.0)),
    "cov": lambda x: np.cov(x),
    "corrcoef": lambda x: np.corrcoef(x),
    "lexsort": lambda x: x[:, np.lexsort(x)],
    "out": lambda x: np.sum(x, axis=0, out=np.zeros(4)),
    "mean out": lambda x: np.mean(x, axis=0, out=np.zeros(4)),
    "unique": lambda x: np.unique(x),
    "bincount": lambda x: np.bincount([0, 1, 1, 2], weights=x[0]),
    "apply along an axis": lambda x: np.apply_along_axis(lambda row: row * row.sum(), 0, x),
    "apply along an axis to numbers": lambda x: np.apply_along_axis(lambda row: row @ row, 1, x),
}


@pytest.mark.parametrize("name", CASES)
def test_with_options(name, rng):
    """Starting values, masks, degrees of freedom, given dtypes, out=: as NumPy's."""
    compared(CASES[name], rng.array(3, 4))
