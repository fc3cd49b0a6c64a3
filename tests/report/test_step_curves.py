"""Curves of the error against the step, asked of a report."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from revisit_cases import REPORTS, WEIGHTS, X, exponentials, of, product, wrong_of_product
from scipy import sparse

import fastgrad
from fastgrad.report import step_curves as module
from fastgrad.report.revisit import GONE, Revisit

pytestmark = pytest.mark.usefixtures("clock")  # it stands still: how many curves there are depends on no load

HAS_NO_STEP = {"traced, nodes", "network, nodes", "complex step"}


@pytest.mark.parametrize("name", REPORTS)
class TestEngines:
    def test_curves(self, name):
        """Each engine gives curves that come near the estimate, on which the step of the check is."""
        report = REPORTS[name]()
        found = report.step_curves()
        assert found.sentence == ""
        assert 1 <= len(found.curves) <= 4
        for curve in found.curves:
            arrays = (curve.steps, curve.slopes, curve.errors, curve.noise_branch, curve.truncation_branch)
            assert {a.shape for a in arrays} == {curve.steps.shape}
            assert {a.dtype for a in arrays} == {np.dtype(float)}
            near = 1e-3 if "float32" in name else 1e-8
            assert np.nanmin(curve.errors) <= near * max(1.0, abs(curve.numeric))
            if name not in HAS_NO_STEP and name != "forward":
                assert curve.taken in curve.steps
                assert np.isfinite(curve.noise_branch).all()
                here = curve.steps == curve.taken
                parts = 8 * curve.noise_branch[here] + 2 * np.nan_to_num(curve.truncation_branch[here])
                assert curve.errors[here] <= curve.error_bound + parts
        if name in HAS_NO_STEP:
            assert np.isnan([curve.taken for curve in found.curves]).all()

    def test_the_worst_is_first(self, name):
        """The first curve is that of the first wrong coordinate of the report, with its numbers."""
        report = REPORTS[name]()
        curve, worst = report.step_curves(1).curves[0], report.wrong[0]
        for field in ("label", "flat_index", "claimed", "numeric", "error_bound", "allowed"):
            assert getattr(curve, field) == getattr(worst, field)

    def test_parameters_and_evaluations_stay(self, name):
        """Curves change neither the parameters nor the report."""
        report = REPORTS[name]()
        before, text = X.copy(), report.to_json()
        report.step_curves()
        np.testing.assert_array_equal(X, before)
        assert report.to_json() == text


class TestLaws:
    @pytest.mark.parametrize("engine", ["python", "traced"])
    def test_truncation(self, engine):
        """At wide steps of a smooth cost the error falls as h^2, and is what the branch says."""
        for curve in of(engine=engine).step_curves().curves:
            size = abs(X[curve.flat_index])
            wide = (curve.steps > 2.0**-12 * size) & (curve.steps < 2.0**-2 * size)
            assert wide.sum() >= 4
            ratio = curve.errors[wide][1:] / curve.errors[wide][:-1]
            np.testing.assert_allclose(ratio, 16.0, rtol=0.1)
            np.testing.assert_allclose(curve.errors[wide], curve.truncation_branch[wide], rtol=0.15)
            right = np.exp(X[curve.flat_index]) / 6 * curve.steps**2
            np.testing.assert_allclose(curve.truncation_branch, right, rtol=0.15)

    def test_noise(self):
        """At fine steps of a cost that rounds the error is near the branch, in its root mean square."""
        rounded = of(lambda x: exponentials(x) + 2.0**20, engine="python")
        for curve in rounded.step_curves().curves:
            # below, the cost does not change at all from one side to the other
            fine = curve.noise_branch > 10 * np.fmax(curve.truncation_branch, curve.error_bound)
            fine &= curve.noise_branch < 0.1 * abs(curve.numeric)
            assert fine.sum() >= 4
            share = np.sqrt(np.mean((curve.errors[fine] / curve.noise_branch[fine]) ** 2))
            assert 0.1 < share < 3.0

    def test_the_slopes_are_central_differences(self):
        """Each slope is that of two values, whatever the stencil of the check."""
        curve = of(method="central4").step_curves(1).curves[0]
        x, k = X[curve.flat_index], len(curve.steps) - 1
        h = curve.steps[k]
        np.testing.assert_allclose(curve.slopes[k], (np.exp(x + h) - np.exp(x - h)) / (2 * h))


class TestWhichCoordinates:
    def test_wrong_by_severity_then_others(self):
        """Wrong ones come first, worst first; then those that agree, a block at a time."""
        params = {"a": np.ones(3), "b": np.ones(3), "c": np.ones(3)}

        def cost(p):
            return float(sum(np.exp(leaf).sum() for leaf in p.values()))

        def gradient(p):
            right = {name: np.exp(leaf) for name, leaf in p.items()}
            return right | {"b": right["b"] * [1, 1.1, 1.3]}

        report = fastgrad.check_gradient(cost, gradient, params)
        labels = [curve.label for curve in report.step_curves(5).curves]
        assert labels[:2] == ["b[2]", "b[1]"]
        assert sorted(label[0] for label in labels[2:]) == ["a", "b", "c"]

    def test_undecided_before_agreeing(self):
        """An undecided coordinate comes before those that agree, and where values are NaN slopes are."""

        def cost(p):
            with np.errstate(invalid="ignore"):
                return float(p["a"][0] ** 3 + np.sqrt(p["a"][1]))

        report = fastgrad.check_gradient(cost, {"a": np.array([3.0, 1.0])}, {"a": np.array([1.0, 0.0])})
        first, second = report.step_curves().curves
        assert (first.label, second.label) == ("a[1]", "a[0]")
        assert np.isnan(first.slopes).all()
        assert np.isnan(first.taken)

    def test_wrong_before_undecided(self):
        """A wrong coordinate comes before an undecided one."""

        def cost(p):
            with np.errstate(invalid="ignore"):
                return float(np.sqrt(p["a"][0]) + p["a"][1] ** 3)

        report = fastgrad.check_gradient(cost, {"a": np.array([1.0, 4.0])}, {"a": np.array([0.0, 1.0])})
        assert [curve.label for curve in report.step_curves().curves] == ["a[1]", "a[0]"]

    def test_an_agreeing_report(self):
        """Of a right gradient the coordinates that were seen least well are shown."""
        report = of(gradient=np.exp)
        curves = report.step_curves(2).curves
        rho = report.wrong._arrays.resolution
        assert [c.flat_index for c in curves] == np.argsort(-rho, kind="stable")[:2].tolist()

    def test_of_very_many(self, monkeypatch):
        """Of very many coordinates that agree only those are sorted that were seen least well."""
        report = of(gradient=np.exp)
        worst = [curve.label for curve in report.step_curves(2).curves]
        monkeypatch.setattr(module, "LOOKED_AT", 2)
        assert [curve.label for curve in report.step_curves().curves] == worst


class TestNone:
    def test_another_process(self):
        """A report that was pickled has no cost any more, and says so."""
        report = pickle.loads(pickle.dumps(of()))
        assert report.revisit is None
        assert report.step_curves() == module.StepCurves((), GONE)

    def test_changed_data(self):
        """Where the data of the cost changed after the check there is no curve, and both costs are told."""
        scale = np.array([1.0])
        report = of(lambda x: scale[0] * exponentials(x))
        assert report.step_curves().curves
        scale[0] = 1.0 + 1e-7
        found = report.step_curves()
        assert found.curves == ()
        assert found.sentence.startswith(f"the cost at the parameters was {report.cost:.7g}")
        assert found.sentence.endswith("the parameters, or the data of the cost, have changed since")

    @pytest.mark.parametrize("engine", ["python", "traced"])
    def test_changed_parameters(self, engine):
        """Parameters that were trained on since the check are told from those that were checked."""
        params = X.copy()
        report = of(params=params, engine=engine)
        params += 0.25
        assert "have changed since" in report.step_curves().sentence
        params -= 0.25
        assert len(report.step_curves().curves) == 4

    def test_changed_data_of_a_network(self):
        """A network's engine keeps what it computed: the cost itself is asked."""
        from revisit_cases import DATA, LABELS, NETWORK, PARAMS, wrong_of_network

        data = DATA.copy()
        report = fastgrad.check(NETWORK.problem(PARAMS, data, LABELS, gradient=wrong_of_network))
        assert report.step_curves().curves
        data += 1.0
        assert "have changed since" in report.step_curves().sentence

    def test_an_exception(self):
        """What the cost raises after the check is quoted, and cannot act on a terminal."""
        state = {"raises": False}

        def cost(x):
            if state["raises"]:
                raise RuntimeError("no\x1b[31m licence")
            return exponentials(x)

        report = of(cost, engine="python")
        state["raises"] = True
        assert report.step_curves().sentence == "the cost raised RuntimeError: no\\x1b[31m licence"

    def test_an_exception_at_a_moved_point(self):
        """So is what it raises only where a parameter is moved."""
        state = {"raises": False}

        def cost(x):
            if state["raises"] and (x != X).any():
                raise OSError("gone")
            return exponentials(x)

        report = of(cost, engine="python")
        state["raises"] = True
        assert report.step_curves().sentence == "the cost raised OSError: gone"

    @pytest.mark.parametrize("where", ["everywhere", "where they are moved"])
    def test_a_cost_that_writes_to_its_parameters(self, where):
        """A cost that has begun to write to its parameters is told from one whose data changed."""
        state = {"writes": False}

        def cost(x):
            value = exponentials(x)
            if state["writes"] and (where == "everywhere" or (x != X).any()):
                x[0] += 1.0
            return value

        report = of(cost, engine="python")
        state["writes"] = True
        assert report.step_curves().sentence.startswith("the cost changes its parameters")


