"""check_gradient and its kin, end to end."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from problems import (
    layered_problem,
    sphere,
    sphere_gradient,
    waves,
    waves_batch,
    waves_gradient,
)

import fastgrad

METHODS = [("forward", 1e-6), ("central", 1e-8), ("central4", 1e-10), ("central6", 1e-10), ("complex", 1e-15)]


class TestCheckGradient:
    @pytest.mark.parametrize(("method", "goal"), METHODS)
    def test_right_gradient_agrees(self, method, goal):
        """A right gradient of nested parameters agrees by every method, to the accuracy of the method."""
        report = fastgrad.check(layered_problem(), method=method)
        assert report.verdict == "agree"
        assert report.relative_error < goal
        assert report.coverage.checked == 40

    @pytest.mark.parametrize("method", [m for m, _ in METHODS])
    def test_wrong_entry_is_named(self, method):
        """One entry off by 1 part in 1,000 is found and named by block and index, by every method."""
        good = layered_problem()

        def spoiled(p, X, T):
            g = good.gradient(p, X, T)
            g["out"][0][3, 1] *= 1.001
            return g

        report = fastgrad.check(fastgrad.Problem(good.cost, spoiled, good.params, good.args), method=method)
        assert report.verdict == "disagree"
        assert [(f.block, f.index, f.flat_index) for f in report.wrong] == [("out[0]", (3, 1), 35)]

    def test_float32(self):
        """A right float32 gradient agrees; one that is twice too large in one entry does not."""
        good = layered_problem(dtype=np.float32)
        assert fastgrad.check(good).passed
        claimed = good.gradient(good.params, *good.args)
        claimed["enc"]["b"][2] *= 2
        report = fastgrad.check(fastgrad.Problem(good.cost, claimed, good.params, good.args))
        assert [f.label for f in report.wrong] == ["enc.b[2]"]

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_non_finite_claim_disagrees(self, bad):
        """A claimed NaN or inf is a disagreement at that coordinate, and the cause says it."""
        claimed = np.array([2.0, bad, 6.0])
        report = fastgrad.check_gradient(sphere, claimed, np.array([1.0, 2.0, 3.0]))
        assert [f.label for f in report.wrong] == ["params[1]"]
        assert report.wrong[0].cause == f"the claimed gradient is {bad}"
        assert np.isnan(report.relative_error) or report.relative_error > 0

    def test_non_finite_cost_beside_the_parameters_is_undecided(self):
        """Where the cost is not finite at a perturbed point the coordinate is undecided, and named."""

        def cost(x):
            with np.errstate(invalid="ignore"):
                return x[0] ** 2 + np.sqrt(x[1])

        report = fastgrad.check_gradient(cost, np.array([2.0, 0.5]), np.array([1.0, 0.0]))
        assert report.verdict == "undecided"
        assert [f.label for f in report.undecided] == ["params[1]"]
        assert re.fullmatch(
            r"non-finite: the cost is nan at params\[1\] - [0-9.e-]+; move the parameters into its domain",
            report.undecided[0].cause,
        )
        assert np.isnan(report.numeric[1])

    def test_gradient_given_as_values(self):
        """The claimed gradient may be an array, and may be the parameters' own array."""
        x = np.array([0.5, -2.0])
        assert fastgrad.check_gradient(lambda x: 0.5 * np.sum(x**2), x, x).passed

    def test_gradient_that_returns_its_argument(self):
        """A gradient function may return its argument itself: it is copied before anything is perturbed."""
        x = np.array([0.5, -2.0])
        assert fastgrad.check_gradient(lambda x: 0.5 * np.sum(x**2), lambda x: x, x).passed

    def test_subset(self):
        """A random subset has the size asked for, touches each block, and is the same for a seed."""
        reports = [fastgrad.check(layered_problem(), coordinates=10, seed=s) for s in (3, 3, 4)]
        assert [r.coverage.checked for r in reports] == [10, 10, 10]
        assert all(row.checked >= 1 for row in reports[0].blocks)
        assert np.array_equal(reports[0].indices, reports[1].indices)
        assert not np.array_equal(reports[0].indices, reports[2].indices)
        assert "10 of 40 coordinates, drawn without replacement from every block, seed 3" in str(reports[0])

    def test_evaluations_are_counted(self):
        """The report's count is the number of calls that the cost really got."""
        calls = []

        def cost(x):
            calls.append(1)
            return sphere(x)

        report = fastgrad.check_gradient(cost, sphere_gradient, np.arange(5.0), method="central4")
        assert report.evaluations == len(calls)

    def test_tolerance_replaces_the_bounds(self):
        """With a fixed relative tolerance an error under it agrees and one over it does not."""
        x = np.array([1.0, 2.0])
        claimed = 2 * x * (1 + 1e-3)
        assert not fastgrad.check_gradient(sphere, claimed, x).passed
        assert fastgrad.check_gradient(sphere, claimed, x, tolerance=2e-3).passed
        assert not fastgrad.check_gradient(sphere, claimed, x, tolerance=5e-4).passed

    def test_scalar_parameter(self):
        """A Python float is a parameter: the first lines of the lesson work as they are written."""
        report = fastgrad.check_gradient(lambda x: x**2, lambda x: 2 * x, 3.0)
        assert report.passed
        assert report.blocks[0].shape == ()

    def test_large_offset_is_no_false_alarm(self):
        """A right gradient of a cost with an offset of 1e10 agrees, as far as its noise lets be seen."""
        report = fastgrad.check_gradient(lambda x: 1e10 + np.sum(np.sin(x)), np.cos, np.arange(4.0))
        assert report.verdict == "agree"
        assert any(said.startswith("the complex step decided 4 coordinates") for said in report.witnesses)
        assert report.resolution < 1e-12
        real = fastgrad.check_gradient(lambda x: float(1e10 + np.sum(np.sin(x).real)), np.cos, np.arange(4.0))
        assert real.verdict == "agree"
        assert 1e-6 < real.resolution < 1e-2
        finer = fastgrad.check_gradient(
            lambda x: float(1e10 + np.sum(np.sin(x).real)), np.cos, np.arange(4.0), resolution=1e-6
        )
        assert finer.verdict == "undecided"
        assert {f.code for f in finer.undecided} == {"noise"}


