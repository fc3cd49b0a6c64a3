"""Axes place values, ticks are round, cells and lines are where they should be."""

from __future__ import annotations

import re

import numpy as np
import pytest
from page_cases import Page

from fastgrad.report.html import svg
from fastgrad.report.html.elements import html_of
from fastgrad.report.html.svg import Axis


class TestAxis:
    @pytest.mark.parametrize(
        ("axis", "values", "places"),
        [
            (Axis(0, 10, 100, 200), [0, 5, 10, 20, -1], [100, 150, 200, 200, 100]),
            (Axis(1e-4, 1, 200, 100, logarithmic=True), [1e-4, 1e-2, 1, 0], [200, 150, 100, 200]),
            (Axis(-2, 2, 0, 10, unit=lambda v: v / 2), [-2, 0, 2], [0, 5, 10]),
            (Axis(3, 3, 0, 10), [3], [0]),
            (Axis(-1.7e308, 1.7e308, 0, 10), [-1.7e308, 0, 1.7e308], [0, 5, 10]),
        ],
    )
    def test_place(self, axis, values, places):
        """Values become places, those beyond the frame its edge."""
        assert axis.place(values) == pytest.approx(places)

    def test_nan_has_no_place(self):
        """What is not known is not drawn at an edge."""
        assert np.isnan(Axis(0, 1, 0, 1).place([np.nan])).all()

    @pytest.mark.parametrize(
        ("axis", "ticks"),
        [
            (Axis(0, 10, 0, 1), [0, 2, 4, 6, 8, 10]),
            (Axis(-0.3, 0.3, 0, 1), [-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3]),
            (Axis(1e-3, 1e2, 0, 1, logarithmic=True), [1e-3, 1e-2, 1e-1, 1, 10, 100]),
            (Axis(1e-12, 1, 0, 1, logarithmic=True), [1e-12, 1e-9, 1e-6, 1e-3, 1]),
            (Axis(7, 7, 0, 1), [7]),
            (Axis(-5e-324, 5e-324, 0, 1), [-5e-324, 5e-324]),
            (Axis(-1.7e308, 1.7e308, 0, 1), [-1e308, 0, 1e308]),
        ],
    )
    def test_ticks(self, axis, ticks):
        """Ticks are round numbers within the axis, about six."""
        assert axis.ticks() == pytest.approx(ticks)

    def test_ticks_on_both_sides_of_zero(self):
        """On a scale that is logarithmic on both sides ticks are symmetric powers of ten, and zero."""
        limit, threshold = 50.0, 1e-3
        ticks = Axis(
            -limit, limit, 0, 1, unit=lambda v: np.arcsinh(v / threshold) / np.arcsinh(limit / threshold)
        ).ticks()
        assert ticks == [-v for v in ticks[::-1]]
        assert 0.0 in ticks
        assert 3 <= len(ticks) <= 7
        assert all(np.log10(v) == round(np.log10(v)) for v in ticks if v > 0)


def rectangles(drawn):
    """The rectangles of cells by class: (column, row, width)."""
    found = {}
    for class_, path in re.findall(r'<path d="([^"]*)" class="cell (l\d)"', html_of(drawn)):
        runs = re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", class_)
        found[path] = [(int(x), int(y), int(w)) for x, y, w, back in runs if w == back]
    return found


def test_cells():
    """Each cell above zero is covered once, by a path of its own code; neighbours are one rectangle."""
    codes = np.random.default_rng(0).integers(0, 4, (7, 9))
    again = np.zeros_like(codes)
    for class_, runs in rectangles(svg.cells(codes, 5, 6, 2, 3)).items():
        for x, y, width in runs:
            assert not again[y, x : x + width].any()
            again[y, x : x + width] = int(class_[1:])
    assert (again == codes).all()
    assert rectangles(svg.cells(np.full((2, 5), 3), 0, 0, 1, 1)) == {"l3": [(0, 0, 5), (0, 1, 5)]}


def test_line_is_broken_where_nothing_is_known():
    """NaN in a line leaves a gap."""
    drawn = html_of(svg.line([(0, 0), (1, 1), (np.nan, 2), (3, 3), (4, 4)], "c"))
    assert 'd="M0 0L1 1M3 3L4 4"' in drawn


def test_marks():
    """There is a mark for each point; of dots none where a number is not known."""
    assert html_of(svg.crosses(np.array([1.0, 2.0]), np.array([1.0, 2.0]), "c")).count("M") == 2
    assert html_of(svg.dots(np.array([1.0, np.nan]), np.array([1.0, 2.0]), "c")).count("M") == 1


def test_picture_says_what_it_shows():
    """A picture is an image with a text for those who do not see it."""
    page = Page(html_of(svg.picture("a map of <W>", [], 10, 20)))
    assert page.tags == ["svg"]
    assert page.values("role") == ["img"]
    assert page.values("aria-label") == ["a map of <W>"]
    assert page.values("viewbox") == ["0 0 10 20"]


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (1e-7, "1e-7"), (2e9, "2e9"), (0.25, "0.25"), (-1e-12, "-1e-12")]
)
def test_shown(value, text):
    """Ticks are short."""
    assert svg.shown(value) == text
