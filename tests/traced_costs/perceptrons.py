"""Networks of dense layers: a dict of blocks, and one flat vector that the cost cuts and reshapes."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np

from traced_costs.case import Case


def blocks_of(sizes, seed=0):
    """Weights (inputs, outputs) and biases by name."""
    rng = np.random.default_rng(seed)
    found = {}
    for k, (inputs, outputs) in enumerate(pairwise(sizes)):
        found[f"W{k + 1}"] = rng.normal(size=(inputs, outputs)) / np.sqrt(inputs)
        found[f"b{k + 1}"] = 0.1 * rng.normal(size=outputs)
    return found


def batch_of(sizes, samples, seed=1):
    """Inputs, and labels of classes."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(samples, sizes[0])), rng.integers(0, sizes[-1], samples)


def relu(z):
    """The larger of z and 0."""
    return np.maximum(z, 0)


def cross_entropy(scores, labels):
    """The mean over samples of minus the log of the softmax at the label."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels]
    return losses.mean()


def cross_entropy_slope(scores, labels):
    """Its derivative by the scores."""
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(labels)), labels] -= 1
    return p / len(labels)


def network_cost(params, X, labels, activation=np.tanh):
    """A network of dense layers with an activation between and softmax cross-entropy behind."""
    layers = len(params) // 2
    a = X
    for k in range(1, layers + 1):
        z = a @ params[f"W{k}"] + params[f"b{k}"]
        a = activation(z) if k < layers else z
    return cross_entropy(a, labels)


def network_gradient(params, X, labels, activation=np.tanh, mistake=False):
    """Back-propagation. The mistake: the last but one bias gets the mean over samples instead of the sum."""
    layers = len(params) // 2
    a, kept = X, [X]
    for k in range(1, layers + 1):
        z = a @ params[f"W{k}"] + params[f"b{k}"]
        a = activation(z) if k < layers else z
        kept.append(a)
    delta, found = cross_entropy_slope(a, labels), {}
    for k in range(layers, 0, -1):
        found[f"W{k}"] = kept[k - 1].T @ delta
        found[f"b{k}"] = delta.mean(axis=0) if mistake and k == layers - 1 else delta.sum(axis=0)
        if k > 1:
            slope = 1 - kept[k - 1] ** 2 if activation is np.tanh else (kept[k - 1] > 0)
            delta = (delta @ params[f"W{k}"].T) * slope
    return {name: found[name] for name in params}


def cut(theta, sizes):
    """The blocks of a flat vector, reshaped."""
    found, at = {}, 0
    for k, (inputs, outputs) in enumerate(pairwise(sizes)):
        found[f"W{k + 1}"] = theta[at : at + inputs * outputs].reshape(inputs, outputs)
        at += inputs * outputs
        found[f"b{k + 1}"] = theta[at : at + outputs]
        at += outputs
    return found


def flat_cost(theta, X, labels, sizes):
    """The network of one flat vector."""
    return network_cost(cut(theta, sizes), X, labels)


def flat_gradient(theta, X, labels, sizes, mistake=False):
    """Its gradient, put together again. The mistake: one weight matrix is flattened by columns."""
    found = network_gradient(cut(theta, sizes), X, labels)
    if mistake:
        found["W2"] = found["W2"].ravel(order="F")
    return np.concatenate([found[name].ravel() for name in found])


def network(sizes=(6, 5, 4, 3), samples=7, activation=np.tanh):
    """A Case of blocks by name."""
    cost, gradient = network_cost, network_gradient
    if activation is not np.tanh:
        cost, gradient = (partial(f, activation=activation) for f in (cost, gradient))
    name = "network of blocks, " + activation.__name__
    return Case(name, cost, gradient, blocks_of(sizes), batch_of(sizes, samples))


def flat_network(sizes=(6, 5, 4, 3), samples=7):
    """A Case of one flat vector."""
    theta = np.concatenate([block.ravel() for block in blocks_of(sizes).values()])
    return Case("flat vector, cut", flat_cost, flat_gradient, theta, (*batch_of(sizes, samples), sizes))


CASES = [network(), network(activation=relu), flat_network()]
