"""Parts of one's own that keep something, write somewhere, fail, or cannot be taken apart."""

from __future__ import annotations

import math

import numpy as np
import pytest
from network_cases import parameters_of
from own_part_cases import (
    CASES,
    CE,
    FLAT,
    LABELS,
    PERTURB,
    REAL,
    Clips,
    InPlace,
    Own,
    OwnLoss,
    Single,
    dense,
    engine_of,
    parameters_for,
)

import fastgrad
from fastgrad.engines.network.engine import NetworkEngine
from fastgrad.engines.network.tie import is_own_cost
from fastgrad.execution import chunks
from fastgrad.networks import (
    Dense,
    Network,
    Residual,
    Tanh,
)
from fastgrad.problem.parameters import Parameters


class Counting(Own):
    """The identity, with a gradient that grows from call to call."""

    def __init__(self):
        """No calls yet."""
        self.calls = 0

    def forward(self, p, x):
        """x."""
        return x

    def backward(self, p, x, dy):
        """dy times the number of calls."""
        self.calls += 1
        return dy * self.calls, {}


class Random(Own):
    """A dropout without a seed."""

    def forward(self, p, x):
        """x times a random mask."""
        return x * (np.random.default_rng().random(x.shape) < 0.5)


class Shifts(Own):
    """Writes to the data."""

    def forward(self, p, x):
        """|x|."""
        return np.abs(x, out=x)


class Spoils(Own):
    """Writes to its parameters."""

    def initial(self, rng):
        """One number."""
        return {"scale": np.ones(1)}

    def forward(self, p, x):
        """scale x, and the scale is doubled."""
        y = x * p["scale"]
        p["scale"] *= 2
        return y


class Several(Own):
    """Hands two arrays on."""

    def forward(self, p, x):
        """x and its square."""
        return x, x**2

    def backward(self, p, x, dy):
        """From both."""
        return dy[0] + 2 * x * dy[1], {}


class Joined(Own):
    """Adds two arrays."""

    def forward(self, p, x):
        """Their sum."""
        return x[0] + x[1]

    def backward(self, p, x, dy):
        """To both."""
        return (dy, dy), {}


class Logarithmic(OwnLoss):
    """log of the sum of outputs less targets: math.log refuses what is not positive."""

    def value(self, y, target):
        """log(sum(y - target))."""
        return math.log(np.sum(y - target))

    def gradient(self, y, target):
        """1 / sum."""
        return np.full(y.shape, 1 / np.sum(y - target))


class Lasso(Network):
    """A network with another penalty."""

    def penalty(self, params):
        """The sum of absolute values."""
        return sum(float(np.abs(block).sum()) for block in params.values())

    def gradient(self, params, X, Y):
        """With the signs."""
        g = super().gradient(params, X, Y)
        return {name: g[name] + np.sign(block) for name, block in params.items()}


class Logged(Network):
    """A network whose cost is twice that of its parts."""

    def cost(self, params, X, Y):
        """Twice the parent's."""
        return 2 * super().cost(params, X, Y)

    def gradient(self, params, X, Y):
        """Twice the parent's."""
        return {name: 2 * block for name, block in super().gradient(params, X, Y).items()}


class TestEvaluatedFromOutside:
    """What cannot be taken apart is evaluated as any cost, by the python engine."""

    @pytest.mark.parametrize("of", [Lasso, Logged])
    def test_a_network_of_other_methods(self, of):
        """A subclass of Network is its own cost, penalty included, and a note says so."""
        net = of([Dense(5, 4), Tanh(), Dense(4, 3)], CE)
        report = fastgrad.check(net.problem(parameters_of(net), FLAT, LABELS))
        assert (report.verdict, report.engine) == ("agree", "python")
        assert f"a {of.__name__}, does not compute its cost by the methods" in report.notes[0]
        g = net.gradient(parameters_of(net), FLAT, LABELS)
        g["0.bias"][1] *= 1.001
        assert len(fastgrad.check(net.problem(parameters_of(net), FLAT, LABELS, g)).wrong) == 1

    def test_a_cost_that_is_another_method(self):
        """Of a network's methods only its cost is its cost."""
        net = dense(Tanh(), l2=0.1)
        params = parameters_of(net)
        of = {"structure": net, "args": (FLAT, LABELS)}
        assert is_own_cost(fastgrad.Problem(net.cost, None, params, **of))
        assert not is_own_cost(fastgrad.Problem(net.gradient, None, params, **of))

    def test_a_branch_that_writes_to_its_input(self):
        """Where the input of a branch is overwritten before it is added, the cost itself is evaluated."""
        net = dense(Residual([InPlace()]))
        params = parameters_of(net)
        numeric = fastgrad.numerical_gradient(net.cost, params, args=(FLAT, LABELS)).values
        with pytest.warns(fastgrad.FastgradWarning, match="when its layers are called one by one"):
            report = fastgrad.check(net.problem(params, FLAT, LABELS, numeric))
        assert (report.verdict, report.engine) == ("agree", "python")

    def test_layers_that_hand_on_several_arrays(self):
        """A layer may give anything that the next one takes; nodes are not known then."""
        net = dense(Several(), Joined())
        problem = net.problem(parameters_of(net), FLAT, LABELS)
        report = fastgrad.check(problem, perturb="auto")
        assert (report.verdict, report.engine) == ("agree", "python")
        assert "a layer of the network gives a tuple where others give arrays" in report.notes[0]
        with pytest.raises(fastgrad.InputError, match="knows the pre-activations"):
            fastgrad.check(problem, perturb="nodes")


