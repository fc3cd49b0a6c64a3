"""Costs as people write them are recorded as they are, and judged as by the plain engine."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from traced_costs import CASES, flattened, perceptrons, recurrent, students

import fastgrad
from fastgrad.differences.plan import make_plan
from fastgrad.differences.stencils import CENTRAL
from fastgrad.engines.python import PythonEngine
from fastgrad.engines.traced.choose import recorded_engine
from fastgrad.engines.traced.recorded_array import Recorded
from fastgrad.errors import InputError
from fastgrad.problem.parameters import Parameters

ROUNDING = 2.0**-44
"""What values may differ by in units of what is added up to give the cost: some hundred roundings."""

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def check(problem, engine):
    """All coordinates, on one worker."""
    return fastgrad.check(problem, engine=engine, coordinates="all", n_jobs=1)


def mistaken(case):
    """The flat indices at which the mistaken gradient is off."""
    right = flattened(case.gradient(case.params, *case.args))
    wrong = flattened(case.gradient(case.params, *case.args, mistake=True))
    return set(np.flatnonzero(np.abs(wrong - right) > 1e-9 * np.abs(right).max()).tolist())


def recorded(case):
    """The engine of a case, and the plain one."""
    problem = case.right
    plain = PythonEngine(problem.cost, Parameters(problem.params), problem.args)
    plain.baseline()
    engine, _ = recorded_engine(plain, 0)
    engine.baseline()
    return engine, plain


NODELESS = (
    "logistic regression",  # its penalty uses the weights in another way
    *("Gaussian process", "Gaussian process by SciPy", "mixture by logsumexp", "k-means", "CTC by loops"),
)
"""Cases without a product of which the parameters have no other use."""


@pytest.mark.parametrize("case", [CASES[name] for name in NODELESS], ids=NODELESS)
def test_nodes_of_a_cost_without_products_are_refused(case):
    """Where there are no nodes to move, that is said."""
    with pytest.raises(InputError, match="this cost has none whose parameters are used in no other way"):
        fastgrad.check(case.right, engine="traced", perturb="nodes")


@pytest.mark.parametrize(
    "case", [c for name, c in CASES.items() if name not in NODELESS], ids=lambda c: c.name
)
@pytest.mark.parametrize("which", ["right", "wrong"])
def test_nodes_give_the_same_verdict(case, which):
    """By the nodes of its products a case is judged as by its parameters."""
    report = fastgrad.check(
        getattr(case, which), engine="traced", perturb="nodes", coordinates="all", n_jobs=1
    )
    assert report.verdict == ("disagree" if which == "wrong" else "agree")
    assert {wrong.flat_index for wrong in report.wrong} == (mistaken(case) if which == "wrong" else set())


@pytest.mark.parametrize("samples", [2, 60])
def test_nothing_is_claimed_of_nodes(samples):
    """Nodes are calibrated without the claim, which is of parameters, be they more or fewer than these."""
    case = perceptrons.network((20, 12, 3), samples)
    report = fastgrad.check(case.right, engine="traced", perturb="nodes", coordinates="all", n_jobs=1)
    assert report.verdict == "agree"
    assert report.relative_error < 1e-7


@every_case
@pytest.mark.parametrize("which", ["right", "wrong"])
def test_verdict_and_wrong_coordinates_are_those_of_the_plain_engine(case, which):
    """A right gradient agrees, a mistake is found at its coordinates and nowhere else, recorded and plain."""
    expected = mistaken(case) if which == "wrong" else set()
    for engine in ("traced", "python"):
        report = check(getattr(case, which), engine)
        assert report.engine == engine
        assert report.verdict == ("disagree" if which == "wrong" else "agree")
        assert {wrong.flat_index for wrong in report.wrong} == expected
    assert which == "right" or expected


@every_case
@pytest.mark.parametrize("size", [1e-5, 1e-2, 0.5])
def test_values_are_those_of_the_cost(case, size):
    """Moved a little or far, each parameter gives the cost's own value to rounding."""
    engine, plain = recorded(case)
    indices = np.arange(engine.parameters.size)
    offsets = np.random.default_rng(0).uniform(-size, size, (len(indices), 3))
    found, expected = engine.values(indices, offsets), plain.values(indices, offsets)
    np.testing.assert_allclose(found, expected, rtol=0, atol=ROUNDING * engine.costs.scale)


