"""The report of a claimed Jacobian."""

import numpy as np
import pytest
from scipy import sparse
from vector_cases import CASES, CHAIN

import fastgrad


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_engines(case):
    """What is moved together is moved together, and the report says so; a dense function is not."""
    report = fastgrad.check_vjp(case.function, case.vjp, case.x)
    together = case in (CASES["elementwise"], CASES["rows"])
    assert report.verdict == "agree"
    assert (report.engine == "columns") == together
    assert any("random combination of all" in note for note in report.notes)
    assert any("moved together" in note for note in report.notes) == together


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("options", [{"engine": "python"}, {"method": "central4"}, {"method": "complex"}])
def test_options(case, options):
    """Engines and methods are as asked for."""
    report = fastgrad.check_vjp(case.function, case.vjp, case.x, **options)
    assert report.verdict == "agree"
    assert options.get("engine", report.engine) == report.engine
    assert options.get("method", "central") == report.method


def test_sparse():
    """A sparse Jacobian is checked in groups, and one that lacks an entry disagrees there."""
    calls = []

    def function(x):
        calls.append(1)
        return CHAIN.function(x)

    report = fastgrad.check_jacobian(function, CHAIN.jacobian, CHAIN.x)
    assert report.verdict == "agree"
    assert report.engine == "columns"
    assert len(calls) < 2 * CHAIN.x.size

    lacking = sparse.lil_array(CHAIN.jacobian(CHAIN.x))
    lacking[50, 51] = 0
    lacking = lacking.tocsr()
    lacking.eliminate_zeros()
    report = fastgrad.check_jacobian(CHAIN.function, lacking, CHAIN.x)
    assert report.verdict == "disagree"
    assert [(e.output_index, e.flat_index, e.claimed) for e in report.entries] == [(50, 51, 0.0)]


def test_vectorized():
    """An option that is about a cost's batches is refused."""
    with pytest.raises(fastgrad.InputError, match="takes one point"):
        fastgrad.check_vjp(np.tanh, lambda x, u: u, np.ones(3), vectorized=True)
