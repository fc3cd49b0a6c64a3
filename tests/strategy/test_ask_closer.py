"""All differences once more at a far smaller step."""

import numpy as np

import fastgrad


def bump(x):
    """A sine, with a narrow feature at the parameters that changes every slope there."""
    return np.sin(x) + 1e-4 * np.tanh((x - 1.0) / 1e-4)


def slope(x):
    """Of `bump`."""
    return np.cos(x) + 1 / np.cosh((x - 1.0) / 1e-4) ** 2


X = np.ones(64)


def test_narrow_feature():
    """A narrow feature that differences at their own steps pass over is found closer by."""
    report = fastgrad.check_vjp(bump, lambda x, u: u * slope(x), X)
    assert report.engine == "columns"
    assert report.verdict == "agree"


def test_narrow_feature_left_out():
    """A claim without it is wrong."""
    assert fastgrad.check_vjp(bump, lambda x, u: u * np.cos(x), X).verdict == "disagree"


def test_sentence():
    """The report says at what part of the steps the differences are the same."""
    report = fastgrad.check_vjp(np.sin, lambda x, u: u * np.cos(x), np.linspace(0.1, 2.0, 64))
    assert "the differences are the same at" in report.witnesses[0]


def test_budget():
    """Without room it asks nothing."""
    report = fastgrad.check_vjp(
        np.sin, lambda x, u: u * np.cos(x), np.linspace(0.1, 2.0, 64), max_evaluations=300
    )
    assert not report.witnesses
    assert report.evaluations <= 300
