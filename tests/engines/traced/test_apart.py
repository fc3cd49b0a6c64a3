"""Where samples stay apart."""

import numpy as np
import pytest
from traced_cases import NET, X, Y, batch_of, net, net_with_penalty, softmax_loss, transposed_net

from fastgrad.engines.traced.apart import Axis, _beside, interior_of
from fastgrad.engines.traced.recorder import record
from fastgrad.problem.parameters import Parameters

Z1 = {"W1": NET["W1"]}


def interior(cost, params=None, axis=0):
    """The interior after the first product of a cost."""
    tape = batch_of(cost, Z1 if params is None else params).tape
    z = next(o.outputs[0] for o in tape.operations if o.function in (np.matmul, np.dot))
    return interior_of(tape, z, Axis(axis, np.arange(tape.base[z].shape[axis])))


@pytest.mark.parametrize(("cost", "axis"), [(net, 0), (net_with_penalty, 0), (transposed_net, 1)])
def test_of_networks(cost, axis):
    """Samples stay apart from the first layer to the mean over them, in rows as in columns."""
    found = interior(cost, NET, axis)
    assert len(found.ends) == 1
    assert len(found.positions) > 8


APART = {
    "rows by Python's sum": lambda p: 0.5 * sum((Y[:, :1] - np.tanh(X @ p["W1"])[:, :1]) ** 2),
    "a dot of all": lambda p: np.dot((X @ p["W1"]).ravel(), np.arange(60.0)),
    "chosen by label": lambda p: np.sum(np.tanh(X @ p["W1"])[np.arange(12), np.arange(12) % 5]),
    "sorted in each row": lambda p: np.sum(np.sort(X @ p["W1"], axis=1)[:, 0] ** 2),
    "transposed and back": lambda p: np.sum((np.tanh((X @ p["W1"]).T) * 2).T ** 2),
    "two sums": lambda p: (lambda z: np.mean(np.tanh(z)) * np.sum(z**2))(X @ p["W1"]),
    "a stack of rows": lambda p: np.sum(np.concatenate([X, np.tanh(X @ p["W1"])], axis=1) ** 2),
}


@pytest.mark.parametrize("name", APART)
def test_apart(name):
    """Samples that stay apart are seen to."""
    found = interior(APART[name])
    assert found is not None
    assert len(found.ends) == (2 if name == "two sums" else 1)


MIXED = {
    "centred over samples": lambda p: np.sum(np.tanh((lambda z: z - z.mean(axis=0))(X @ p["W1"])) ** 2),
    "divided by the total": lambda p: np.sum((lambda z: z / np.sum(z))(np.exp(X @ p["W1"])) ** 2),
    "times the total": lambda p: (lambda z: np.sum(z * np.sum(z**2)))(X @ p["W1"]),
    "samples multiplied": lambda p: np.sum((lambda z: z @ z.T)(X @ p["W1"]) ** 2),
    "sorted over samples": lambda p: np.sum(np.sort(X @ p["W1"], axis=0)[:3]),
    "summed up along samples": lambda p: np.sum(np.cumsum(X @ p["W1"], axis=0) ** 2),
    "the largest of all": lambda p: np.max(X @ p["W1"]),
    "neighbours": lambda p: np.sum((lambda z: z[1:] * z[:-1])(X @ p["W1"])),
    "reversed": lambda p: np.sum((lambda z: z * z[::-1])(X @ p["W1"])),
    "reshaped across": lambda p: np.sum(np.prod((X @ p["W1"]).reshape(5, 12), axis=1)),
    "scaled by the norm of all": lambda p: (lambda z: softmax_loss(z[:, :3] * np.linalg.norm(z)))(
        X @ p["W1"]
    ),
}


@pytest.mark.parametrize("name", MIXED)
def test_mixed(name):
    """Samples that meet before the sum are seen to, so that nothing is taken for apart that is not."""
    assert interior(MIXED[name]) is None


def test_a_second_argument_that_is_no_axis():
    """np.partition(z, 1, 0) works along the samples, whatever else its arguments are: none stands apart."""
    tape = record(lambda w: np.sum(np.partition(X @ w, 1, 0)), Parameters(np.ones((6, 4))), ())
    z = tape.operations[0].outputs[0]
    mixed = Axis(0, np.arange(12))
    assert _beside(tape, tape.operations[1], {z: mixed}) is None
    tape = record(lambda w: np.sum(np.sort(X @ w, 1)), Parameters(np.ones((6, 4))), ())
    assert _beside(tape, tape.operations[1], {z: mixed}) is mixed
