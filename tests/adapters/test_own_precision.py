"""A gradient in its own precision beside the certified one: rounding passes, errors do not."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.adapters.own_precision import (
    EPSILONS,
    LAST_DIGITS,
    NEARBY,
    OwnGradient,
    nearby,
    scatter_of,
    with_own_precision,
)
from fastgrad.problem.parameters import Parameters

SIZE = 400


def cost(params):
    """A cost whose gradient nearly cancels at some entries."""
    return float(np.sum(np.sin(params["W"])) + np.sum(params["b"] ** 4))


def gradient(params):
    """Its gradient, computed in the dtype of the parameters; the last term cancels but for rounding."""
    one = params["W"].dtype.type(1000)
    return {"W": (np.cos(params["W"]) + one) - one, "b": 4 * params["b"] ** 3}


@pytest.fixture
def params():
    """Parameters that are numbers of float32."""
    rng = np.random.default_rng(0)
    single = {"W": rng.standard_normal((SIZE // 4, 3)), "b": rng.standard_normal(SIZE // 4)}
    return {name: leaf.astype(np.float32).astype(np.float64) for name, leaf in single.items()}


def flat(structure):
    """All numbers of a gradient as one float64 vector."""
    return np.concatenate([leaf.reshape(-1).astype(np.float64) for leaf in structure.values()])


def in_single(function, params):
    """What a gradient function returns in float32."""
    return flat(function({name: leaf.astype(np.float32) for name, leaf in params.items()}))


def deviations(function, params):
    """Of a gradient function in float32 at points nearby."""
    rng = np.random.default_rng(1)
    for k in range(NEARBY):
        there = {name: nearby(leaf, "float32", k, rng).astype(np.float32) for name, leaf in params.items()}
        exact = {name: leaf.astype(np.float64) for name, leaf in there.items()}
        yield flat(function(there)) - flat(gradient(exact))


def checked(function, params, with_scatter=True):
    """The report of a right gradient in float64 and another one in float32."""
    report = fastgrad.check_gradient(cost, gradient, params)
    scatter, degrees = scatter_of(deviations(function, params)) if with_scatter else (None, 0)
    own = OwnGradient(
        "autograd",
        ["float32", "float32"],
        in_single(function, params),
        flat(gradient(params)),
        scatter,
        degrees,
    )
    return with_own_precision(report, Parameters(params), own)


def wrong_at(name, index, factor):
    """The gradient with one entry off by a factor."""

    def wrong(params):
        found = gradient(params)
        found[name][index] *= found[name].dtype.type(factor)
        return found

    return wrong


def test_rounding_agrees_and_both_precisions_are_said(params):
    """What rounding explains passes, though it is a thousand times that of an entry by itself."""
    report = checked(gradient, params)
    assert report.passed
    assert report.witnesses[0].startswith("autograd in float64: agree; in float32: agree to ")


def test_an_error_of_one_percent_in_one_entry_is_found(params):
    """The twin: one entry of 400 off by 1% disagrees, is named, and float64 is still said to agree."""
    report = checked(wrong_at("W", (17, 2), 1.01), params)
    assert report.verdict == "disagree"
    assert [f.label for f in report.wrong] == ["W[17, 2]"]
    assert "W[17, 2]" in str(report).splitlines()[0]
    assert report.witnesses[0].startswith("autograd in float64: agree; in float32: disagree, 1 of 400 ")
    assert report.coverage.checked == SIZE


def test_one_entry_that_cancels_more_than_the_others_agrees(params):
    """An entry whose rounding is its own, and shows from point to point, is not called wrong."""
    at = int(np.argmax(np.abs(params["b"])))

    def loses(params):
        found = gradient(params)
        large = found["b"].dtype.type(1e4) * params["b"][at] ** 3
        found["b"][at] = (found["b"][at] + large) - large
        return found

    off = np.abs(in_single(loses, params) - flat(gradient(params)))[SIZE // 4 * 3 + at]
    assert off > 1e-5 * abs(gradient(params)["b"][at])
    assert checked(loses, params).passed


def test_rounding_that_hides_the_gradient_is_undecided(params):
    """Of a gradient that loses its digits in float32, each time others, it is not said that it is right."""
    rng = np.random.default_rng(2)

    def lost(params):
        found = gradient(params)
        return {"W": found["W"] + 3 * rng.standard_normal(found["W"].shape), "b": found["b"]}

    report = checked(lost, params)
    assert report.verdict == "undecided"
    assert "in float32: undecided, rounding leaves" in report.doubt
    assert report.doubt_reference == "FG513"


def test_without_points_nearby_sums_are_allowed_their_rounding(params):
    """Values alone are allowed the rounding of sums of typical terms, and 1% is still wrong."""

    def few_roundings(params):
        return {"W": np.cos(params["W"]), "b": 4 * params["b"] ** 3}

    assert checked(few_roundings, params, with_scatter=False).passed
    assert not checked(wrong_at("b", 5, 1.01), params, with_scatter=False).passed


def test_what_is_not_finite_in_the_own_precision_is_wrong(params):
    """An overflow in float32 disagrees."""
    assert checked(wrong_at("b", 5, np.inf), params).verdict == "disagree"


def test_a_wrong_float64_gradient_keeps_its_report(params):
    """Where the float64 gradient is wrong the report is about that one, and says the other."""
    report = fastgrad.check_gradient(cost, wrong_at("b", 5, 1.5), params)
    own = in_single(wrong_at("b", 5, 1.5), params)
    found = with_own_precision(report, Parameters(params), OwnGradient("autograd", ["float32"] * 2, own, own))
    assert found.wrong is report.wrong
    assert found.witnesses[0].startswith("autograd in float64: disagree; in float32: agree")


def test_points_nearby_stay_near():
    """A point nearby is a few last digits away at most where these are large; zeros stay."""
    moved = nearby(np.array([1.0, 0.0, -2.0]), "bfloat16", 0, np.random.default_rng(0))
    assert 0 < np.abs(moved - [1, 0, -2]).max() <= 2 * LAST_DIGITS * EPSILONS["bfloat16"]
    assert moved[1] == 0


def test_scatter_needs_two_points():
    """One finite deviation has no scatter."""
    assert scatter_of([np.ones(3), np.full(3, np.nan)]) == (None, 0)