def with_tables(case):
    """The engine of a case with tables for a plan of all parameters, the plan, and the plain engine."""
    engine, plain = recorded(case)
    plan = make_plan(engine.parameters, np.arange(engine.parameters.size), CENTRAL)
    given = plan.indices, plan.displacements
    twin = engine.prepared(*given, lambda other, indices, offsets: other.values(indices, offsets))
    return twin, given, plain


LARGER = {
    "network": (perceptrons.network((48, 32, 24, 3), 9), {0}),
    "network, relu": (perceptrons.network((48, 32, 24, 3), 9, perceptrons.relu), {0}),
    "flat vector": (perceptrons.flat_network((48, 32, 24, 3), 9), {0}),
    "LSTM": (recurrent.lstm(inputs=24, hidden=8), set()),
}
"""Cases with enough weights for tables, and the blocks that have one: a recurrent weight has none."""


@pytest.mark.parametrize(("case", "blocks"), LARGER.values(), ids=LARGER)
def test_products_of_the_data_have_tables(case, blocks):
    """Weights into units whose samples stay apart are read off tables: the cost's own values to rounding."""
    engine, given, plain = with_tables(case)
    assert {table.site.leaf for table in engine.tables} == blocks
    expected = plain.values(*given)
    np.testing.assert_allclose(engine.values(*given), expected, rtol=0, atol=ROUNDING * engine.costs.scale)


@pytest.mark.parametrize("which", ["right", "wrong"])
def test_an_object_is_recorded_as_it_is(which):
    """The lesson's class goes through Problem.from_object, recorded, with the verdict of the plain engine."""
    net = students.Neural_Network(mistake=which == "wrong")
    problem = fastgrad.Problem.from_object(net, students.X, students.Y)
    reports = [check(problem, engine) for engine in ("traced", "python")]
    assert {r.verdict for r in reports} == {"disagree" if which == "wrong" else "agree"}
    assert [w.flat_index for w in reports[0].wrong] == [w.flat_index for w in reports[1].wrong]
    assert which == "right" or {w.flat_index for w in reports[0].wrong} == set(range(6))
    assert not net.J
    assert not hasattr(net, "z2")


def in_use(engine):
    """A network after a check of closures over it, each of which has kept its cost."""
    net = students.Neural_Network()
    cost, gradient = students.closures(net)
    fastgrad.check_gradient(cost, gradient, net.getParams(), engine=engine, n_jobs=1)
    return net


def test_state_of_the_user_is_plain_afterwards():
    """What the cost kept in the user's object while it was recorded holds no recording array."""
    net = in_use("traced")
    assert not [name for name, value in vars(net).items() if isinstance(value, Recorded)]
    assert not [J for J in net.J if isinstance(J, Recorded)]


def test_state_of_the_user_can_be_used_afterwards():
    """What the cost kept in the user's object can be read, computed with, copied and pickled as before."""
    net, plain = in_use("traced"), in_use("python")
    J, expected = net.J, plain.J
    assert {float(x[0]) for x in J} == {float(x[0]) for x in expected} or len(J) != len(expected)
    for x in J:
        assert float(x[0]) == x.item() == x.tolist()[0] == min(x)
        assert isinstance(np.asarray(x), np.ndarray)
        assert isinstance(x + 1, np.ndarray)
        assert f"{x[0]:.3f}" == f"{float(x[0]):.3f}"
    assert np.array(J).shape == (len(J), 1)
    again = pickle.loads(pickle.dumps(copy.deepcopy(net)))
    np.testing.assert_array_equal(again.forward(students.X), net.forward(students.X))
