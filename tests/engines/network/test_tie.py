"""A user's own cost tied to a Network."""

from __future__ import annotations

import numpy as np
import pytest
from network_cases import NETWORKS, parameters_of

import fastgrad
from fastgrad.engines.network.tie import disagreement, is_own_cost
from fastgrad.problem.parameters import Parameters


class TestStructure:
    """A user's own NumPy cost tied to a Network."""

    def tied(self, factor=1.0):
        """The tanh network's cost as somebody would write it; `factor` spoils the second layer's part."""
        net, X, Y = NETWORKS[1]

        def cost(p, X, Y):
            a = np.tanh(X @ p["0.weight"] + p["0.bias"])
            z = a @ (factor * p["2.weight"]) + p["2.bias"]
            data = np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), Y])
            return data + 0.05 * (np.sum(p["0.weight"] ** 2) + np.sum((factor * p["2.weight"]) ** 2))

        params = parameters_of(net)
        if factor != 1.0:
            params["2.weight"][:] = 0  # so that nothing shows at the parameters themselves
        return fastgrad.Problem(cost, net.gradient, params, (X, Y), structure=net)

    def test_agreeing_cost_gets_the_fast_engine(self):
        """A cost that agrees with the network is evaluated by the network engine."""
        report = fastgrad.check(self.tied())
        assert (report.engine, report.verdict, report.notes) == ("network", "agree", ())

    def test_differing_cost_is_evaluated_itself(self):
        """A cost that differs is evaluated itself, and the report says which block shows it."""
        with pytest.warns(fastgrad.FastgradWarning, match=r"differ when 2\.weight is moved: \S+ by the cost"):
            report = fastgrad.check(self.tied(factor=1.5))
        assert report.engine == "python"
        assert "differ when 2.weight is moved" in report.notes[0]


class TestDisagreement:
    def problem(self, cost):
        """A problem of the tanh network with another cost."""
        net, X, Y = NETWORKS[1]
        params = parameters_of(net)
        return fastgrad.Problem(cost, net.gradient, params, (X, Y), structure=net), net, Parameters(params)

    def test_none(self):
        """A cost that is the network's, to rounding, does not disagree, and the parameters stay."""
        problem, net, parameters = self.problem(lambda p, X, Y: NETWORKS[1][0].cost(p, X, Y) * (1 + 1e-13))
        before = [leaf.copy() for leaf in parameters.leaves]

        assert disagreement(problem, net, parameters) is None
        assert all(np.array_equal(a, b) for a, b in zip(before, parameters.leaves, strict=True))

    def test_at_the_parameters(self):
        """A cost that is another number at the parameters is told of with both numbers."""
        problem, net, parameters = self.problem(lambda p, X, Y: 3.0)

        assert disagreement(problem, net, parameters).startswith(
            "the cost and its structure differ at the parameters themselves: 3 by the cost, "
        )

    def test_is_own_cost(self):
        """The network's own method is known to be its own."""
        net, X, Y = NETWORKS[1]

        assert is_own_cost(net.problem(parameters_of(net), X, Y))
        assert not is_own_cost(self.problem(lambda p, X, Y: 3.0)[0])
