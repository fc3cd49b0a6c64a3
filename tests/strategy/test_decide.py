"""What is checked by which means, as a pure function of sizes, price and budget."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.directions.certificate import PROBES
from fastgrad.execution.budget import Budget
from fastgrad.options import Options
from fastgrad.problem.parameters import Parameters
from fastgrad.sampling.confidence_limits import least_count
from fastgrad.strategy.decide import (
    CONFIDENCE,
    LEAST,
    WHOLE,
    WRONG_FRACTION,
    Decision,
    coordinates_to_calibrate,
    decide,
    within_budget,
)
from fastgrad.strategy.forecast import EACH, Forecast


def decided(*sizes, price=1e-4, seconds=None, evaluations=None, by_block=True, **options):
    """The decision on blocks of those sizes, each calibrated by itself or not."""
    parameters = Parameters({f"b{k}": np.zeros(size, dtype=np.float32) for k, size in enumerate(sizes)})
    budget = Budget(seconds, evaluations)
    return decide(parameters, Options(**options), Forecast(price, price, by_block), budget)


@pytest.mark.parametrize("sizes", [(1,), (10, 10), (3000,), (100_000, 40)])
def test_what_takes_seconds_is_checked_whole(sizes):
    """Where all coordinates take seconds, all are checked."""
    assert decided(*sizes, price=1e-5) == Decision(True)


def test_large_ones_get_probes_and_a_subset():
    """A million parameters at 3 ms are probed, and of each block a subset is measured."""
    found = decided(900_000, 100_000, 200, price=3e-3)
    assert not found.everything
    assert found.probes == PROBES
    assert all(LEAST <= count <= 5000 for count in found.counts[:2])
    assert found.counts[2] > 0


def test_few_parameters_of_a_slow_cost_are_checked_whole():
    """Where probes would take as long as all coordinates, all are checked, however slow the cost is."""
    assert decided(20, price=60.0) == Decision(True)


def test_workers_do_not_change_it():
    """What is checked goes by the price on one worker: another number of them checks the same."""
    for sizes, price in (((900_000, 20), 3e-3), ((3000,), 1e-2), ((20,), 60.0)):
        parameters = Parameters({f"b{k}": np.zeros(size, dtype=np.float32) for k, size in enumerate(sizes)})
        found = [decide(parameters, Options(), Forecast(price / n, price), Budget()) for n in (1, 8)]
        assert found[0] == found[1]


def test_same_question_same_answer():
    """The decision depends on nothing but what it is given."""
    sizes = (50_000, 3_000, 10)
    assert decided(*sizes, price=1e-2, evaluations=3000) == decided(*sizes, price=1e-2, evaluations=3000)


@pytest.mark.parametrize("share", [0.1, 0.01, 0.003])
@pytest.mark.parametrize("confidence", [0.9, 0.999])
@pytest.mark.parametrize("price", [1e-6, 1.0])
def test_enough_is_drawn_for_the_promise(share, confidence, price):
    """wrong_fraction and confidence draw what proves it of every block at once, whatever that takes."""
    sizes = (100_000, 5_000, 100)
    found = decided(*sizes, price=price, wrong_fraction=share, confidence=confidence)
    each = 1 - (1 - confidence) / 3
    for count, size in zip(found.counts, sizes, strict=True):
        assert count >= min(size, least_count(size, each, share))
    assert found.counts[2] == 100  # small blocks are whole
    assert found.probes == 0  # a sample was asked for


def test_defaults_of_the_promise():
    """One of the two is enough, the other has its default."""
    both = decided(100_000, wrong_fraction=WRONG_FRACTION, confidence=CONFIDENCE)
    assert decided(100_000, wrong_fraction=WRONG_FRACTION) == both == decided(100_000, confidence=CONFIDENCE)


def test_probes_that_are_asked_for():
    """Probes that were asked for are made of small problems too, and as many as were said."""
    assert decided(1000, probes=7).probes == 7
    assert decided(1000, probes=7, wrong_fraction=0.1).probes == 7
    assert decided(10_000_000, probes=0, price=1e-3).probes == 0


@pytest.mark.parametrize("by_block", [False, True])
@pytest.mark.parametrize("evaluations", [300, 1000, 5000, 20_000])
def test_budgets_shrink_it(evaluations, by_block):
    """A smaller budget gives smaller subsets that fit it, and each block keeps some."""
    sizes = (300_000, 80_000, 3_000, 12)
    found = decided(*sizes, price=1e-3, evaluations=evaluations, by_block=by_block)
    more = decided(*sizes, price=1e-3, evaluations=4 * evaluations, by_block=by_block)
    assert sum(found.counts) <= sum(more.counts)
    assert all(0 < few <= many for few, many in zip(found.counts, more.counts, strict=True))
    calibrating = Forecast(1e-3, 1e-3, by_block).calibration(found.calibrated, 4, sum(found.counts))
    assert EACH * sum(found.counts) + calibrating + 6 * found.probes <= evaluations


def test_seconds_are_a_budget_too():
    """Seconds allow as many evaluations as they have room for at the price."""
    by_time = decided(300_000, 80_000, price=1e-2, seconds=20.0)
    by_count = decided(300_000, 80_000, price=1e-2, evaluations=1920)  # 4% are kept back
    assert np.allclose(by_time.counts, by_count.counts, rtol=0.05)


def test_patience_is_the_budget():
    """What fits a budget of seconds is checked whole, though nobody would wait that long unasked."""
    assert not decided(50_000, price=1e-3).everything
    assert decided(50_000, price=1e-3, seconds=600.0).everything


@pytest.mark.parametrize("by_block", [False, True])
def test_within_budget(by_block):
    """Of the coordinates that were named as many are measured as there is budget for, at least one."""
    price = Forecast(1e-3, 1e-3, by_block)
    assert within_budget(10_000, 3, price, Budget()) == 10_000
    some = within_budget(10_000, 3, price, Budget(evaluations=5000))
    assert 1000 < some < 2000
    assert within_budget(10_000, 3, price, Budget(evaluations=2)) == 1


def test_looks():
    """Each block is calibrated at fewer coordinates where little may be spent, at last one in all.

    Where blocks are not calibrated one by one, their number does not matter.
    """
    price, together = Forecast(1e-3, 1e-3), Forecast(1e-3, 1e-3, by_block=False)
    counts = [coordinates_to_calibrate(10, left, price) for left in (float("inf"), 10_000, 1000, 200, 0)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 1
    assert counts[-1] == 0
    assert price.calibration(0, 10, 500) == price.calibration(1, 1, 500)
    assert together.calibration(4, 10, 500) == together.calibration(1, 10_000, 500)
    assert coordinates_to_calibrate(10_000, 0, together) == counts[0]


def test_as_numbers():
    """A decision is the same after a checkpoint kept it as numbers."""
    for found in (Decision(True), decided(300_000, 80_000, price=1e-2), decided(WHOLE, 9_000_000, price=1.0)):
        assert Decision.from_list(found.as_list) == found


def test_directions_that_are_dear():
    """Where a direction moves very many blocks, a small budget is spent on a subset alone."""
    parameters = Parameters({f"b{k}": np.ones(1) for k in range(2000)})
    quick, dear = (
        decide(parameters, Options(), Forecast(0.01, 0.01, False, of_direction), Budget(seconds=15))
        for of_direction in (1.0, 50.0)
    )
    assert (quick.probes, dear.probes) == (20, 0)
    assert sum(dear.counts) > sum(quick.counts) > 0