def at_a_kink(x):
    """A smooth cost with a kink at x[1] = 0."""
    return float(np.sum(np.sin(x)) + np.abs(x[1]))


class TestResolutionAndKinks:
    """The options resolution= and kinks=."""

    def test_resolution_is_asked_for(self):
        """A right gradient agrees if it is seen to the resolution that was asked for, else is undecided."""

        def noisy(x):
            return float(np.sum(np.sin(x)) + 1e7 - 1e7)

        x = np.linspace(0.2, 1.2, 6)
        seen = fastgrad.check_gradient(noisy, np.cos, x)
        assert seen.verdict == "agree"
        assert 1e-7 < seen.resolution < 1e-4
        coarser = fastgrad.check_gradient(noisy, np.cos, x, resolution=10 * seen.resolution)
        finer = fastgrad.check_gradient(noisy, np.cos, x, resolution=1e-9)
        assert (coarser.verdict, finer.verdict) == ("agree", "undecided")
        assert {f.code for f in finer.undecided} == {"noise"}

    @pytest.mark.parametrize("resolution", [1.0, 1e-2, 1e-4])
    def test_resolution_hides_no_error_that_is_seen(self, resolution):
        """What differences tell from the claim is wrong at any resolution."""
        x = np.linspace(0.2, 1.2, 6)
        spoiled = np.cos(x) * (1 + 1e-5 * np.eye(6)[2])
        report = fastgrad.check_gradient(
            lambda x: float(np.sum(np.sin(x))), spoiled, x, resolution=resolution
        )
        assert [f.flat_index for f in report.wrong] == [2]

    @pytest.mark.parametrize("slope", [-1.0, -0.3, 0.0, 1.0])
    def test_subgradients(self, slope):
        """A claim between the slopes of the two sides of a kink is undecided, or passes if asked for."""
        x = np.array([0.4, 0.0, -1.1])
        claim = np.cos(x) + slope * np.eye(3)[1]
        report = fastgrad.check_gradient(at_a_kink, claim, x)
        assert report.verdict == "undecided"
        [found] = report.undecided
        assert (found.label, found.code) == ("params[1]", "subgradient")
        assert "on its two sides the cost has slopes of " in found.cause
        assert found.cause.endswith('kinks="subgradient" lets it pass')
        passed = fastgrad.check_gradient(at_a_kink, claim, x, kinks="subgradient")
        assert passed.verdict == "agree"
        assert passed.seen.subgradients == 1
        assert str(passed).splitlines()[0].endswith("; at 1 kinks the claim is a subgradient.")

    def test_no_subgradient(self):
        """A claim outside of these slopes is wrong, whatever is asked for."""
        x = np.array([0.4, 0.0, -1.1])
        claim = np.cos(x) + 1.1 * np.eye(3)[1]
        for kinks in ("undecided", "subgradient"):
            report = fastgrad.check_gradient(at_a_kink, claim, x, kinks=kinks)
            assert [f.label for f in report.wrong] == ["params[1]"]

    @pytest.mark.parametrize(
        "options",
        [({"resolution": 1e-2}, {"resolution": 1e-7}), ({"kinks": "undecided"}, {"kinks": "subgradient"})],
    )
    def test_a_checkpoint_serves_both(self, options, tmp_path):
        """A checkpoint kept with another resolution= or kinks= gives the report of a new check."""

        def cost(x):
            return at_a_kink(x) + 1e7 - 1e7

        x = np.r_[0.4, 0.0, np.linspace(-2, 2, 40)]
        for number, (first, second) in enumerate((options, options[::-1])):
            path = tmp_path / str(number)
            fastgrad.check_gradient(cost, np.cos, x, checkpoint=path, **first)
            again = json.loads(fastgrad.check_gradient(cost, np.cos, x, checkpoint=path, **second).to_json())
            new = json.loads(fastgrad.check_gradient(cost, np.cos, x, **second).to_json())
            assert again.pop("reused") > 0
            assert again["spent"].pop("comparing with the checkpoint") > 0
            again["evaluations"] = sum(again["spent"].values())
            again["notes"] = again["notes"][1:]  # how many values came from the checkpoint
            del new["reused"]
            assert {**again, "seconds": 0} == {**new, "seconds": 0}


