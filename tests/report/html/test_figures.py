"""Figures have captions that say how they are read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from page_cases import Page
from report_cases import agreeing, report_of, wrong

from fastgrad.report.html import figures
from fastgrad.report.html.elements import html_of
from fastgrad.report.pictures.heat_maps import BLOCKS
from fastgrad.report.pictures.scatter import MARKED
from fastgrad.report.step_curves import StepCurves


def text(part):
    """What is read of a part, with single spaces."""
    return " ".join(Page(html_of(part)).text.split())


def test_maps():
    """Each map is named, with its size; how many blocks have none is said."""
    said = text(figures.maps(wrong(), ""))
    assert "W , 2 rows and 3 columns" in said
    assert "b , 3 entries" in said
    many = report_of({}, sizes=[(f"b{k}", (2,)) for k in range(BLOCKS + 3)])
    assert "3 more blocks with as many or fewer wrong are not drawn." in text(figures.maps(many, ""))


def test_captions_of_shapes():
    """A folded vector, an array of three dimensions, and cells of several entries say so."""
    shapes = (("v", (100,)), ("k", (3, 4, 5)), ("W", (200, 130)))
    said = text(figures.maps(report_of({}, sizes=shapes), ""))
    assert "v , read line by line, 20 entries each" in said
    assert "k , a row for each first index, 20 entries each" in said
    assert "W , 200 rows and 130 columns; 4 by 3 entries in a cell" in said


def test_no_maps():
    """Single numbers have no map."""
    assert figures.maps(report_of({}, sizes=(("a", (1,)), ("b", (1,)))), "") is None


def test_scatter():
    """What is left out of the scatter is said; without any point there is none."""
    gone = replace(agreeing(), numeric=np.array([np.nan] + [1.0] * 8))
    assert "1 are left out" in text(figures.claimed_against_numeric(gone, ""))
    nothing = replace(agreeing(), numeric=np.full(9, np.nan))
    assert figures.claimed_against_numeric(nothing, "") is None


def test_curves():
    """Each curve has its numbers in a table; the reason is said where there are none."""
    found = wrong().step_curves(1)
    page = Page(html_of(figures.curves(found, "")))
    assert page.tags.count("figure") == 1
    assert page.tags.count("tr") == 1 + len(found.curves[0].steps)
    assert text(figures.curves(StepCurves(sentence="The reason."), "")) == "Error against step The reason."
    assert figures.curves(StepCurves(), "") is None


def test_crosses_that_are_not_drawn_are_counted():
    """Where only the worst are marked the caption says how many are not."""
    for more in (0, 1_234):
        bad = report_of(
            {"v": dict.fromkeys([(k,) for k in range(MARKED + more)], 1.0)}, sizes=(("v", (2_000,)),)
        )
        said = text(figures.claimed_against_numeric(bad, ""))
        assert ("The worst are drawn, 1,234 more are not." in said) == bool(more)
