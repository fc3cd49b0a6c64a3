"""Pictures show what the data says, and say it in words."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from report_cases import agreeing, report_of, undecided_report_of_nothing, wrong

import fastgrad
from fastgrad.report.html.drawn import curve_picture, heat_map_picture, legend, scatter_picture
from fastgrad.report.html.elements import html_of
from fastgrad.report.pictures.heat_maps import heat_maps
from fastgrad.report.pictures.levels import MEANINGS
from fastgrad.report.pictures.scatter import scatter


def said(picture):
    """What a picture says in words."""
    return re.search(r'aria-label="([^"]*)"', html_of(picture)).group(1)


def box(picture):
    """The width and height of a picture."""
    return [float(v) for v in re.search(r'viewBox="0 0 (\S+) (\S+)"', html_of(picture)).groups()]


def test_heat_map():
    """The words count the cells that are wrong, undecided and empty."""
    [found, _] = heat_maps(wrong())
    assert said(heat_map_picture(found)) == (
        "Map of W, 2 by 3 cells of 1 entries at most: 2 cells with a wrong entry, 0 with an undecided one, 0 "
        "without any that was checked."
    )


@pytest.mark.parametrize("shape", [(1, 1000), (1000, 1), (3, 2), (2000,), (64, 64), (2, 500, 3)])
def test_maps_fit(shape):
    """A map of any shape fits beside the others, and no cell is too thin to be seen."""
    [found] = heat_maps(report_of({}, sizes=(("W", shape),)))
    width, height = box(heat_map_picture(found))
    assert width <= 402
    assert height <= 302
    rows, columns = found.levels.shape
    assert width / columns >= 3
    assert height / rows >= 3


def test_legend():
    """The legend explains the levels that are there, and no others."""
    drawn = html_of(legend({1, 7}))
    assert MEANINGS[1] in drawn
    assert MEANINGS[7] in drawn
    assert drawn.count("<li>") == 2


def test_scatter():
    """Wrong coordinates have marks of their own, the others are cells."""
    drawn = html_of(scatter_picture(scatter(wrong())))
    marks = re.search(r'd="([^"]*)" class="mark wrong"', drawn).group(1)
    assert marks.count("M") == 3
    assert "9 coordinates, 3 of them wrong" in said(scatter_picture(scatter(wrong())))
    assert 'class="mark wrong"' in html_of(scatter_picture(scatter(agreeing())))  # empty, of no points
    assert 'class="cell' in drawn


class TestCurve:
    REPORT = fastgrad.check_gradient(lambda x: np.exp(x), lambda x: 1.1 * np.exp(x), 1.0)

    def test_curve(self):
        """There is a point for each step, both branches, what was allowed, and the step that was taken."""
        [curve] = self.REPORT.step_curves().curves
        drawn = html_of(curve_picture(curve))
        points = re.search(r'd="([^"]*)" class="point"', drawn).group(1)
        assert points.count("M") == np.isfinite(curve.errors).sum()
        for class_ in ("branch noise", "branch truncation", "allowed", "taken"):
            assert f'class="{class_}"' in drawn
        assert f"the step that was taken is {curve.taken:.2g}" in said(curve_picture(curve))

    def test_curve_without_errors(self):
        """A cost whose differences are exact is drawn: its points lie on the lower edge."""
        report = fastgrad.check_gradient(lambda x: 2.0 * x, 2.0, 1.0)
        [curve] = report.step_curves().curves
        assert 'class="point"' in html_of(curve_picture(curve))

    def test_unknown_errors_are_not_drawn(self):
        """Where the difference is not finite there is no point, which would look like no error."""
        [curve] = undecided_report_of_nothing().step_curves(1).curves
        drawn = curve_picture(curve)
        assert np.isnan(curve.errors).all()
        assert 'd="" class="point"' in html_of(drawn)
        assert "at none of them is the error known" in said(drawn)


@pytest.mark.parametrize("size", [5e-324, 1e-310, 1e-300, 1e300, 1.7e308])
def test_the_smallest_and_the_largest_numbers(size):
    """Numbers near the ends of what floats hold have pictures."""
    report = fastgrad.check_gradient(lambda x: np.sum(x**2), lambda x: 3 * x, np.ones(2))
    ends = replace(report, claimed=np.array([size, -size]), numeric=np.array([size, 0.0]))
    assert said(scatter_picture(scatter(ends))).startswith("Claimed against numeric for 2 coordinates")
    [curve] = report.step_curves(1).curves
    curve = replace(curve, errors=np.full(len(curve.steps), size), allowed=size)
    assert f"smallest error, {size:.2g}, " in said(curve_picture(curve))


def test_few_coordinates_are_dots():
    """Where few agree each has a dot, which is seen; where many do there are cells."""
    few, many = agreeing(), report_of({}, sizes=(("W", (20, 20)),))
    assert html_of(scatter_picture(scatter(few))).count("a2.5 2.5 0 1 0 5 0") == 9
    assert "a2.5 2.5 0 1 0 5 0" not in html_of(scatter_picture(scatter(many)))


def test_no_mark_is_cut():
    """The axes end beyond the largest value on both sides."""
    points = scatter(agreeing())
    assert (np.abs(points.unit(points.claimed)) < 0.97).all()