class TestCallersArrays:
    @pytest.mark.parametrize("failing", [False, True])
    def test_unchanged(self, failing):
        """The caller's arrays are bitwise what they were, also after an exception in the cost."""
        problem = layered_problem()
        arrays = [problem.params["enc"]["W"], problem.params["enc"]["b"], problem.params["out"][0]]
        before = [a.tobytes() for a in arrays]
        calls = []

        def cost(p, X, T):
            calls.append(1)
            if failing and len(calls) == 20:
                raise RuntimeError("in the cost")
            return problem.cost(p, X, T)

        what = fastgrad.Problem(cost, problem.gradient, problem.params, problem.args)
        if failing:
            with pytest.raises(RuntimeError, match="in the cost"):
                fastgrad.check(what)
        else:
            fastgrad.check(what)
        assert [a.tobytes() for a in arrays] == before

    def test_read_only_parameters(self):
        """Read-only arrays are checked like any others."""
        x = np.arange(3.0)
        x.flags.writeable = False
        assert fastgrad.check_gradient(sphere, sphere_gradient, x).passed


class TestAssertGradient:
    def test_raises_with_the_reports_text(self):
        """A wrong gradient raises an AssertionError whose text is the report's."""
        with pytest.raises(fastgrad.GradientError, match=r"DISAGREE: 1 of 2 .*params\[1\]") as caught:
            fastgrad.assert_gradient(sphere, np.array([2.0, 4.4]), np.array([1.0, 2.0]))
        assert isinstance(caught.value, AssertionError)
        assert caught.value.report.wrong[0].label == "params[1]"

    def test_returns_the_report(self):
        """A right gradient returns its report."""
        assert fastgrad.assert_gradient(sphere, sphere_gradient, np.ones(2)).passed