class TestTime:
    def of(self, clock, seconds):
        """A report on a cost that takes so long by the clock; the seconds are in a list to be changed."""
        takes = [seconds]

        def cost(x):
            clock.now += takes[0]
            return float(np.sum(np.exp(x)))

        return of(cost, np.exp, engine="python"), takes

    def test_a_slow_cost(self, clock):
        """Where one curve would take too long there is none, and the sentence has the numbers."""
        report, _ = self.of(clock, 0.04)
        began = clock.now
        assert report.step_curves() == module.StepCurves(
            (),
            "an evaluation of the cost takes 0.04 s, so that a curve of 50 would take 2 s: more than the "
            "0.5 s that curves may take",
        )
        assert clock.now == began

    def test_fewer_curves(self, clock):
        """Where there is time for two curves there are two."""
        report, _ = self.of(clock, 2.0**-8)
        began = clock.now
        found = report.step_curves()
        assert len(found.curves) == 2
        assert found.sentence.startswith("2 of 4 curves were made: these took 0.")
        assert clock.now - began <= module.SECONDS

    def test_a_cost_that_became_slow(self, clock):
        """Where the cost takes longer than it did in the check, no further curve is begun."""
        report, takes = self.of(clock, 2.0**-12)
        takes[0] = 2.0**-6
        found = report.step_curves()
        assert len(found.curves) == 1
        assert "1 of 4 curves were made" in found.sentence

    def test_parameters_that_are_moved_together(self, clock):
        """Where one call served many coordinates of the check, a curve of one takes as many calls."""
        x, takes = np.linspace(0.5, 2.0, 60), 0.04

        def function(x):
            clock.now += takes
            return np.exp(x)

        def jacobian(x):
            return sparse.diags_array(np.exp(x), format="csc")

        report = fastgrad.check_jacobian(function, jacobian, x)
        assert report.engine == "columns"
        before = clock.now
        assert "so that a curve of 50 would take" in report.step_curves().sentence
        assert clock.now == before

    def test_nodes(self, clock):
        """Where the parameters are moved in the place of nodes, it is the plain cost that is timed."""

        def cost(p):
            clock.now += 1.0 if slow else 0.0
            return product(p)

        slow = False
        report = of(cost, wrong_of_product, {"W": WEIGHTS}, engine="traced", perturb="nodes")
        slow = True
        found = report.step_curves()
        assert found.curves == ()
        assert found.sentence.startswith(
            "an evaluation of the cost takes 1 s, so that a curve of 50 would take"
        )


def test_a_check_evaluates_no_more_than_it_counts():
    """Nothing is evaluated before curves are asked for, and asking is not counted as the check's."""
    calls = []

    def cost(x):
        calls.append(1)
        return exponentials(x)

    report = of(cost, engine="python")
    made = len(calls)
    assert made == report.evaluations
    curves = report.step_curves(1).curves
    assert len(calls) == made + 1 + 2 * len(curves[0].steps)
    assert report.evaluations == made


def test_a_changed_report_can_still_be_asked():
    """A report with other notes, as vector checks make them, keeps what can be asked."""
    report = replace(of(), notes=("another",))
    assert isinstance(report.revisit, Revisit)
    assert report.step_curves().curves
