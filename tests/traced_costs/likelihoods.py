"""Regressions, a Gaussian process, a mixture, k-means."""

from __future__ import annotations

import numpy as np
import scipy.linalg
from scipy.special import gammaln, logsumexp

from traced_costs.case import Case

# w: (features,) or (features, classes); X: (samples, features)


def logistic_cost(w, X, y):
    """Minus the log-likelihood of labels 0 and 1, with a penalty."""
    z = X @ w
    return np.sum(np.logaddexp(0, z) - y * z) + 0.5 * w @ w


def logistic_gradient(w, X, y, mistake=False):
    """Its gradient. The mistake: the intercept, column 0, is left out of the penalty."""
    slope = X.T @ (1 / (1 + np.exp(-X @ w)) - y) + w
    if mistake:
        slope[0] -= w[0]
    return slope


def logistic(samples=30, features=5):
    """A Case of logistic regression."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(samples, features))
    X[:, 0] = 1
    w = rng.normal(size=features) / np.sqrt(features)
    y = (rng.random(samples) < 1 / (1 + np.exp(-X @ w))).astype(float)
    return Case("logistic regression", logistic_cost, logistic_gradient, w, (X, y))


def poisson_cost(w, X, y):
    """Minus the log-likelihood of counts."""
    eta = np.dot(X, w)
    return float((np.exp(eta) - y * eta + gammaln(y + 1)).sum())


def poisson_gradient(w, X, y, mistake=False):
    """Its gradient. The mistake: one sample is left out."""
    r = np.exp(X @ w) - y
    return X[:-1].T @ r[:-1] if mistake else X.T @ r


def poisson():
    """A Case of Poisson regression."""
    rng = np.random.default_rng(0)
    X, w = rng.normal(size=(20, 4)), 0.3 * rng.normal(size=4)
    return Case(
        "Poisson regression", poisson_cost, poisson_gradient, w, (X, rng.poisson(np.exp(X @ w)) * 1.0)
    )


def multinomial_cost(W, X, onehot):
    """Minus the log-likelihood of classes, one of them written as 1 among zeros."""
    scores = X @ W
    return np.sum(logsumexp(scores, axis=1) - np.sum(scores * onehot, axis=1))


def multinomial_gradient(W, X, onehot, mistake=False):
    """Its gradient. The mistake: the softmax is over samples for the last class."""
    e = np.exp(X @ W)
    p = e / e.sum(axis=1, keepdims=True)
    if mistake:
        p[:, -1] = e[:, -1] / e[:, -1].sum()
    return X.T @ (p - onehot)


def multinomial():
    """A Case of multinomial regression."""
    rng = np.random.default_rng(0)
    args = (rng.normal(size=(15, 4)), np.eye(3)[rng.integers(0, 3, 15)])
    W = rng.normal(size=(4, 3))
    return Case("multinomial regression", multinomial_cost, multinomial_gradient, W, args)


def covariance(theta, X):
    """Squared exponential: theta = log of signal variance, of length scales, of noise variance."""
    scaled = X / np.exp(theta[1:-1])
    squares = np.sum((scaled[:, None, :] - scaled[None, :, :]) ** 2, axis=2)
    return np.exp(theta[0]) * np.exp(-0.5 * squares) + np.exp(theta[-1]) * np.eye(len(X))


def process_cost(theta, X, y):
    """Minus the log marginal likelihood, by NumPy's cholesky and solve."""
    L = np.linalg.cholesky(covariance(theta, X))
    alpha = np.linalg.solve(L.T, np.linalg.solve(L, y))
    return 0.5 * y @ alpha + np.sum(np.log(np.diag(L))) + 0.5 * len(y) * np.log(2 * np.pi)


def scipy_process_cost(theta, X, y):
    """The same by SciPy's cho_factor, cho_solve and solve_triangular."""
    factor, lower = scipy.linalg.cho_factor(covariance(theta, X), lower=True)
    alpha = scipy.linalg.cho_solve((factor, lower), y)
    whitened = scipy.linalg.solve_triangular(factor, y, lower=True)
    fit = 0.25 * whitened.dot(whitened) + 0.25 * y @ alpha
    return fit + np.log(factor.diagonal()).sum() + 0.5 * len(y) * np.log(2 * np.pi)


