"""Reports on a small problem."""

from __future__ import annotations

import functools

import numpy as np

import fastgrad


def linear(slopes):
    """A cost whose gradient is `slopes` everywhere, block by block: one product for all blocks together."""
    flat = np.concatenate(list(slopes.values()), axis=None)

    def cost(p):
        return float(np.concatenate([p[name] for name in slopes], axis=None) @ flat)

    return cost


def report_of(planted, sizes=(("W", (2, 3)), ("b", (3,))), **options):
    """The report on a gradient of ones with errors at some places: {block: {index: added}}."""
    params = {name: np.zeros(shape) for name, shape in sizes}
    right = {name: np.ones(shape) for name, shape in sizes}
    claimed = {name: g.copy() for name, g in right.items()}
    for name, errors in planted.items():
        for index, error in errors.items():
            claimed[name][index] += error
    return fastgrad.check_gradient(linear(right), claimed, params, **options)


def log_cost(p):
    """A cost that is NaN below zero."""
    with np.errstate(invalid="ignore"):
        return float(p["a"][0] + np.sqrt(p["a"][1]))


def undecided_report():
    """The report on a cost that is not finite beside a[1] = 0."""
    return fastgrad.check_gradient(log_cost, {"a": np.ones(2)}, {"a": np.array([1.0, 0.0])})


@functools.cache
def agreeing():
    """The report on a right gradient."""
    return report_of({})


@functools.cache
def wrong():
    """The report on a gradient with three wrong entries."""
    return report_of({"W": {(1, 2): 0.5, (0, 1): 8.0}, "b": {2: -0.25}})


def row(report, start):
    """The words of the line of the text that starts with these."""
    [line] = [line for line in str(report).splitlines() if line.startswith(start)]
    return line.split()


def undecided_report_of_nothing():
    """The report on the one coordinate whose difference is not finite."""
    return fastgrad.check_gradient(log_cost, {"a": np.ones(2)}, {"a": np.array([1.0, 0.0])}, coordinates=[1])
