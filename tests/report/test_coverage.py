"""What was checked, in numbers and in words."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.problem.parameters import Parameters
from fastgrad.report.coverage import Coverage
from fastgrad.sampling.selection import choose_coordinates


def coverage_of(coordinates, sizes, seed=7, reached=None, **known):
    """The coverage of a choice from blocks b0, b1, ... of these sizes, of which so many were reached."""
    parameters = Parameters({f"b{k}": np.zeros(size) for k, size in enumerate(sizes)})
    indices, selection = choose_coordinates(coordinates, parameters, seed=seed)
    return Coverage.of(selection, indices[:reached], parameters, **known)


class TestSentence:
    # coordinates, what the report says
    TABLE = (
        ("all", "all 2,410 coordinates"),
        (1000, "1,000 of 2,410 coordinates, drawn without replacement from every block, seed 7"),
        (1, "1 of 2,410 coordinates, drawn without replacement, seed 7; not one in b1"),
        ([3, 2401], "2 of 2,410 coordinates, as given"),
        ([3, 4], "2 of 2,410 coordinates, as given; not one in b1"),
    )

    @pytest.mark.parametrize(("coordinates", "sentence"), TABLE)
    def test_sentence(self, coordinates, sentence):
        """The coverage in words: how many of how many, how chosen, and which blocks were left out."""
        coverage = coverage_of(coordinates, [2400, 10])
        if coordinates == 1:
            sentence = sentence.replace("b1", coverage.unvisited[0])
        assert coverage.sentence == sentence

    def test_an_early_end_is_said(self):
        """Where fewer were reached than were to be, both numbers are said."""
        coverage = coverage_of("all", [40], reached=30, planned=40)
        assert coverage.sentence == "30 of 40 coordinates, as given, of 40 that were to be"


class TestNumbers:
    def test_fraction(self):
        """The fraction is the share that was checked."""
        assert coverage_of(3, [10, 2]).fraction == 0.25

    def test_a_draw_of_all_is_all(self):
        """A random subset that grew to all coordinates is said to be all."""
        assert coverage_of(12, [10, 2]).how == "all"

    def test_what_was_planned_counts_only_if_more(self):
        """A plan that was carried out is not mentioned."""
        assert coverage_of("all", [40], planned=40).planned == 0


def test_many_blocks_without_a_coordinate():
    """Of many blocks without a checked coordinate a few are named."""
    p = {f"b{k}": np.ones(1) for k in range(1200)}
    report = fastgrad.check_gradient(
        lambda p: float(sum(v[0] ** 2 for v in p.values())),
        {name: 2 * v for name, v in p.items()},
        p,
        coordinates=[0],
    )
    assert report.coverage.sentence == (
        "1 of 1,200 coordinates, as given; not one in b1, b2, b3, b4, b5, b6, b7, b8 and 1,191 more blocks"
    )
    assert len(report.coverage.unvisited) == 1199
    assert (report.blocks[0].checked, report.blocks[1].checked, report.blocks[1].verdict) == (
        1,
        0,
        "undecided",
    )
