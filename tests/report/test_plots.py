"""The same pictures by matplotlib."""

from __future__ import annotations

import sys
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from report_cases import agreeing, report_of, undecided_report, wrong

import fastgrad
from fastgrad.errors import InputError
from fastgrad.report.pictures.heat_maps import heat_maps
from fastgrad.report.plots import KINDS

mpl.use("agg")
from matplotlib import pyplot


@pytest.fixture(autouse=True)
def _closed():
    """Close what a test has drawn."""
    yield
    pyplot.close("all")


@pytest.mark.parametrize("kind", [None, *KINDS])
@pytest.mark.parametrize("report", [agreeing, wrong, undecided_report])
def test_kinds(kind, report):
    """Every picture of every report is drawn, into the axes that are given or new ones."""
    _, ax = pyplot.subplots()
    assert report().plot(kind, ax) is ax
    assert report().plot(kind) is not ax
    ax.figure.canvas.draw()


def test_map():
    """The map shows the levels of the worst block, or of the one that is asked for."""
    ax = wrong().plot()
    assert ax.get_title() == "W: error over allowed"
    assert (ax.images[0].get_array() == heat_maps(wrong())[0].levels).all()
    assert wrong().plot("map", block="b").get_title() == "b: error over allowed"
    assert agreeing().plot().get_ylabel() == "claimed"


def test_whole_rows():
    """The axes of a map are marked at whole rows and columns only."""
    ax = wrong().plot()
    ax.figure.draw_without_rendering()
    assert all(tick == round(tick) for axis in (ax.xaxis, ax.yaxis) for tick in axis.get_ticklocs())


def test_places():
    """Axes of a map count entries, also where a cell has several."""
    ax = report_of({}, sizes=(("W", (200, 130)),)).plot("map")
    assert ax.get_xlim() == (-0.5, 129.5)
    assert ax.get_ylim() == (199.5, -0.5)


def test_scatter():
    """Wrong coordinates are marked."""
    drawn = {line.get_label(): line for line in wrong().plot("scatter").lines}
    assert drawn["wrong"].get_xdata().tolist() == [1.0, 1.0, 1.0]
    assert sorted(drawn["wrong"].get_ydata()) == [0.75, 1.5, 9.0]


def test_of_one_block():
    """The scatter and the steps are those of the block that is asked for."""
    report = wrong()
    everything, of_b = (
        sum(len(line.get_xdata()) for line in report.plot("scatter", block=block).lines[1:])
        for block in (None, "b")
    )
    assert (everything, of_b) == (9, 3)
    assert report.plot("steps").get_title().startswith("W[")
    assert report.plot("steps", block="b").get_title().startswith("b[")


def test_of_a_block_without_a_checked_coordinate():
    """What was not checked cannot be drawn, and that is said."""
    x = {"a": np.ones(3), "b": np.ones(3)}
    report = fastgrad.check_gradient(
        lambda p: float(np.sum(np.sin(p["a"])) + np.sum(p["b"] ** 2)),
        lambda p: {"a": np.cos(p["a"]), "b": 2 * p["b"]},
        x,
        coordinates=[3, 4],
    )
    for kind in ("scatter", "steps"):
        with pytest.raises(InputError, match="none of its coordinates was checked"):
            report.plot(kind, block="a")


def test_names_are_text():
    """A dollar sign in a name is a dollar sign."""
    ax = report_of({"$\\frac": {(0, 0): 1.0}}, sizes=(("$\\frac", (2, 2)),)).plot()
    ax.figure.canvas.draw()
    assert ax.get_title().startswith("\\$")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: wrong().plot("heatmap"),
            "kind must be one of map, scatter, steps, evaluations, or None; got 'heatmap'",
        ),
        (
            lambda: wrong().plot(np.ones(3)),
            "kind must be one of map, scatter, steps, evaluations, or None; got array",
        ),
        (lambda: wrong().plot(block="c"), "block 'c' has no map; those with one are W, b"),
        (lambda: wrong().plot("scatter", block="c"), "there is no block 'c'; the blocks are W, b"),
        (lambda: wrong().plot("steps", block="c"), "there is no block 'c'"),
        (lambda: wrong().plot("evaluations", block="b"), "evaluations are those of the whole check"),
        (lambda: report_of({}, sizes=(("a", (1,)),)).plot("map"), "no block has a map"),
        (lambda: replace(wrong(), numeric=np.full(9, np.nan)).plot("scatter"), "there is nothing to draw"),
        (lambda: replace(wrong(), revisit=None).plot("steps"), "the error by the step cannot be drawn"),
    ],
)
def test_refused(call, message):
    """What cannot be drawn is refused with the reason, and leaves no empty figure."""
    with pytest.raises(InputError) as caught:
        call()
    assert not pyplot.get_fignums()
    assert str(caught.value).startswith(message)


def test_without_matplotlib(monkeypatch):
    """Where matplotlib is missing the extra is named."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InputError, match=r"pip install fastgrad\[plot\]"):
        wrong().plot()
