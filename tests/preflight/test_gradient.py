"""A gradient that is no function of the parameters is refused before any difference, each way by its name."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.preflight.gradient import AFTER_COST, claimed_gradient, vetted_gradient
from fastgrad.problem.parameters import Parameters
from fastgrad.specification import Specification

X = np.array([0.5, -1.0, 2.0])


def cost(x):
    """The sum of fourth powers."""
    return float(np.sum(x**4))


def gradient(x):
    """Its gradient."""
    return 4 * x**3


def check(claim):
    """The check of a gradient function at X."""
    return fastgrad.check_gradient(cost, claim, X)


class Accumulating:
    """A gradient that is added to a buffer, as .grad is."""

    def __init__(self):
        self.buffer = np.zeros(3)

    def __call__(self, x):
        """The buffer."""
        self.buffer += gradient(x)
        return self.buffer


class Cached:
    """A gradient that is computed for the parameters before the ones it is given."""

    def __init__(self):
        self.seen = X.copy()

    def __call__(self, x):
        """The gradient at the parameters of the last call."""
        before, self.seen = self.seen, x.copy()
        return gradient(before)


class Rewriting:
    """A right gradient in one buffer that every call writes to."""

    def __init__(self):
        self.buffer = np.zeros(3)

    def __call__(self, x):
        """The buffer."""
        self.buffer[:] = gradient(x)
        return self.buffer


class Random:
    """A gradient with noise of a relative size."""

    def __init__(self, size):
        self.rng = np.random.default_rng(0)
        self.size = size

    def __call__(self, x):
        """The gradient, a little off each time."""
        return gradient(x) * (1 + self.size * self.rng.uniform(-1, 1, 3))


class TestRefused:
    def test_accumulates(self):
        """A buffer that is never set to zero is named as such, with a coordinate."""
        message = r"the gradient accumulates: the second call gave twice the first .*\(params\[2\]\)"
        with pytest.raises(fastgrad.InputError, match=message):
            check(Accumulating())

    def test_random(self):
        """A gradient of unseeded dropout gives another answer each time."""
        with pytest.raises(fastgrad.InputError, match=r"another answer each time .* Fix its random numbers"):
            check(Random(0.1))

    def test_keeps_something(self):
        """A cache of an earlier call shows once other parameters were asked about."""
        with pytest.raises(fastgrad.InputError, match="keeps something from call to call"):
            check(Cached())

    def test_changes_its_parameters(self):
        """Writing into the parameters is refused, naming the coordinate."""

        def spoiling(x):
            g = gradient(x)
            x[1] = 0
            return g

        with pytest.raises(fastgrad.InputError, match=r"changes its parameters \(params\[1\]\)"):
            check(spoiling)


class Model:
    """A cost that keeps what its gradient needs, as hand-written backpropagation does."""

    def __init__(self):
        self.kept = None
        self.calls = []

    def cost(self, x):
        """Keep the parameters."""
        self.calls.append("cost")
        self.kept = x.copy()
        return cost(x)

    def gradient(self, x):
        """The gradient at what was kept; a TypeError as long as nothing is."""
        self.calls.append("gradient")
        return 4 * self.kept**3

    def silent(self, x):
        """The same, but None as long as nothing is kept."""
        self.calls.append("gradient")
        return None if self.kept is None else 4 * self.kept**3

    def wrong(self, x):
        """A wrong gradient at what was kept."""
        return 4.1 * self.kept**3


class Lacking:
    """Costs that leave something behind, each with a gradient that raises in its own way without it."""

    def __init__(self):
        self.table = {}

    def by_attribute(self, x):
        """An AttributeError at first."""
        return 4 * self.left**3

    def by_key(self, x):
        """A KeyError at first."""
        return 4 * self.table["x"] ** 3

    def by_index(self, x):
        """A ValueError at first."""
        [kept] = self.table.values()
        return 4 * kept**3

    def cost(self, x):
        """Leave the parameters behind."""
        self.left = self.table["x"] = x.copy()
        return cost(x)


class TestAfterTheCost:
    @pytest.mark.parametrize("name", ["gradient", "silent"])
    def test_needs_the_cost_first(self, name):
        """Where the gradient cannot do without it, the cost is called before, and the report says so."""
        model = Model()
        report = fastgrad.check_gradient(model.cost, getattr(model, name), X)
        assert (report.verdict, report.notes) == ("agree", (AFTER_COST,))
        assert model.calls[:3] == ["gradient", "cost", "gradient"]

    @pytest.mark.parametrize("name", ["by_attribute", "by_key", "by_index"])
    def test_however_it_raises(self, name):
        """The exception without the cost may be any."""
        model = Lacking()
        report = fastgrad.check_gradient(model.cost, getattr(model, name), X)
        assert (report.verdict, report.notes) == ("agree", (AFTER_COST,))

    @pytest.mark.parametrize("left", [X, X + 1.0])
    def test_answers_for_other_parameters(self, left):
        """A gradient that answers for what the cost was last called with is called after the cost."""
        model = Model()
        model.cost(left)
        report = fastgrad.check_gradient(model.cost, model.gradient, X)
        assert (report.verdict, report.notes) == ("agree", (AFTER_COST,))

    def test_answers_for_other_parameters_in_part(self):
        """A gradient that reads its parameters, but what the cost keeps too, is called after the cost."""
        model = Model()
        model.cost(X + 1.0)
        report = fastgrad.check_gradient(model.cost, lambda x: 4 * x * model.kept**2, X)
        assert (report.verdict, report.notes) == ("agree", (AFTER_COST,))

    def test_a_right_one_alone_is_left_alone(self):
        """A gradient that the cost has nothing to do with is not called after it, and nothing is said."""
        model = Model()
        report = fastgrad.check_gradient(model.cost, lambda x: model.calls.append("g") or gradient(x), X)
        assert (report.verdict, report.notes) == ("agree", ())
        assert model.calls[:5] == ["g", "g", "g", "cost", "g"]

    def test_a_wrong_one_is_wrong(self):
        """A wrong gradient does not become right by it."""
        model = Model()
        assert fastgrad.check_gradient(model.cost, model.wrong, X).verdict == "disagree"

    def test_its_own_exception(self):
        """A gradient that raises in any case shows its own exception, after one call of the cost."""
        calls = []

        def raising(x):
            raise KeyError("my own")

        with pytest.raises(KeyError, match="my own"):
            fastgrad.check_gradient(lambda x: calls.append(1) or cost(x), raising, X)
        assert calls == [1]

    def test_a_cost_that_raises_too(self):
        """Where both raise, it is the gradient's exception that is shown."""

        def raising(x):
            raise KeyError("the gradient's")

        def raising_cost(x):
            raise RuntimeError("the cost's")

        with pytest.raises(KeyError, match="the gradient's"):
            fastgrad.check_gradient(raising_cost, raising, X)

    @pytest.mark.parametrize("act", [lambda p: p["x"].__setitem__(1, 7.0), lambda p: p.update(x=X + 1)])
    def test_a_cost_that_changes_its_parameters(self, act):
        """A cost that writes to its parameters is refused as such: the gradient is not blamed for it."""

        def writing(p):
            act(p)
            return cost(p["x"])

        with pytest.raises(fastgrad.InputError, match=r"^the cost changes its parameters"):
            fastgrad.check_gradient(writing, lambda p: {"x": gradient(p["x"])}, {"x": X})

    def test_a_wrong_shape_is_no_reason_to_call_the_cost(self):
        """A gradient of another shape is refused without a call of the cost."""
        calls = []
        with pytest.raises(fastgrad.InputError, match="must have shape"):
            fastgrad.check_gradient(lambda x: calls.append(1) or cost(x), lambda x: x[:2], X)
        assert calls == []

    def test_evaluations_are_counted(self):
        """Calls of the cost before the gradient are among the evaluations, also where they were no use."""
        for left in (None, X + 1.0):
            model = Model()
            model.kept = left
            report = fastgrad.check_gradient(model.cost, model.gradient, X)
            assert report.evaluations == model.calls.count("cost")
        calls = []
        linear = fastgrad.check_gradient(
            lambda x: calls.append(1) or float(np.sum(x)), lambda x: np.ones(3), X
        )
        assert (linear.verdict, linear.evaluations) == ("agree", len(calls))

    def test_the_same_kind_for_both(self):
        """A list of numbers is the same list for the cost and the gradient after it."""
        seen = {}

        def keep(x):
            seen["x"] = x
            return x[0] ** 2 + x[1] ** 2

        report = fastgrad.check_gradient(
            keep, lambda x: [2 * v for v in (seen["x"] if seen["x"] is x else [])], [1.0, 2.0]
        )
        assert (report.verdict, report.notes) == ("agree", (AFTER_COST,))

    def test_an_object_that_keeps_its_parameters(self):
        """A network with setParams whose gradient needs its own forward pass is checked."""

        class Net:
            def getParams(self):
                return X

            def setParams(self, x):
                self.x = x

            def costFunction(self, data, y):
                self.forward = self.x.copy()
                return cost(self.x)

            def computeGradients(self, data, y):
                return 4 * self.forward**3

        report = fastgrad.check(fastgrad.Problem.from_object(Net(), None, None))
        assert (report.verdict, report.notes) == ("agree", (AFTER_COST,))

    def test_large_answers_are_copied(self, monkeypatch):
        """A cost that writes into what the gradient returned does no harm where the two work together."""
        monkeypatch.setattr("fastgrad.problem.claim.SMALL_ENOUGH_TO_KEEP", 4)
        monkeypatch.setattr("fastgrad.problem.claim.WATCHED", 4)
        kept = {}

        def keep(x):
            kept.setdefault("g", np.empty(20))[:] = 2 * x
            return float(x @ x)

        assert fastgrad.check_gradient(keep, lambda x: kept["g"], np.arange(1.0, 21.0)).verdict == "agree"


