"""One random combination of outputs as a cost."""

import pickle

import numpy as np

from fastgrad.problem.parameters import Parameters
from fastgrad.vector.combination import Claimed, Combination, random_weights
from fastgrad.vector.function import MovedFunction
from fastgrad.vector.outputs import Outputs


def weights_of(function, x, seed=0):
    """The weights of a function at x."""
    return random_weights(MovedFunction(function, Parameters(x), (), Outputs.of(function(x))), seed)


def mixed(x):
    """Outputs of very different sizes."""
    return np.array([1e8, 1e-8, 1.0]) * x


class TestWeights:
    """random_weights."""

    def test_sizes(self):
        """Each output counts as much as another, whatever its size."""
        x = np.array([1.0, 2.0, 3.0])

        share = np.abs(weights_of(mixed, x) * mixed(x))

        assert share.max() < 8 * share.min()

    def test_zero_by_chance(self):
        """An output that is zero at the parameters is as large as it moves, not as small as it is."""

        def function(x):
            return np.array([x[0] - 1.0, 1.0 + x[1]])

        w = np.abs(weights_of(function, np.array([1.0, 1.0])))

        assert w[0] < 64 * w[1]

    def test_only_rounding(self):
        """An output that is only rounding does not hide the others behind its own noise."""

        def function(x):
            e = np.exp(x - x.max())
            return np.append(x, np.sum(e / e.sum()) - 1.0)

        w = np.abs(weights_of(function, np.linspace(0.1, 2.0, 9)))

        assert w[-1] * 1e-16 < 1e-10 * w[:-1].min()

    def test_seed(self):
        """Another seed draws another combination, the same one the same."""
        x = np.ones(3)
        assert weights_of(mixed, x).tolist() == weights_of(mixed, x).tolist()
        assert weights_of(mixed, x).tolist() != weights_of(mixed, x, seed=1).tolist()

    def test_outside_the_domain(self):
        """A function that cannot be evaluated at the moved point has weights by its values alone."""

        def function(x):
            if x[0] != 1:
                raise ValueError("only at one")
            return x * 4

        assert np.isfinite(weights_of(function, np.ones(2))).all()


def test_cost_and_claim():
    """The cost is w . F of a structure, and the claim is asked for w in that structure."""
    x, asked = np.array([2.0, 3.0]), []

    def function(x):
        return {"a": x**2, "b": x[0]}

    outputs = Outputs.of(function(x))
    w = np.array([1.0, 10.0, 100.0])

    assert Combination(function, outputs, w)(x) == 4 + 90 + 200
    Claimed(lambda x, u: asked.append(u), outputs, w)(x)
    assert asked[0]["a"].tolist() == [1, 10]
    assert asked[0]["b"] == 100


def test_pickles():
    """It goes to a worker process, and has the name of the function."""
    outputs = Outputs.of(mixed(np.ones(3)))
    there = pickle.loads(pickle.dumps(Combination(mixed, outputs, np.ones(3))))

    assert there(np.ones(3)) == mixed(np.ones(3)).sum()
    assert there.__name__ == "mixed"
