"""Values from tables of sites."""

import numpy as np
import pytest
from traced_cases import COSTS, NET, engine_of, everything, net, on_one_worker

from fastgrad.engines.traced import site_tables as module


@pytest.fixture
def eager(monkeypatch):
    """Tables are made of the smallest layer."""
    monkeypatch.setattr(module, "WORK_OF_A_TABLE", -1e9)
    monkeypatch.setattr(module, "SAVING", 0)


@pytest.mark.parametrize("name", COSTS)
def test_values_from_tables(name, eager):
    """Values from tables are those of the cost to rounding, and tables are made only where they can be."""
    engine, plain = engine_of(*COSTS[name])
    indices, offsets = everything(engine, 1e-6)
    prepared = engine.prepared(indices, offsets, on_one_worker)
    assert bool(prepared.tables) == (name not in ("tied", "centred"))
    expected = plain.values(indices, offsets)
    assert np.abs(prepared.values(indices, offsets) - expected).max() <= 2.0**-46 * engine.costs.scale


def test_a_table_is_not_believed(eager, monkeypatch):
    """A table whose values are not those of the tape is dropped."""
    engine, _ = engine_of(net, NET)
    indices, offsets = everything(engine, 1e-6)
    monkeypatch.setattr(
        module.UnitTable, "values", lambda self, feature, unit, offsets: np.full(offsets.shape, 1e-9)
    )
    assert not engine.prepared(indices, offsets, on_one_worker).tables
