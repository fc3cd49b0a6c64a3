"""The lesson: a derivative, a network, a bug, and training."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.cli.demos import lesson
from fastgrad.cli.main import main


def test_definition_of_the_derivative():
    """The slope of x^2 at 1.5 goes to 3 as epsilon falls."""
    assert all(abs(slope - 3) < 1e-9 for _, slope in lesson.derivative_table(1.5))


def test_data_is_scaled():
    """Each column of the inputs is over its maximum, scores are over 100."""
    X, y = lesson.data()
    assert X.max(axis=0).tolist() == [1, 1]
    assert y.ravel().tolist() == [0.75, 0.82, 0.93]


@pytest.mark.parametrize("seed", range(5))
def test_lesson_network(seed):
    """The 2-3-1 network's gradient reaches a relative error of 1e-8 from any start."""
    report = fastgrad.check(fastgrad.Problem.from_object(lesson.NeuralNetwork(seed), *lesson.data()))
    assert report.passed
    assert report.relative_error < lesson.GOAL


def test_lesson_network_with_a_classic_bug():
    """The same network with the sigmoid's derivative forgotten is called wrong."""

    class Forgetful(lesson.NeuralNetwork):
        def computeGradients(self, X, y):
            yHat = self.forward(X)
            delta3 = -(y - yHat)
            delta2 = (delta3 @ self.W2.T) * self.a2 * (1 - self.a2)
            return np.concatenate(((X.T @ delta2).ravel(), (self.a2.T @ delta3).ravel()))

    report = fastgrad.check(fastgrad.Problem.from_object(Forgetful(), *lesson.data()))
    assert len(report.wrong) == 9


def test_training_lowers_the_cost():
    """BFGS on the verified gradient lowers the cost by much."""
    X, y = lesson.data()
    net = lesson.NeuralNetwork()
    before = net.costFunction(X, y)
    lesson.train(net, X, y)
    assert net.costFunction(X, y) < before / 1000


def test_lesson_command(capsys):
    """`fastgrad demo lesson` succeeds and shows all three steps."""
    assert main(["demo", "lesson", "--jobs", "1"]) == 0
    out = capsys.readouterr().out
    assert all(step in out for step in ("(a)", "(b)", "(c)", "agree"))
