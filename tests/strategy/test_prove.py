"""What coordinates that were drawn at random prove of the others."""

from __future__ import annotations

import numpy as np

import fastgrad
from fastgrad.coordinates.engines import vetted_engines
from fastgrad.coordinates.measurement import Coordinates
from fastgrad.execution.run import Run
from fastgrad.preflight.gradient import claimed_gradient
from fastgrad.sampling.selection import choose_coordinates
from fastgrad.specification import Specification
from fastgrad.strategy.outcome import Outcome
from fastgrad.strategy.prove import proven


def test_a_cut_sample_proves_nothing_of_a_block():
    """Draws that a budget ended are the first of their block, not random ones: no bound rests on them."""
    x = np.linspace(-1.0, 1.0, 3000)
    spec, draws = Specification.of(fastgrad.Problem(lambda x: float(x @ x), None, x), {}), {}
    for stopped in ("", "enough"):
        run = Run()
        claim = claimed_gradient(2 * x, spec.parameters, ())
        coordinates = Coordinates(spec, vetted_engines(spec, run, np.arange(3000)), run, claim)
        selection = choose_coordinates(60, spec.parameters, 0)[1]
        coordinates.measure(selection.drawn[:40] if stopped else selection.drawn)
        draws[stopped] = proven(spec, Outcome(selection), coordinates.result(), stopped).at_most
    assert draws[""] < 400
    assert draws["enough"] == 3000 - 40