class TestRelativeError:
    def test_structures(self):
        """Nested structures are compared as one vector each."""
        a = {"W": np.array([3.0, 0.0]), "b": [4.0]}
        b = {"W": np.array([0.0, 0.0]), "b": [4.0]}
        assert fastgrad.relative_error(a, b) == pytest.approx(3 / np.hypot(3, 8))

    def test_sizes_must_match(self):
        """Vectors of two sizes are refused, with both sizes."""
        with pytest.raises(fastgrad.InputError, match="got 2 and 3"):
            fastgrad.relative_error(np.ones(2), np.ones(3))


BAD_INPUT = [
    ({"params": np.empty(0)}, "the parameters are empty: .* got float64 array of shape \\(0,\\)"),
    ({"params": {}}, "the parameters are empty"),
    ({"params": np.arange(3)}, r"parameter params must be .* got int64 array .* params\.astype\(float\)"),
    ({"params": {"W": np.ones(2, np.clongdouble)}}, r"parameter W must be .* W\.astype\(np\.complex128\)"),
    ({"params": {"W": np.ones(2) * 1j}}, r"missing: W; .* expected {W: \(2,\)}; got float64 array"),
    ({"params": [np.array([1.0, np.nan])]}, r"parameter params\[0\]\[1\] is nan"),
    ({"gradient": np.ones((2, 2))}, r"the gradient of params must have shape \(3,\).* got shape \(2, 2\)"),
    ({"gradient": {"a": np.ones(3)}}, "the gradient .*another structure"),
    ({"gradient": np.ones(3, dtype=int)}, "the gradient of params must hold real floats; got int64 array"),
    ({"gradient": np.ones(3) * 1j}, "the gradient of params must hold real floats; got complex128 array"),
    ({"cost": lambda x: x**2}, r"one number; got float64 array of shape \(3,\)\. Sum it"),
    ({"cost": lambda x: np.ones(1)}, r"got float64 array of shape \(1,\)\. It holds one number"),
    ({"cost": lambda x: None}, "one number; got NoneType None. Is a return missing?"),
    ({"cost": lambda x: "1.0"}, "one number; got str '1.0'"),
    ({"cost": lambda x: 1 + 2j}, r"one real number; got the complex 1\+2j"),
    ({"cost": lambda x: np.nan}, "the cost is nan at the parameters themselves"),
    ({"cost": lambda x: np.inf}, "the cost is inf at the parameters themselves"),
    ({"cost": "f"}, "the cost must be callable"),
    ({"args": [1]}, "args must be a tuple, .*got a list"),
    ({"gradient": None}, "there is no gradient to check"),
    ({"coordinates": 4}, "coordinates=4 is more than the 3 parameters"),
    ({"coordinates": 0}, "a subset has at least one coordinate"),
    ({"coordinates": [0, 3]}, "coordinate 3 is out of range: flat indices run from 0 to 2"),
    ({"coordinates": [-1]}, "coordinate -1 is out of range"),
    ({"coordinates": "most"}, 'must be "auto", "all", .* got str \'most\''),
    ({"method": "centre"}, "unknown method 'centre': .* forward, central, central4, central6, complex"),
    ({"engine": "gpu"}, "unknown engine 'gpu': the engines are auto, python, compiled, batched"),
    ({"engine": "compiled"}, "needs a cost that is a Numba function"),
    ({"engine": "batched"}, "vectorized=True if yours does"),
    ({"vectorized": True, "engine": "python"}, 'vectorized=True needs engine="batched"'),
    ({"backend": "gpu", "n_jobs": 2}, "unknown backend 'gpu': joblib's backends here are .*loky"),
    ({"step": 1e-20}, r"the step 1e-20 vanishes against params\[1\] = 2: float64 numbers"),
    ({"step": -1.0}, "the step of params must be a positive finite number; got -1.0"),
    ({"step": {"V": 1e-3}}, "step= names unknown blocks V: the blocks are params"),
    ({"tolerance": -1}, "tolerance must be a finite number >= 0"),
]