class TestAllowed:
    def test_pure_function_says_nothing(self):
        """A gradient that is a function is called four times and gets no note."""
        calls = []
        report = check(lambda x: calls.append(1) or gradient(x))
        assert (report.verdict, len(calls), report.notes) == ("agree", 4, ())

    def test_rewritten_buffer_is_noted(self):
        """A right gradient that returns its own buffer agrees, and the user is told to copy it."""
        report = check(Rewriting())
        assert report.passed
        assert "returns the same array at every call" in report.notes[0]

    def test_jitter_is_allowed_for(self):
        """Repeats that differ in the last digits are said to, and widen the bounds."""
        report = check(Random(1e-9))
        assert report.passed
        assert "does not repeat itself to the last digit" in report.notes[0]
        assert report.error_bound.max() > check(gradient).error_bound.max()

    def test_a_constant_gradient_is_right_for_a_linear_cost(self):
        """The gradient of a linear cost is the same everywhere, and no cache is suspected."""
        w = np.array([1.0, -2.0, 0.5])
        report = fastgrad.check_gradient(lambda x: float(w @ x), lambda x: w, X)
        assert (report.verdict, report.notes) == ("agree", ())

    def test_nearby_point_outside_the_domain(self):
        """A gradient that raises beside the parameters is not asked there."""

        def narrow(x):
            if not np.array_equal(x, X):
                raise ValueError("outside")
            return gradient(x)

        parameters = Parameters(X)
        claim = claimed_gradient(narrow, parameters, ())
        assert np.array_equal(claim.at(np.arange(3)).values, gradient(X))
        assert not claim.stale

    def test_parameters_are_put_back(self):
        """After the point close by, the copy that the gradient sees holds the parameters to the last bit."""
        seen = []
        check(lambda x: seen.append(x.copy()) or gradient(x))
        assert [np.array_equal(x, X) for x in seen] == [True, True, False, True]