class TestState:
    """Parts of one's own that keep something, write somewhere, or fail."""

    def given(self, *middle, loss=CE, Y=LABELS, first=None):
        """A problem whose claimed gradient is an array, so that only the cost can be at fault."""
        net = Network([*(first or []), Dense(5, 4), *middle, Dense(4, 3)], loss)
        params = parameters_of(net)
        zeros = {name: np.zeros_like(block) for name, block in params.items()}
        return net.problem(params, FLAT.copy(), Y, zeros)

    def test_random_layer_is_refused(self):
        """A layer that draws at random is refused, as in any cost."""
        with pytest.warns(fastgrad.FastgradWarning), pytest.raises(fastgrad.InputError, match="and then"):
            fastgrad.check(self.given(Random()))

    def test_part_that_writes_to_the_data_is_refused(self):
        """A layer that writes to the inputs, or a loss that writes to the targets, is refused."""
        for problem in (self.given(first=[Shifts()]), self.given(Tanh(), loss=Clips(), Y=2 * REAL)):
            with pytest.raises(fastgrad.InputError, match="changes the arrays in args"):
                fastgrad.check(problem)

    def test_layer_that_writes_to_its_parameters_is_refused(self):
        """A layer that writes to its parameters is refused, and the entry named."""
        with pytest.raises(fastgrad.InputError, match=r"the cost changes its parameters: 1\.scale"):
            fastgrad.check(self.given(Spoils()))

    def test_gradient_that_accumulates_is_refused(self):
        """A network's own gradient with a layer that keeps count is asked more than once."""
        net = dense(Counting())
        with pytest.raises(fastgrad.InputError, match="gradient"):
            fastgrad.check(net.problem(parameters_of(net), FLAT, LABELS))

    def test_loss_outside_its_domain(self):
        """Where a loss raises the cost has no value, in every path; what it raised is quoted."""
        net = Network([Dense(1, 1)], Logarithmic())
        params = {"0.weight": np.ones((1, 1)), "0.bias": np.array([1e-7])}
        X, Y = np.zeros((1, 1)), np.zeros((1, 1))
        engine = NetworkEngine(net.cost, Parameters(params), (X, Y), net)
        offsets = np.array([[-1.0, 1.0, -1e-8]])
        for moving, at in ((engine, 1), (engine.through_nodes("nodes", np.arange(2)), 0)):
            found = moving.values(np.array([at]), offsets) + moving.origin
            assert np.isnan(found[0, 0])
            assert found[0, 1:] == pytest.approx([math.log(1 + 1e-7), math.log(9e-8)], rel=1e-12)
            assert moving.quoted.startswith("ValueError")
        for perturb in PERTURB:
            assert fastgrad.check(net.problem(params, X, Y), perturb=perturb).passed

    def test_float32_inside_is_noise_as_in_any_cost(self):
        """A layer that rounds to float32 is noise that limits what is seen, as in the plain network."""
        net = dense(Single(), Tanh())
        problem = net.problem(parameters_of(net), FLAT, LABELS)
        plain = fastgrad.check(problem, engine="python")
        for perturb in PERTURB:
            report = fastgrad.check(problem, perturb=perturb)
            assert (report.engine, report.verdict, plain.verdict) == ("network", "agree", "agree")
            for either in (report, plain):
                assert "values of the cost scatter by " in either.notes[-1]
                assert 1e-6 < either.resolution < 1e-2
                assert either.seen.reason.startswith("the cost has a noise of ")
        by_parameters = fastgrad.check(problem)
        assert "0.bias: values of the cost scatter by " in by_parameters.notes[-1]
        assert "as much as float32 arithmetic leaves" in by_parameters.notes[-1]

    def test_many_workers(self, monkeypatch):
        """A part of one's own may keep a buffer: processes, not threads, give bitwise the numbers of one."""
        monkeypatch.setattr(chunks, "PILOT_SECONDS", {"threads": 0.0, "processes": 0.0})
        monkeypatch.setattr(chunks, "SHORTEST_CHUNK", {"threads": 1e-5, "processes": 1e-5})
        case = CASES["keeps a buffer"]
        assert engine_of(case).workers == "processes"
        problem = case.net.problem(parameters_for(case), FLAT, LABELS)
        one, two = fastgrad.check(problem), fastgrad.check(problem, n_jobs=2, backend="loky")
        assert two.n_jobs == 2
        assert np.array_equal(one.numeric, two.numeric)
