"""What came of a check beside the measured coordinates."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fastgrad.problem.parameters import Parameters
from fastgrad.sampling.selection import choose_coordinates
from fastgrad.strategy.outcome import Outcome


def test_it_never_changes():
    """It is handed to the report as it is."""
    outcome = Outcome(choose_coordinates("all", Parameters(np.ones(3)), 0)[1])
    assert (outcome.planned, outcome.doubt, outcome.notes) == (0, "", ())
    with pytest.raises(dataclasses.FrozenInstanceError):
        outcome.doubt = "some"