class TestStale:
    def test_the_same_everywhere(self):
        """A gradient that ignores its argument is stale, in either dtype; one that looks at it is not."""
        for dtype in (np.float64, np.float32):
            x = X.astype(dtype)
            assert claimed_gradient(lambda p: gradient(X).astype(p.dtype), Parameters(x), ()).stale
            assert not claimed_gradient(gradient, Parameters(x), ()).stale

    def test_the_same_at_points_moved_alike(self):
        """A gradient that does not change with a constant in all parameters is not stale."""
        centred = claimed_gradient(lambda p: p - p.mean(), Parameters(X), ())
        softmax = claimed_gradient(lambda p: np.exp(p) / np.exp(p).sum(), Parameters(np.ones(4)), ())
        assert not centred.stale
        assert not softmax.stale

    def test_only_where_the_cost_bends(self):
        """A gradient that stays the same is called stale if the cost is not linear, and not if it is."""
        for cost_of, stale in ((lambda p: float(p @ p), True), (lambda p: float(p.sum()), False)):
            spec = Specification.of(fastgrad.Problem(cost_of, lambda p: np.ones(3), X), {})
            assert vetted_gradient(spec)[1].stale is stale

    def test_rounded_is_not_stale(self):
        """A gradient that is rounded to a few digits is asked farther off before it is called stale."""
        rounded = claimed_gradient(lambda p: np.round(gradient(p), 2), Parameters(X), ())
        assert not rounded.stale


class TestCost:
    def test_jitter_of_a_cost_is_noise(self):
        """A cost that differs in its last digits from call to call is checked, its scatter being noise."""
        rng = np.random.default_rng(0)
        report = fastgrad.check_gradient(lambda x: cost(x) * (1 + 1e-13 * rng.uniform(-1, 1)), gradient, X)
        assert report.verdict == "agree"
        assert "the cost does not repeat itself to the last digit: 8 calls" in report.notes[0]


