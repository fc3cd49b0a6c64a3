"""What a report's diagnosis is given."""

from __future__ import annotations

import json

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
