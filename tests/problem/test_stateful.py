"""Networks that keep their parameters in themselves."""

from __future__ import annotations

import copy
import pickle
import re
import threading

import numpy as np
import pytest
from stateful_cases import Network, X, Y

import fastgrad
from fastgrad.errors import InputError


class Renamed:
    """The same network under other names."""

    def __init__(self):
        self._net = Network()

    def weights(self):
        """All weights."""
        return self._net.getParams()

    def load(self, params):
        """Take the weights."""
        self._net.setParams(params)

    def loss(self, X, y):
        """The cost."""
        return float(self._net.costFunction(X, y)[0])

    def backward(self, X, y):
        """The gradient."""
        return self._net.computeGradients(X, y)


RENAMED = {"get_params": "weights", "set_params": "load", "cost": "loss", "gradient": "backward"}


class TestFromObject:
    def test_right_network_agrees(self):
        """The classic network agrees as it is, to a relative error of 1e-8 or less."""
        report = fastgrad.check(fastgrad.Problem.from_object(Network(), X, Y))
        assert report.verdict == "agree"
        assert report.relative_error < 1e-8
        assert report.coverage.checked == 9

    def test_wrong_network_disagrees(self):
        """Its twin, whose gradient is 0.1% too large, is caught at every weight."""
        report = fastgrad.check(fastgrad.Problem.from_object(Network(factor=1.001), X, Y))
        assert report.verdict == "disagree"
        assert len(report.wrong) == 9

    def test_other_method_names(self):
        """An object with other method names is checked when the names are given."""
        assert fastgrad.check(fastgrad.Problem.from_object(Renamed(), X, Y, **RENAMED)).passed

    def test_object_is_untouched(self):
        """After a check the object has its arrays, their bits and its counters, and nothing new."""
        net = Network()
        arrays = {name: value for name, value in vars(net).items() if isinstance(value, np.ndarray)}
        before = copy.deepcopy(vars(net))
        fastgrad.check(fastgrad.Problem.from_object(net, X, Y))
        assert list(vars(net)) == list(before)
        assert all(vars(net)[name] is array for name, array in arrays.items())
        assert {n: np.asarray(v).tobytes() for n, v in vars(net).items()} == {
            n: np.asarray(v).tobytes() for n, v in before.items()
        }

    def test_data_is_untouched(self):
        """The data is passed through, and read only."""
        data, scores = X.copy(), Y.copy()
        data.setflags(write=False)
        scores.setflags(write=False)
        problem = fastgrad.Problem.from_object(Network(), data, scores)
        assert problem.args[0] is data
        assert problem.args[1] is scores
        assert fastgrad.check(problem).passed

    def test_problem_keeps_the_parameters_of_its_making(self):
        """Training the object after the problem was made does not move the problem's parameters."""
        net = Network()
        start = net.getParams()
        problem = fastgrad.Problem.from_object(net, X, Y)
        net.W1 += 1.0
        net.setParams(np.zeros(9))
        assert problem.params.tolist() == start.tolist()
        assert problem.cost(start, X, Y) == Network().costFunction(X, Y)[0]

    def test_cost_of_size_one_is_taken_as_a_number(self):
        """A cost that comes as an array of one number, as from Python's sum, is that number."""
        problem = fastgrad.Problem.from_object(Network(), X, Y)
        assert isinstance(Network().costFunction(X, Y), np.ndarray)
        assert type(problem.cost(problem.params, X, Y)) is float

    def test_cost_of_more_numbers_is_refused(self):
        """A cost that returns one number for each sample is refused with its shape."""
        net = Network()
        net.costFunction = lambda X, y: np.ones(3)
        message = "the cost must return one number; got float64 array of shape (3,)"
        with pytest.raises(InputError, match=f"^{re.escape(message)}"):
            fastgrad.check(fastgrad.Problem.from_object(net, X, Y))

    def test_gradient_of_size_one_keeps_its_shape(self):
        """Only the cost is unpacked: the gradient of one parameter stays an array."""

        class Line:
            w = np.array([2.0])

            def getParams(self):
                return self.w

            def setParams(self, w):
                self.w = w

            def costFunction(self, X, y):
                return (self.w * X - y) ** 2

            def computeGradients(self, X, y):
                return 2 * (self.w * X - y) * X

        problem = fastgrad.Problem.from_object(Line(), 3.0, 1.0)
        assert problem.gradient(np.array([2.0]), 3.0, 1.0).shape == (1,)
        assert fastgrad.check(problem).passed

    def test_workers_do_not_share_state(self):
        """A worker's twin has an object of its own: calls in one do not reach the other."""
        problem = fastgrad.Problem.from_object(Network(), X, Y)
        twin = problem.cost.for_worker()
        twin(np.zeros(9), X, Y)
        assert twin.net is not problem.cost.net
        assert problem.cost.net.calls == 0
        assert problem.cost.net is not problem.gradient.net
        assert problem.cost.net.W1.tolist() == Network().W1.tolist()

    def test_survives_pickling(self):
        """Such a problem reaches a worker process and gives the same cost there."""
        problem = fastgrad.Problem.from_object(Network(), X, Y)
        sent = pickle.loads(pickle.dumps(problem))
        assert sent.cost(sent.params, X, Y) == problem.cost(problem.params, X, Y)

    # object, names given, the methods that are said to be missing
    MISSING = (
        (object(), {}, "object has no method getParams, setParams, costFunction, computeGradients"),
        (Renamed(), {}, "Renamed has no method getParams, setParams, costFunction, computeGradients"),
        (Renamed(), RENAMED | {"cost": "_net"}, "Renamed has no method _net"),  # there, but not callable
        (Network(), {"gradient": "costFunctionPrime"}, "Network has no method costFunctionPrime"),
    )

    @pytest.mark.parametrize(("net", "names", "missing"), MISSING)
    def test_missing_methods(self, net, names, missing):
        """An object without the methods is refused: which are missing, and how to give other names."""
        message = f"{missing}; other names can be given with get_params=, set_params=, cost= and gradient="
        with pytest.raises(InputError, match=rf"^{re.escape(message)} \[FG121\]$"):
            fastgrad.Problem.from_object(net, X, Y, **names)


class OfLists:
    """An object that keeps its parameters in a list, or in a tuple."""

    def __init__(self, kind):
        self.kind = kind
        self.p = kind([0.5, -1.0])

    def getParams(self):
        """The parameters themselves, not a copy."""
        return self.p

    def setParams(self, p):
        """Take parameters of the same kind, and no others."""
        assert type(p) is self.kind
        self.p = p

    def costFunction(self, X, y):
        """The sum of squares."""
        return sum(v * v for v in self.p)

    def computeGradients(self, X, y):
        """Its gradient."""
        return [2 * v for v in self.p]


@pytest.mark.parametrize("kind", [list, tuple])
def test_parameters_in_a_list(kind):
    """An object whose parameters are a list of numbers gets lists, and keeps its own."""
    net = OfLists(kind)
    assert fastgrad.check(fastgrad.Problem.from_object(net, X, Y)).verdict == "agree"
    assert net.p == kind([0.5, -1.0])


def test_object_that_cannot_be_copied():
    """An object that cannot be copied is refused with what to do about it."""
    net = Network()
    net.lock = threading.Lock()
    with pytest.raises(InputError, match=r"cannot be copied .*_thread\.lock.* give it a __deepcopy__"):
        fastgrad.Problem.from_object(net, X, Y)
