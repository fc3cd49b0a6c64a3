"""Whether a cost and the Network said to be its structure compute the same."""

from __future__ import annotations

import numpy as np
import pytest
from network_cases import NETWORKS, parameters_of

import fastgrad


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
