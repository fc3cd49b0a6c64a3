"""Networks: back-propagation agrees with differences, and what does not fit is refused."""

from __future__ import annotations

import numpy as np
import pytest
from network_cases import CE, FLAT, LABELS, NETWORKS, REAL, dense, parameters_of

import fastgrad
from fastgrad import (
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    HalfSquaredError,
    InputError,
    LogisticLoss,
    Network,
    Residual,
    Tanh,
)


@pytest.mark.parametrize(
    ("net", "X", "Y"), NETWORKS, ids=lambda v: str(v)[:60] if isinstance(v, Network) else ""
)
class TestBackPropagation:
    def test_agrees_with_differences(self, net, X, Y):
        """Back-propagation agrees with plain differences of the forward pass, at every coordinate."""
        report = fastgrad.check(net.problem(parameters_of(net), X, Y), engine="python")
        assert report.verdict == "agree"
        assert report.relative_error < 1e-8

    def test_a_bug_is_found(self, net, X, Y):
        """A gradient that is 0.1% off in its last block is called wrong there and nowhere else."""
        p = parameters_of(net)
        spoiled = net.gradient(p, X, Y)
        last = list(spoiled)[-1]
        spoiled[last] = spoiled[last] * 1.001
        report = fastgrad.check(net.problem(p, X, Y, gradient=spoiled), engine="python")
        assert {f.block for f in report.wrong} == {last}

    def test_float32(self, net, X, Y):
        """A float32 network keeps its dtype and agrees with the float64 one to float32's accuracy."""
        p, p32 = parameters_of(net), parameters_of(net, np.float32)
        x32 = X if X.dtype.kind == "i" else X.astype(np.float32)
        assert net.cost(p32, x32, Y) == pytest.approx(net.cost(p, X, Y), rel=1e-4)
        g, g32 = net.gradient(p, X, Y), net.gradient(p32, x32, Y)
        assert {v.dtype for v in g32.values()} == {np.dtype(np.float32)}
        assert fastgrad.relative_error(g, g32) < 1e-4


NET = dense(Tanh())
GOOD = NET.initial_parameters()

REFUSED = [
    (lambda: Network([Dense(5, 4), Tanh(), Dense(3, 2)], CE), r"layer 2 does not fit layer 1, Tanh\(\),"),
    (lambda: Network([], CE), "a network has at least one layer"),
    (lambda: Network([Dense(5, 3)], CE, l2=-1), "l2 must be a finite number >= 0; got -1"),
    (lambda: Dropout(1.0), "a rate from 0 to below 1; got 1.0"),
    (
        lambda: NET.problem(GOOD, np.ones((6, 4)), LABELS),
        "layer 0 does not fit the input: .* 5 features",
    ),
    (lambda: NET.problem(GOOD, np.ones((0, 5)), LABELS), r"the batch is empty: X has shape \(0, 5\)"),
    (
        lambda: NET.problem(GOOD, FLAT, LABELS[:5]),
        r"labels of shape \(6,\); got int64 of shape \(5,\)",
    ),
    (lambda: NET.problem(GOOD, FLAT, LABELS + 1), "labels from 0 to 2; the label of sample . is 3"),
    (lambda: NET.problem(GOOD, FLAT, REAL[:, 0]), r"integer labels of shape \(6,\); got float64"),
    (
        lambda: dense(Tanh(), HalfSquaredError()).problem(GOOD, FLAT, LABELS),
        r"targets of the outputs' shape \(6, 3\)",
    ),
    (lambda: dense(Tanh(), LogisticLoss()).problem(GOOD, FLAT, REAL * 9), "targets from 0 to 1; got -"),
    (lambda: NET.problem({k: v for k, v in GOOD.items() if k != "0.bias"}, FLAT, LABELS), "missing: 0.bias"),
    (lambda: NET.problem(GOOD | {"9.weight": FLAT}, FLAT, LABELS), "not of this network: 9.weight"),
    (
        lambda: NET.problem(GOOD | {"0.bias": np.ones(3)}, FLAT, LABELS),
        r"0.bias must have shape \(4,\); got shape \(3,\)",
    ),
    (lambda: Embedding(7, 4).forward({}, np.array([[7]])), "integers from 0 to 6; got int64 from 7 to 7"),
    (lambda: Conv2D(1, 2, 5).output_shape((1, 3, 3)), "no window of it does"),
    (lambda: Conv2D(2, 2, 3).output_shape((1, 9, 9)), r"images of shape \(2, height, width\)"),
    (lambda: Residual([Dense(4, 3)]).output_shape((4,)), "it must keep the shape"),
]


@pytest.mark.parametrize(("attempt", "message"), REFUSED)
def test_refused(attempt, message):
    """What does not fit is refused before any work, with what was expected and what came."""
    with pytest.raises(InputError, match=message):
        attempt()
