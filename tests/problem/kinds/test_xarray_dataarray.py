"""DataArrays: made again with dimensions and coordinates, and gradients put into their order."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.errors import InputError
from fastgrad.problem.parameters import Parameters

xr = pytest.importorskip("xarray")


def given(dtype=float):
    """Parameters with a dimension that has coordinates and one that has none."""
    return xr.DataArray(
        np.arange(1.0, 7.0).reshape(3, 2).astype(dtype),
        dims=("time", "place"),
        coords={"place": ["north", "south"]},
        name="theta",
        attrs={"unit": "m"},
    )


def squares(params):
    """The sum of squares, as a DataArray without dimensions."""
    return (params**2).sum()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_made_again(dtype):
    """The cost gets a DataArray with the dimensions, coordinates, name and attributes that were given."""
    seen = []

    def cost(p):
        seen.append(p.copy(data=np.zeros(p.shape, p.dtype)))
        return squares(p)

    assert fastgrad.check_gradient(cost, lambda p: 2 * p, given(dtype)).passed
    expected = given(dtype) * 0
    assert all(p.identical(expected.assign_attrs(unit="m").rename("theta")) for p in seen)


# what the gradient is made into
ORDERS = (
    lambda g: g,
    lambda g: g.transpose("place", "time"),
    lambda g: g.sel(place=["south", "north"]),
    lambda g: g.sel(place=["south", "north"]).transpose("place", "time"),
    lambda g: g.drop_vars("place"),
    lambda g: g.to_numpy(),
)


@pytest.mark.parametrize("order", ORDERS)
def test_aligned(order):
    """A gradient with dimensions or coordinates in another order is put into the parameter's."""
    assert fastgrad.check_gradient(squares, lambda p: order(2 * p), given()).passed


def test_label():
    """A coordinate is called by its label where there are labels, and by its position where not."""
    report = fastgrad.check_gradient(
        squares, lambda p: 2 * p + xr.DataArray([0.0, 0.5], dims="place"), given(), coordinates=[1]
    )
    assert [f.label for f in report.wrong] == ["params[0, place='south']"]
    assert Parameters({"a": given()}).label(4) == "a[2, place='north']"


# gradient, what is said
REFUSED = (
    (
        lambda p: (2 * p).rename(time="day"),
        r"the dimensions of the parameter, \(time, place\); got \(day, place\)",
    ),
    (
        lambda p: (2 * p).assign_coords(place=["north", "west"]),
        "other labels of its dimension place than the parameter; missing: 'south'; .*: 'west'",
    ),
    (lambda p: (2 * p).isel(time=0), r"the dimensions of the parameter, \(time, place\); got \(place\)"),
)


@pytest.mark.parametrize(("gradient", "said"), REFUSED)
def test_other_dimensions_are_refused(gradient, said):
    """Other dimensions and other coordinates are refused by name."""
    with pytest.raises(InputError, match=said):
        fastgrad.check_gradient(squares, gradient, given())


# parameters, what is said
PARAMETERS = (
    (
        given().to_dataset(name="a"),
        r"is an xarray Dataset: pass its DataArrays in a dict, dict\(ds.data_vars\)",
    ),
    (given().variable, "is an xarray Variable: pass a DataArray"),
    (given(int), "must be a DataArray of float32 or float64; got one of int64"),
)


@pytest.mark.parametrize(("params", "said"), PARAMETERS)
def test_refused_parameters(params, said):
    """A Dataset, a Variable and integers are refused with what to write."""
    with pytest.raises(InputError, match=said):
        fastgrad.check_gradient(lambda p: 1.0, given(), params)


def test_a_dataset_as_a_dict():
    """What the message on a Dataset says works."""
    params = dict(xr.Dataset({"a": given(), "b": ("k", [1.0, 2.0])}).data_vars)
    report = fastgrad.check_gradient(
        lambda p: sum(float(squares(v)) for v in xr.Dataset(p).data_vars.values()),
        lambda p: {k: 2 * v for k, v in p.items()},
        params,
    )
    assert report.passed


def test_numerical_gradient_has_the_coordinates():
    """The numerical gradient is a DataArray with the parameter's coordinates."""
    found = fastgrad.numerical_gradient(squares, given()).values
    assert np.allclose(found.sel(place="south"), [4.0, 8.0, 12.0])
