"""Series and DataFrames: made again, named by their labels, and gradients aligned by them."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.errors import InputError
from fastgrad.problem.parameters import Parameters

pd = pytest.importorskip("pandas")

X = np.array([0.5, -1.0, 2.0])


def series(dtype=float, index=("alpha", "beta", "gamma")):
    """Parameters with names."""
    return pd.Series(X, index=list(index), name="theta", dtype=dtype)


def frame(dtype=float):
    """A table of parameters."""
    return pd.DataFrame(np.arange(1.0, 7.0).reshape(3, 2), index=list("uvw"), columns=["p", "q"], dtype=dtype)


def squares(params):
    """The sum of squares."""
    return float((params.to_numpy().astype(float) ** 2).sum())


class TestSeries:
    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    def test_made_again(self, dtype):
        """The cost and the gradient get a Series with the index, the name and the dtype that were given."""
        given, seen = series(dtype), []

        def cost(s):
            seen.append((type(s), s.name, s.dtype, list(s.index)))
            return squares(s)

        assert fastgrad.check_gradient(cost, lambda s: (cost(s), 2 * s)[1], given).passed
        assert set(map(str, seen)) == {str((pd.Series, "theta", given.dtype, list(given.index)))}

    # order of the gradient's labels
    @pytest.mark.parametrize("order", [["alpha", "beta", "gamma"], ["gamma", "alpha", "beta"]])
    def test_aligned_by_label(self, order):
        """A gradient in another order is put into the parameter's; one that is wrong is named by label."""
        assert fastgrad.check_gradient(squares, lambda s: (2 * s)[order], series()).passed
        wrong = fastgrad.check_gradient(
            squares, lambda s: (2 * s + pd.Series([0, 0.1, 0], index=s.index))[order], series()
        )
        assert [f.label for f in wrong.wrong] == ["params['beta']"]
        assert [f.index for f in wrong.wrong] == [(1,)]

    # gradient, what is said
    REFUSED = (
        (
            lambda s: (2 * s).rename({"gamma": "delta"}),
            "missing: 'gamma'; not among the parameter's: 'delta'",
        ),
        (lambda s: (2 * s)[["alpha", "beta"]], "missing: 'gamma'"),
        (lambda s: pd.Series(2 * s.to_numpy()), "not among the parameter's: 0, 1, 2"),
        (lambda s: pd.Series([1, 2, 3], index=s.index), r"must hold real floats; got Series of int64"),
    )

    @pytest.mark.parametrize(("gradient", "said"), REFUSED)
    def test_other_labels_are_refused(self, gradient, said):
        """A gradient with other labels is refused by name."""
        with pytest.raises(InputError, match=said):
            fastgrad.check_gradient(squares, gradient, series())

    @pytest.mark.parametrize(
        "gradient",
        [
            lambda s: 2 * s.to_numpy(),
            lambda s: list(2 * s),
            lambda s: (2 * s).to_frame(),
            lambda s: (2 * s).astype("Float64"),
        ],
    )
    def test_without_labels_by_position(self, gradient):
        """An array, a list, a frame of one column and a nullable Series are taken."""
        assert fastgrad.check_gradient(squares, gradient, series()).passed

    def test_a_labelled_gradient_of_an_array(self):
        """Where the parameter has no labels those of the gradient say nothing."""
        assert fastgrad.check_gradient(
            lambda x: float(x @ x), lambda x: pd.Series(2 * x, index=[3, 4, 5]), X
        ).passed

    # index, the label of the last coordinate
    INDEXES = (
        (list("abc"), "params['c']"),
        ([10, 20, 30], "params[30]"),
        ([0.1, 0.2, 0.3], "params[0.3]"),
        (pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)]), "params[('b', 1)]"),
        (pd.date_range("2020-01-01", periods=3), "params['2020-01-03 00:00:00']"),
        (["a", "b", "two\nlines\x1b[31m"], r"params['two\nlines\x1b[31m']"),
        (None, "params[2]"),
    )

    @pytest.mark.parametrize(("index", "label"), INDEXES)
    def test_labels(self, index, label):
        """Coordinates are called by their labels, whatever these are."""
        assert Parameters(pd.Series(X, index=index)).label(2) == label

    def test_labels_that_stand_there_twice(self):
        """Equal labels do no harm as long as the gradient has them in the same order."""
        given = pd.Series(X, index=list("aab"))
        assert fastgrad.check_gradient(squares, lambda s: 2 * s, given).passed
        with pytest.raises(InputError, match="some of them stand there twice"):
            fastgrad.check_gradient(squares, lambda s: (2 * s).iloc[[2, 0, 1]], given)

    # parameters, what is said
    DTYPES = (
        (pd.Series([1, 2]), r'Series of float32 or float64; got one of int64. Pass .astype\("float64"\)'),
        (pd.Series([1.0, "a"]), "got one of object"),
        (pd.Series([1.0, 2.0], dtype="Float64"), "got one of Float64"),
        (pd.Series([True]), "got one of bool"),
        (pd.Series([1.0, 2.0]).index, "is a pandas Index, which nothing can be written to: pass .to_numpy()"),
        (pd.Series([1.0, None], index=["a", "b"]), r"parameter params\['b'\] is nan"),
    )

    @pytest.mark.parametrize(("params", "said"), DTYPES)
    def test_other_dtypes_are_refused(self, params, said):
        """Integers, objects and nullable floats are refused with what to write."""
        with pytest.raises(InputError, match=said):
            fastgrad.check_gradient(squares, params, params)

    def test_a_cost_that_writes_into_it_is_refused(self):
        """A Series lies over the working copy: what the cost writes into it is seen."""

        def cost(s):
            s.iloc[1] = 7.0
            return 1.0

        with pytest.raises(InputError, match=r"the cost changes its parameters: params\['beta'\] was -1"):
            fastgrad.check_gradient(cost, X, series())


