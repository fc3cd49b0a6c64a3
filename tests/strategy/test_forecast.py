"""What a check will take, said before it begins."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.coordinates.block_calibration import CALIBRATED
from fastgrad.coordinates.engines import vetted_engines
from fastgrad.execution.checkpoint import Checkpoint
from fastgrad.execution.progress import in_words
from fastgrad.execution.run import Run
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.problem import Problem
from fastgrad.specification import Specification
from fastgrad.strategy.forecast import CALIBRATING, EACH, Forecast, _of_few_units, forecast


def forecast_of(problem, checkpoint=None, **options):
    """The forecast for all coordinates of a problem, and the run that it was made in."""
    spec = Specification.of(problem, options)
    run = Run.of(spec.options)
    if checkpoint is not None:
        run.checkpoint = checkpoint
    indices = np.arange(spec.parameters.size)
    engines = vetted_engines(spec, run, indices)
    before = run.evaluations
    price = forecast(spec, engines, run, spec.parameters.size, indices)
    return price, run, run.evaluations - before


def slow_problem(clock, seconds):
    """A cost that takes so long by the clock."""

    def cost(x):
        clock.now += seconds
        return float(np.sum(np.sin(x)))

    return Problem(cost, np.cos, np.linspace(0, 1, 50))


def test_price_of_a_python_cost(clock):
    """The price of an evaluation is what the cost took at the parameters."""
    assert forecast_of(slow_problem(clock, 0.25))[0].each == pytest.approx(0.25)


def test_workers_share_it(clock):
    """With workers it is their share, each further one counting for a little less than one."""
    price, _, _ = forecast_of(slow_problem(clock, 0.25), n_jobs=2, backend="threading")
    assert (price.each, price.alone) == (pytest.approx(0.25 / 1.9), pytest.approx(0.25))


def test_a_hiccup_is_timed_again(clock):
    """A quick cost whose check looks long is timed again: its first evaluation may have met a hiccup."""
    calls = [0]

    def cost(x):
        calls[0] += 1
        clock.now += 0.04 if calls[0] <= 2 else 1e-4
        return float(np.sum(np.sin(x))) + 0.0  # which cannot be recorded

    price, run, _ = forecast_of(Problem(cost, np.cos, np.linspace(0, 1, 5000)))
    assert price.alone == pytest.approx(1e-4)
    assert run.evaluations == calls[0]


def test_it_is_remembered(clock, tmp_path):
    """A check that goes on takes the price of its first run, however long an evaluation takes now."""
    with Checkpoint(tmp_path / "run", {}) as checkpoint:
        assert forecast_of(slow_problem(clock, 0.5), checkpoint)[0].each == 0.5
    with Checkpoint(tmp_path / "run", {}) as checkpoint:
        assert forecast_of(slow_problem(clock, 4.0), checkpoint)[0].each == 0.5


def test_another_engine_has_its_own(clock, tmp_path):
    """A check that goes on with another engine, such as one with more budget, does not take the old price."""
    with Checkpoint(tmp_path / "run", {}) as checkpoint:
        assert forecast_of(slow_problem(clock, 0.5), checkpoint, engine="python")[0].each == 0.5
    with Checkpoint(tmp_path / "run", {}) as checkpoint:
        assert forecast_of(slow_problem(clock, 0.5), checkpoint, engine="traced")[0].each < 0.5


def test_a_network_is_timed_only_where_it_is_large():
    """A small network is not timed, for a check of it takes no time; a large one is."""
    for width, timed in ((3, False), (80, True)):
        net = fastgrad.Network([fastgrad.Dense(width, width)], fastgrad.HalfSquaredError())
        X = np.ones((2, width))
        price, _, evaluations = forecast_of(net.problem(net.initial_parameters(), X, X))
        assert (price.each > 0, evaluations > 0) == (timed, timed)


def test_few_units_are_whole():
    """What stands for a large network are all the weights into a few units, as a whole check has them."""
    parameters = Parameters({"W": np.ones((90, 30)), "b": np.ones(30), "kernel": np.ones((4, 3, 3, 3))})
    for indices in (np.arange(parameters.size), np.arange(0, parameters.size, 7)):
        some = _of_few_units(parameters, indices, 300, True)
        weights = some[some < 2700]
        assert len(weights) == 90 * len(np.unique(weights % 30)) == 90 * 3
        assert 0 < (some >= 2730).sum() < 108


@pytest.mark.parametrize("column", [0, 6])
def test_few_units_are_among_those_asked_for(column):
    """Where one column of a tall matrix is to be checked, a part of that column is timed and nothing else."""
    parameters = Parameters(np.ones((5000, 16)))
    some = _of_few_units(parameters, np.arange(5000) * 16 + column, 300, False)
    assert len(some) == 300
    assert set(some % 16) == {column}


@pytest.mark.parametrize("count", [3, 10, 60, 128, 500, 3000])
def test_prediction_of_evaluations(count):
    """Evaluations are predicted from the coordinates, whatever their blocks; a smooth cost takes no more."""
    x = np.random.default_rng(0).normal(size=count)
    report = fastgrad.check_gradient(lambda x: float(np.sum(np.sin(x))), np.cos(x), x, coordinates="all")
    predicted = Forecast(1.0, 1.0, by_block=False).evaluations(count, 1)
    assert report.evaluations <= predicted <= 1.4 * report.evaluations
    assert Forecast(1.0, 1.0, by_block=False).evaluations(count, 100) == predicted


@pytest.mark.parametrize("points", [2, 4])
@pytest.mark.parametrize("by_block", [True, False])
@pytest.mark.parametrize("evaluations", [0, 3, 30, 80, 90, 134, 140, 900, 12_345.6])
def test_what_evaluations_measure(evaluations, by_block, points):
    """As many coordinates as are predicted to take so many evaluations; one more would take too many."""
    price = Forecast(1.0, 1.0, by_block, points=points)
    count = price.measured_by(evaluations)
    assert count * price.each_of(count) <= evaluations < (count + 1) * price.each_of(count + 1)


def test_prediction_by_blocks():
    """Where an engine propagates changes each block is calibrated by itself, as is predicted."""
    one, two = (Forecast(0.5, 0.5).evaluations(1000, blocks) for blocks in (1, 2))
    assert two - one == one - EACH * 1000 == CALIBRATED * CALIBRATING


def test_prediction_of_seconds():
    """Seconds are evaluations times those of one."""
    assert Forecast(0.5, 0.5).seconds(10) == 5.0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 s"),
        (119, "1.2e+02 s"),
        (121, "2 min"),
        (7199, "1.2e+02 min"),
        (7201, "2 h"),
        (1e7, "1.2e+02 days"),
    ],
)
def test_in_words(seconds, words):
    """A length of time is said with its unit."""
    assert in_words(seconds).replace("120", "1.2e+02") == words
