"""What a report's diagnosis is given."""

from __future__ import annotations

import json

import numpy as np
from problems import (
    layered_problem,
)

import fastgrad


class TestDiagnosis:
    """What a check says of the mistake, end to end; test_diagnosis.py has each mistake."""

    def spoiled(self, change):
        """The report on layered_problem with its gradient changed."""
        problem = layered_problem(samples=12)

        def gradient(p, X, T):
            g = problem.gradient(p, X, T)
            return change(g)

        return fastgrad.check(fastgrad.Problem(problem.cost, gradient, problem.params, problem.args))

    def test_a_right_gradient_has_none(self):
        """Nothing is diagnosed where nothing is wrong."""
        assert fastgrad.check(layered_problem()).diagnosis == ()

    def test_mean_for_a_sum_names_the_samples(self):
        """A factor is named by the lengths of the user's data: here the 12 samples."""

        def mean(g):
            return {"enc": {k: v / 12 for k, v in g["enc"].items()}, "out": [g["out"][0] / 12]}

        report = self.spoiled(mean)
        [said] = report.diagnosis
        assert said.startswith("enc.W, enc.b and out[0]: claimed = 0.0833333 * numeric in every entry")
        assert "a mean over the 12 entries" in said
        assert f"likely mistakes\n{said}\n" in str(report)
        assert json.loads(report.to_json())["diagnosis"] == [said]

    def test_one_entry(self):
        """A single wrong entry is said to be one, by its name in the user's structure."""

        def one(g):
            g["out"][0][2, 1] += 0.5
            return g

        [said] = self.spoiled(one).diagnosis
        assert said.startswith("out[0]: only out[0][2, 1] is wrong of 15 entries")

    def test_stale(self):
        """A wrong gradient that is the same at other parameters is told to be stale first."""
        problem = layered_problem()
        far = {k: 2 * v for k, v in problem.params["enc"].items()}
        other = problem.gradient({"enc": far, "out": problem.params["out"]}, *problem.args)
        stale = fastgrad.Problem(problem.cost, lambda p, X, T: other, problem.params, problem.args)
        said = fastgrad.check(stale).diagnosis[0]
        assert said.startswith("the gradient function gives the very same numbers at other parameters")

    def test_not_stale(self):
        """No cache is suspected where the gradient ought to be constant, or where all that moves alike is."""
        w, x = np.array([1.0, -2.0, 0.5, 0.3]), np.array([0.3, 1.1, -0.4, 0.9])
        wrong = {
            "linear": (lambda p: float(w @ p), lambda p: w * [1, 1, 1.5, 1]),
            "linear, all wrong": (lambda p: float(w @ p), lambda p: w**2),
            "piecewise linear": (lambda p: float(np.abs(p).sum()), lambda p: 2.3 * np.sign(p)),
            "an L2 term missing": (lambda p: float(w @ p + 0.5 * p @ p), lambda p: w),
            "a block never written": (lambda p: float(w @ p + p[3] ** 2), lambda p: w * [1, 1, 1, 0]),
            "centred squares": (lambda p: float(np.sum((p - p.mean()) ** 2)), lambda p: p - p.mean()),
            "softmax": (
                lambda p: float(np.log(np.exp(p).sum()) - w @ p),
                lambda p: np.exp(p) / np.exp(p).sum() + w,
            ),
        }
        for name, (cost, gradient) in wrong.items():
            report = fastgrad.check_gradient(cost, gradient, x)
            assert report.verdict == "disagree", name
            assert "cache" not in " ".join(report.diagnosis), name