class TestBadInput:
    @pytest.mark.parametrize(("change", "message"), BAD_INPUT)
    def test_message(self, change, message):
        """Bad input is refused with a sentence that names what came and what to try."""
        call = {"cost": sphere, "gradient": np.ones(3), "params": np.array([0.0, 2.0, 3.0])} | change
        with pytest.raises(fastgrad.InputError, match=message):
            fastgrad.check_gradient(**call)

    def test_unknown_option(self):
        """A misspelt option is Python's own TypeError, by its name."""
        problem = fastgrad.Problem(sphere, sphere_gradient, np.ones(2))
        with pytest.raises(TypeError, match="n_job"):
            fastgrad.check(problem, n_job=2)

    def test_cost_that_changes_its_parameters(self):
        """A cost that writes into its parameters is refused, with the coordinate and both values."""

        def cost(p):
            p["W"][1] += 0.5
            return float(np.sum(p["W"]))

        message = r"changes its parameters: W\[1\] was 2 and is 2\.5 after one call"
        with pytest.raises(fastgrad.InputError, match=message):
            fastgrad.check_gradient(cost, {"W": np.ones(2)}, {"W": np.array([1.0, 2.0])})

    def test_cost_that_replaces_an_entry(self):
        """A cost that puts another array into the structure it was given is refused."""

        def cost(p):
            p["W"] = p["W"] * 1.0
            return float(np.sum(p["W"]))

        with pytest.raises(fastgrad.InputError, match="it replaced W in the structure"):
            fastgrad.check_gradient(cost, {"W": np.ones(2)}, {"W": np.ones(2)})

    def test_gradient_that_changes_its_parameters(self):
        """A gradient function that writes into its parameters is refused."""

        def gradient(x):
            x *= 2
            return x

        with pytest.raises(fastgrad.InputError, match=r"gradient function changes .*params\[0\]"):
            fastgrad.check_gradient(sphere, gradient, np.ones(2))

    def test_two_calls_that_differ(self):
        """A cost that gives two answers is refused with both of them."""
        answers = iter([1.25, 1.5])
        with pytest.raises(fastgrad.InputError, match=r"gave 1\.25 and then 1\.5 for the same parameters"):
            fastgrad.check_gradient(lambda x: next(answers), np.ones(2), np.ones(2))

    @pytest.mark.parametrize(
        "cost", [lambda x: float(np.sum(np.abs(x) ** 2)), lambda x: np.sum(x**2).real], ids=["abs", "real"]
    )
    def test_complex_step_through_a_real_cost(self, cost):
        """The complex step refuses a cost that drops the imaginary part."""
        with pytest.raises(fastgrad.InputError, match="drops the imaginary part"):
            fastgrad.check_gradient(cost, np.ones(2), np.ones(2), method="complex")

    def test_complex_step_through_a_cast(self):
        """The complex step refuses a cost that casts to real inside."""

        def cost(x):
            return np.sum(x.astype(float) ** 2) + 0 * x[0]

        with pytest.raises(fastgrad.InputError, match="casts to real"):
            fastgrad.check_gradient(cost, np.ones(2), np.ones(2), method="complex")

    def test_exception_at_a_perturbed_point_is_the_users_own(self):
        """An exception of the cost passes through as it is, with the coordinate as a note."""

        def cost(x):
            if x[1] != 2.0:
                raise KeyError("mine")
            return sphere(x)

        with pytest.raises(KeyError, match="mine") as caught:
            fastgrad.check_gradient(cost, sphere_gradient, np.array([1.0, 2.0]))
        assert "while evaluating the cost at params[1] = 2.0000" in caught.value.__notes__[0]


def test_all_engines_agree_on_one_problem():
    """The batched engine and the Python engine give the same verdict and the same numbers to rounding."""
    x = np.linspace(-1, 1, 7)
    one = fastgrad.check_gradient(waves, waves_gradient, x, args=(2.0,))
    two = fastgrad.check_gradient(waves_batch, waves_gradient, x, args=(2.0,), vectorized=True)
    assert (one.engine, two.engine) == ("python", "batched")
    assert np.allclose(one.numeric, two.numeric, rtol=1e-8)


