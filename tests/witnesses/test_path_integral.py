"""Along a segment a gradient adds up to what the cost rises by; where it does not, it is wrong somewhere."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import fastgrad
from fastgrad.problem.parameters import Parameters
from fastgrad.witnesses.functions import Functions
from fastgrad.witnesses.path_integral import integrate, path_witness


def cost(p):
    """A smooth cost of two blocks."""
    return float(np.sum(np.sin(p["a"])) + np.sum(np.exp(0.1 * p["b"])) + p["a"][0] * p["b"][0, 1])


def gradient(p):
    """Its gradient."""
    a, b = np.cos(p["a"]), 0.1 * np.exp(0.1 * p["b"])
    a[0] += p["b"][0, 1]
    b[0, 1] += p["a"][0]
    return {"a": a, "b": b}


PARAMS = {"a": np.linspace(-2, 2, 7), "b": np.linspace(-1, 3, 6).reshape(2, 3)}


def witness(claim, seed=0):
    """What the path integrals say of a claim."""
    problem = fastgrad.Problem(cost, claim, PARAMS)
    return path_witness(Functions(problem, Parameters(PARAMS)), sigma=1e-15, z=5.0, seed=seed)


class TestAgrees:
    @given(st.integers(0, 1000))
    def test_right_gradient(self, seed):
        """A right gradient adds up to ten digits, along any random segments."""
        problem = fastgrad.Problem(cost, gradient, PARAMS)
        found = integrate(Functions(problem, Parameters(PARAMS)), sigma=1e-15, z=5.0, seed=seed)
        assert len(found) == 3
        assert not any(segment.disagrees for segment in found)
        assert all(abs(s.rise - s.integral) <= s.bound for s in found)

    def test_sentence(self):
        """The sentence says how many segments there were, of how many parameters, and how close it was."""
        said = witness(gradient)
        assert said.startswith(
            "along 3 random segments through the parameters the claimed gradient, all 13 entries"
        )


class TestDisagrees:
    @given(st.integers(0, 1000))
    def test_wrong_in_one_entry(self, seed):
        """One entry off by 1% shows along every segment, whichever it is."""

        def spoiled(p):
            g = gradient(p)
            g["b"].flat[seed % 6] *= 1.01
            return g

        assert "it is wrong at coordinates that were not checked, or at other parameters" in witness(
            spoiled, seed
        )

    def test_right_here_and_nowhere_else(self):
        """A gradient that is right at the parameters only, as a cached one is, is told of."""
        here = gradient(PARAMS)
        assert "at other parameters than these" in witness(lambda p: here)


class TestSilent:
    def test_kinks(self):
        """Kinks along the way shorten the segments until there are none; in float32 nothing is said."""
        rng = np.random.default_rng(0)
        w = rng.normal(size=(400, 5))

        def kinked(x):
            return float(np.sum(np.maximum(w @ x, 0)))

        def slopes(x):
            return w.T @ (w @ x > 0)

        x = np.full(5, 1e-5)
        problem = fastgrad.Problem(kinked, slopes, x)
        assert "wrong" not in path_witness(Functions(problem, Parameters(x)), sigma=1e-15, z=5.0, seed=0)
        x32 = np.ones(5, dtype=np.float32)
        problem = fastgrad.Problem(lambda x: np.sum(x**2), lambda x: 3 * x, x32)
        assert path_witness(Functions(problem, Parameters(x32)), sigma=1e-7, z=5.0, seed=0) == ""

    def test_end_of_the_domain(self):
        """Where the cost ends within the segment a shorter one is taken."""

        def barrier(x):
            return float(-np.sum(np.log(x)))

        x = np.array([1e-3, 1.0, 2.0])
        problem = fastgrad.Problem(barrier, lambda x: -1 / x, x)
        said = path_witness(Functions(problem, Parameters(x)), sigma=1e-15, z=5.0, seed=1)
        assert said.startswith("along ")
        assert "wrong" not in said


class TestInChecks:
    def test_unchecked_coordinate(self):
        """A subset that agrees does not hide an error elsewhere: the whole is said not to add up."""
        x = np.linspace(-1, 1, 3000)

        def spoiled(x):
            g = np.cos(x)
            g[7] *= 2
            return g

        some = np.arange(100, 900)
        report = fastgrad.check_gradient(
            lambda x: np.sum(np.sin(x)), spoiled, x, coordinates=some, engine="python"
        )
        assert report.verdict == "agree"
        [said] = [said for said in report.witnesses if "coordinates that were not checked" in said]
        assert f"witness: {said}" in str(report)
