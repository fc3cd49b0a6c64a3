"""What clean directions and random draws prove, and what is said where they prove nothing."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.directions.probes import Slope
from fastgrad.directions.search import IN_VAIN, Certifier, Localiser, Search
from fastgrad.engines.directional import Direction, DirectionalEngine, Tangent
from fastgrad.problem.regions import Region
from fastgrad.specification import Specification
from fastgrad.strategy.conclude import BLIND, NO_BUDGET_TO_SEARCH, NO_SINGLE_ONE, conclude

X = np.ones(6)


class FakeProber:
    """Has the engine that a certificate asks for its sizes."""

    def __init__(self, parameters):
        self.engine = DirectionalEngine(lambda x: 0.0, parameters, (), Tangent(0.0, [2 * X]))


def search_of(spec, clean=0, **known):
    """A search that ended with so many clean probes, and what else is known of it."""
    region = Region.whole(spec.parameters)
    prober = FakeProber(spec.parameters)
    certifier = Certifier(prober, lambda count: True, 5)
    certifier.clean = [Slope(Direction(k, region), 1e-9, 1e-8, 1.0, 0.0) for k in range(clean)]
    search = Search(certifier, Localiser(prober, None, lambda count: True, region))
    for name, value in known.items():
        part = certifier if hasattr(certifier, name) else search.localiser
        setattr(part, name, value)
    return search


def concluded(asked, ended=False, **known):
    """The conclusion from such a search, probes having been asked for or not."""
    spec = Specification.of(fastgrad.Problem(lambda x: 0.0, None, X), {"probes": 5} if asked else {})
    return conclude(spec, search_of(spec, **known) if known else None, [], ended)


def test_a_certificate():
    """As many clean probes as were asked for make a certificate, with the size in the gradient's units."""
    found = concluded(True, clean=5)
    assert found.certificate.probes == 5
    assert found.certificate.sizes == pytest.approx((2 * 1.1e-8,))
    assert found.doubt == ""


@pytest.mark.parametrize("asked", [True, False])
def test_too_few(asked):
    """Fewer are a doubt where probes were asked for, and a note where they were not."""
    found = concluded(asked, clean=3)
    assert found.certificate is None
    assert bool(found.doubt) == asked
    assert found.doubt_reference == "FG506" * asked
    assert "3 of 5 probes were made within the budget" in (found.doubt or found.notes[0])


@pytest.mark.parametrize(("ended", "why"), [(True, NO_BUDGET_TO_SEARCH), (False, NO_SINGLE_ONE)])
def test_a_failed_probe_is_a_doubt(ended, why):
    """A direction along which cost and claim differ is said, with its seed and by how much."""
    region = Region.whole(Specification.of(fastgrad.Problem(lambda x: 0.0, None, X), {}).parameters)
    failed = Slope(Direction(77, region), 0.25, 1e-8, 1.0, 0.0)
    found = concluded(False, ended, clean=1, failed=failed)
    doubt = found.doubt
    assert found.doubt_reference == "FG511"
    assert doubt.startswith("along the random direction of seed 77 the slope of the cost")
    assert "differ by 0.25, known to 1e-08" in doubt
    assert doubt.endswith(why)


def test_blind():
    """Slopes that no difference could tell are said to prove nothing."""
    found = concluded(True, clean=0, unknown=IN_VAIN)
    assert (found.doubt, found.doubt_reference) == (BLIND, "FG512")
    assert concluded(False, clean=0, unknown=IN_VAIN).notes == (BLIND,)


def test_no_room_for_probes():
    """Probes that were asked for and never made are a doubt."""
    assert concluded(True).doubt == "the budget had no room for the probes that were asked for"
    assert concluded(False).doubt == ""