class TestWhatTheCostDoesElsewhere:
    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_parameters_changed_at_a_perturbed_point(self, n_jobs):
        """A cost that writes into its parameters only away from the start is found out."""

        def cost(x):
            if x[0] != 1.0:
                x[1:] = 0.0
            return float(np.sum(x**2))

        with pytest.raises(fastgrad.InputError, match=r"changes its parameters: params\[1\] was 1 and is 0"):
            fastgrad.check_gradient(cost, 2 * np.ones(5), np.ones(5), n_jobs=n_jobs, backend="threading")

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_one_of_very_many_parameters_changed(self, n_jobs, monkeypatch):
        """Where only a sample of the parameters is compared between stages, all are at the end."""
        monkeypatch.setattr("fastgrad.engines.base.ALL_WATCHED", 2)
        monkeypatch.setattr("fastgrad.engines.base.WATCHED", 2)

        def cost(x):
            if x[0] != 1.0:
                x[2] = 3.0
            return float(np.sum(x[:2] ** 2))

        claim = np.array([2.0, 2.0, 0.0, 0.0, 0.0])
        with pytest.raises(fastgrad.InputError, match=r"changes its parameters: params\[2\] was 1 and is 3"):
            fastgrad.check_gradient(cost, claim, np.ones(5), n_jobs=n_jobs, backend="threading")

    @pytest.mark.parametrize("guilty", ["cost", "gradient function"])
    def test_data_changed(self, guilty):
        """A function that writes into its data is refused."""

        def writing(x, X):
            X -= X.mean()
            return sphere(x) if guilty == "cost" else 2 * x

        functions = {"cost": lambda x, X: sphere(x), "gradient function": lambda x, X: 2 * x} | {
            guilty: writing
        }
        with pytest.raises(fastgrad.InputError, match=f"the {guilty} changes the arrays in args"):
            fastgrad.check_gradient(
                functions["cost"], functions["gradient function"], np.ones(3), args=(np.arange(4.0),)
            )

    def test_float32_answer_of_float64_parameters(self):
        """A cost that answers in float32 is not held to float64: nothing right is called wrong."""
        x = np.linspace(0.1, 1.5, 10)
        assert (
            fastgrad.check_gradient(lambda x: np.float32(np.sum(np.sin(x))), np.cos, x).verdict != "disagree"
        )

    def test_complex_step_that_loses_one_block(self):
        """The complex step is refused where one block's imaginary part is lost."""
        x = np.linspace(0.5, 1.5, 4)

        def cost(p):
            return np.sum(p["a"] ** 2) + np.sum(np.abs(p["b"]))

        with pytest.raises(fastgrad.InputError, match=r"complex step .* at b\[\d\]"):
            fastgrad.check_gradient(cost, {"a": 2 * x, "b": 0 * x}, {"a": x, "b": x}, method="complex")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_jobs": 0}, "n_jobs must be an integer other than 0, or None; got 0"),
        ({"n_jobs": 2.5}, "n_jobs must be an integer .* got 2.5"),
        ({"n_jobs": 1, "backend": "treading"}, "unknown backend 'treading'"),
        ({"progress": "no"}, "progress must be True or False; got 'no'"),
        ({"seed": -1}, "seed must be an integer >= 0; got -1"),
    ],
)
def test_options_are_looked_at_first(options, message):
    """Options are refused before the cost is called at all."""

    def cost(x):
        raise AssertionError("called")

    with pytest.raises((fastgrad.InputError, AssertionError), match=message):
        fastgrad.check_gradient(cost, np.ones(3), np.ones(3), **options)


def test_check_takes_a_problem():
    """Functions handed to check are told of check_gradient."""
    with pytest.raises(fastgrad.InputError, match=r"takes a Problem; got function\. .*check_gradient"):
        fastgrad.check(sphere)


def test_ctrl_c_ends_a_test_run():
    """Ctrl-C during assert_gradient is a KeyboardInterrupt, that a test run ends, with what is known."""
    calls = []

    def cost(x):
        calls.append(1)
        if len(calls) == 500:
            raise KeyboardInterrupt
        return float(np.sum(x**2))

    with pytest.raises(KeyboardInterrupt, match="interrupted by Ctrl-C"):
        fastgrad.assert_gradient(
            cost, lambda x: 2 * x, np.arange(1.0, 1000.0), coordinates="all", engine="python"
        )