class TestFrame:
    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    def test_made_again(self, dtype):
        """The cost gets a DataFrame with the index, columns and dtypes that were given."""
        given, seen = frame(dtype), []

        def cost(f):
            seen.append((type(f), list(f.index), list(f.columns), list(f.dtypes)))
            return squares(f)

        assert fastgrad.check_gradient(cost, lambda f: 2 * f, given).passed
        assert set(map(str, seen)) == {str((pd.DataFrame, list("uvw"), ["p", "q"], [given.dtypes["p"]] * 2))}

    def test_aligned_by_both_axes(self):
        """A gradient with rows and columns in another order is put into the parameter's."""
        assert fastgrad.check_gradient(
            squares, lambda f: (2 * f).loc[["w", "u", "v"], ["q", "p"]], frame()
        ).passed

        def wrong(f):
            g = 2 * f
            g.loc["v", "q"] += 0.5
            return g.loc[["w", "u", "v"], ["q", "p"]]

        report = fastgrad.check_gradient(squares, wrong, frame())
        assert [f.label for f in report.wrong] == ["params['v', 'q']"]
        assert "params['v', 'q']" in str(report)
        assert "only params['v', 'q'] is wrong" in report.diagnosis[0]

    # gradient, what is said
    REFUSED = (
        (lambda f: (2 * f)[["p"]], "other labels of its columns than the parameter; missing: 'q'"),
        (lambda f: (2 * f).rename(index={"u": "x"}), "other labels of its index .* not among .*: 'x'"),
        (lambda f: 2 * f.to_numpy().T, r"must have shape \(3, 2\), as the parameter has; got shape \(2, 3\)"),
        (lambda f: (2 * f)["p"], r"must have shape \(3, 2\), as the parameter has; got shape \(3,\)"),
    )

    @pytest.mark.parametrize(("gradient", "said"), REFUSED)
    def test_other_labels_are_refused(self, gradient, said):
        """A gradient with other labels, or of another shape, is refused."""
        with pytest.raises(InputError, match=said):
            fastgrad.check_gradient(squares, gradient, frame())

    def test_a_series_for_one_column(self):
        """The gradient of a frame of one column may be a Series."""
        given = frame()[["p"]]
        assert fastgrad.check_gradient(squares, lambda f: (2 * f)["p"].iloc[[2, 0, 1]], given).passed

    # parameters, what is said
    DTYPES = (
        (
            pd.DataFrame({"a": [1.0], "b": [1]}),
            "got int64 in column 'b'. Pass .* or only the columns that are",
        ),
        (pd.DataFrame({"a": [1.0], "b": ["x"]}), "got .* in column 'b'"),
        (pd.DataFrame({"a": np.ones(1), "b": np.ones(1, np.float32)}), "columns of float32 and of float64"),
    )

    @pytest.mark.parametrize(("params", "said"), DTYPES)
    def test_other_dtypes_are_refused(self, params, said):
        """A column that holds no floats is refused by name."""
        with pytest.raises(InputError, match=said):
            fastgrad.check_gradient(squares, params, params)


def test_in_a_structure_and_other_processes():
    """A Series beside a plain array is made again in worker processes too."""
    params = {"s": series(), "W": np.ones((4, 5))}

    def cost(p):
        assert list(p["s"].index) == ["alpha", "beta", "gamma"]
        return squares(p["s"]) + float((p["W"] ** 2).sum())

    report = fastgrad.check_gradient(
        cost, lambda p: {"W": 2 * p["W"], "s": 2 * p["s"]}, params, n_jobs=2, backend="loky"
    )
    assert report.passed


def test_numerical_gradient_has_the_labels():
    """The numerical gradient of a Series or a DataFrame has its labels, and is float64."""
    found = fastgrad.numerical_gradient(
        lambda p: squares(p["s"]) + squares(p["f"]), {"s": series(), "f": frame()}
    )
    assert np.allclose(found.values["s"]["beta"], -2.0)
    assert np.allclose(found.values["f"].loc["v", "q"], 8.0)
    assert (found.error_bound["s"] < 1e-6).all()


def test_vectorized_is_refused():
    """There is no batch of Series."""
    with pytest.raises(InputError, match="is a pandas Series, and with vectorized=True"):
        fastgrad.check_gradient(squares, X, series(), vectorized=True)
