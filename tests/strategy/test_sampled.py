"""Directions, a subset of each block, and the search: how they are shared out."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.problem.parameters import Parameters
from fastgrad.sampling.selection import choose_coordinates
from fastgrad.strategy.decide import LEAST
from fastgrad.strategy.sampled import _batches, _others

PARAMETERS = Parameters({"W": np.ones((40, 50)), "b": np.ones(30)})


def test_batches_double_and_hold_all():
    """Batches hold each chosen coordinate once; picked ones and LEAST of each block come first."""
    indices, selection = choose_coordinates(600, PARAMETERS, 3, [np.ones(2000), np.ones(30)])
    batches = list(_batches(indices, selection, PARAMETERS, 3))
    np.testing.assert_array_equal(np.sort(np.concatenate(batches)), indices)
    picked = np.setdiff1d(indices, selection.drawn)
    assert np.isin(picked, batches[0]).all()
    drawn_first = np.intersect1d(batches[0], selection.drawn)
    assert (drawn_first < 2000).sum() == LEAST


def test_others_are_new():
    """More coordinates of a block are none of those that are known."""
    known = np.arange(0, 2030, 3)
    more = _others([100, 5], known, PARAMETERS, np.random.default_rng(0))
    assert len(np.intersect1d(more, known)) == 0
    assert ((more < 2000).sum(), (more >= 2000).sum()) == (100, 5)


@pytest.mark.parametrize("wrong", [0, 3])
def test_a_block_that_is_wrong_gets_no_more(wrong):
    """A block in which one was found wrong is drawn no further; what was spent is put down by purpose."""
    x = np.random.default_rng(0).normal(size=3000)
    claim = np.cos(x) + 0.1 * (np.arange(3000) < 1000 * wrong)
    options = {"probes": 10, "confidence": 0.999, "wrong_fraction": 0.005, "seed": 1}
    report = fastgrad.check_gradient(lambda x: float(np.sum(np.sin(x))), claim, x, **options)
    assert report.verdict == ("disagree" if wrong else "agree")
    block = report.coverage.guarantee.blocks[0]
    assert (block.drawn <= 2 * LEAST) == bool(wrong)
    assert set(report.spent) >= {"set-up", "certificate", "subset"}
    assert sum(report.spent.values()) <= report.evaluations