class TestFilesAndReadOnlyArrays:
    @pytest.fixture
    def files(self, tmp_path):
        """Parameters and their claimed gradient in files."""
        x = np.random.default_rng(0).normal(size=300)
        x.tofile(tmp_path / "x")
        gradient(x).tofile(tmp_path / "g")
        return tmp_path

    @pytest.mark.parametrize("mode", ["r", "c"])
    @pytest.mark.parametrize("options", [{}, {"probes": 5, "wrong_fraction": 0.2}, {"n_jobs": 2}])
    def test_memory_maps(self, files, mode, options):
        """Parameters and claim may be maps of files, private or read-only: the files stay as they were."""
        x = np.memmap(files / "x", dtype=np.float64, mode=mode)
        g = np.memmap(files / "g", dtype=np.float64, mode=mode)
        before = (files / "x").read_bytes(), (files / "g").read_bytes()
        kept = np.array(x)
        assert fastgrad.check_gradient(cost, g, x, **options).verdict == "agree"
        assert ((files / "x").read_bytes(), (files / "g").read_bytes()) == before
        assert np.array_equal(x, kept)

    def test_a_private_map_that_was_written_to(self, files):
        """Of a private map that the user wrote to, what the user sees is checked, not what is in the file."""
        x = np.memmap(files / "x", dtype=np.float64, mode="c")
        x += 1.0
        for n_jobs in (1, 2):
            report = fastgrad.check_gradient(cost, gradient(np.array(x)), x, n_jobs=n_jobs)
            assert report.verdict == "agree"

    def test_a_wrong_entry_in_a_file(self, files):
        """A wrong entry of a claim in a file is found like any other."""
        g = np.memmap(files / "g", dtype=np.float64, mode="r+")
        g[123] += 1.0
        g.flush()
        x = np.memmap(files / "x", dtype=np.float64, mode="r")
        report = fastgrad.check_gradient(cost, np.memmap(files / "g", dtype=np.float64, mode="r"), x)
        assert [f.label for f in report.wrong] == ["params[123]"]

    @pytest.mark.parametrize("method", ["central", "complex"])
    def test_read_only_arrays(self, method):
        """Arrays that nobody may write to can be checked."""
        x, g = X.copy(), gradient(X)
        x.flags.writeable = g.flags.writeable = False
        report = fastgrad.check_gradient(lambda x: np.sum(x**4), g, x, method=method)
        assert report.verdict == "agree"
        assert not x.flags.writeable


class TestNarrowed:
    def test_says_the_same_and_lets_go(self, monkeypatch):
        """A large answer of which only some is asked is given back; what is asked is as it was."""
        monkeypatch.setattr("fastgrad.problem.claim.SMALL_ENOUGH_TO_KEEP", 4)
        monkeypatch.setattr("fastgrad.problem.claim.WATCHED", 4)
        parameters = Parameters(np.arange(1.0, 21.0))
        claim = claimed_gradient(lambda x: 2 * x, parameters, ())
        claim.narrow(np.array([3, 5, 11]))
        assert claim.leaves == []
        assert claim.at(np.array([5, 11])).values.tolist() == [12.0, 24.0]
        claim.require_unchanged()

    def test_small_ones_are_kept(self):
        """A small answer, which was copied, stays whole."""
        claim = claimed_gradient(gradient, Parameters(X), ())
        claim.narrow(np.array([1]))
        assert np.array_equal(claim.at(np.arange(3)).values, gradient(X))

    @pytest.mark.parametrize("coordinates", [5, "all", np.array([2, 9])])
    def test_in_a_check(self, monkeypatch, coordinates):
        """A check finds what is wrong in a narrowed claim, and a right one right."""
        monkeypatch.setattr("fastgrad.problem.claim.SMALL_ENOUGH_TO_KEEP", 4)
        monkeypatch.setattr("fastgrad.problem.claim.WATCHED", 4)
        x = np.arange(1.0, 21.0)
        for factor, verdict in ((2.0, "agree"), (2.1, "disagree")):
            report = fastgrad.check_gradient(
                lambda x: float(x @ x), lambda x, factor=factor: factor * x, x, coordinates=coordinates
            )
            assert report.verdict == verdict


def test_a_cost_that_changes_its_data():
    """Where the cost changes data that both read, the cost is named, and not the gradient function."""
    X = np.ones((4, 3))

    def cost(w):
        nonlocal X
        X = 0.9 * X
        return float(np.sum((X @ w) ** 2))

    with pytest.raises(fastgrad.InputError, match=r"the cost gave .* for the same parameters.*\[FG208\]"):
        fastgrad.check_gradient(cost, lambda w: 2 * X.T @ (X @ w), np.ones(3))