def process_gradient(theta, X, y, mistake=False):
    """Its gradient. The mistake: the noise's derivative lacks the chain through the logarithm."""
    K = covariance(theta, X)
    inverse = np.linalg.inv(K)
    alpha = inverse @ y
    signal = K - np.exp(theta[-1]) * np.eye(len(X))
    squares = [(X[:, None, d] - X[None, :, d]) ** 2 for d in range(X.shape[1])]
    parts = [signal, *(signal * s / np.exp(2 * theta[1 + d]) for d, s in enumerate(squares))]
    parts.append((1.0 if mistake else np.exp(theta[-1])) * np.eye(len(X)))
    return np.array([0.5 * np.sum((inverse - np.outer(alpha, alpha)) * part) for part in parts])


def process(points=12, cost=process_cost):
    """A Case of a Gaussian process with five hyperparameters."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(points, 3))
    y = np.sin(2 * X[:, 0]) + 0.1 * rng.normal(size=points)
    theta = np.array([0.2, -0.3, 0.1, 0.4, -2.0])
    name = "Gaussian process" + (" by SciPy" if cost is scipy_process_cost else "")
    return Case(name, cost, process_gradient, theta, (X, y))


def mixture_cost(params, X):
    """Minus the log-likelihood of a mixture of round Gaussians."""
    log_weights = params["logits"] - logsumexp(params["logits"])
    squares = ((X[:, None, :] - params["means"]) ** 2).sum(axis=-1)
    d = X.shape[1]
    inside = log_weights - 0.5 * squares * np.exp(-2 * params["log_sigma"]) - d * params["log_sigma"]
    return -np.sum(logsumexp(inside, axis=1))


def mixture_gradient(params, X, mistake=False):
    """Its gradient. The mistake: d is taken as 1 in the widths."""
    weights = np.exp(params["logits"] - logsumexp(params["logits"]))
    off = X[:, None, :] - params["means"]
    squares, precision = (off**2).sum(axis=-1), np.exp(-2 * params["log_sigma"])
    d = X.shape[1]
    inside = np.log(weights) - 0.5 * squares * precision - d * params["log_sigma"]
    r = np.exp(inside - logsumexp(inside, axis=1, keepdims=True))
    return {
        "logits": len(X) * weights - r.sum(axis=0),
        "means": -np.einsum("nk,nkd->kd", r, off) * precision[:, None],
        "log_sigma": -(r * (squares * precision - (1 if mistake else d))).sum(axis=0),
    }


def mixture():
    """A Case of a mixture."""
    rng = np.random.default_rng(0)
    params = {
        "logits": rng.normal(size=3),
        "means": rng.normal(size=(3, 2)),
        "log_sigma": 0.2 * rng.normal(size=3),
    }
    return Case("mixture by logsumexp", mixture_cost, mixture_gradient, params, (rng.normal(size=(12, 2)),))


def k_means_cost(centres, X):
    """The sum of squared distances to the nearest centre."""
    distances = np.sum((X[:, np.newaxis] - centres[np.newaxis]) ** 2, axis=2)
    return np.min(distances, axis=1).sum()


def k_means_gradient(centres, X, mistake=False):
    """Its gradient. The mistake: the first sample is counted with the centre after its own."""
    nearest = ((X[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
    if mistake:
        nearest[0] = (nearest[0] + 1) % len(centres)
    found = np.zeros_like(centres)
    np.add.at(found, nearest, 2 * (centres[nearest] - X))
    return found


def k_means():
    """A Case of k-means."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, 2))
    return Case("k-means", k_means_cost, k_means_gradient, centres, (rng.normal(size=(15, 2)),))


CASES = [
    logistic(),
    poisson(),
    multinomial(),
    process(),
    process(cost=scipy_process_cost),
    mixture(),
    k_means(),
]
