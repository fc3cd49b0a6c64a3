"""Gradients of scikit-learn and scipy, as their own optimisers use them."""

from __future__ import annotations

import warnings

import numpy as np
from scipy import stats
from scipy.optimize import rosen, rosen_der
from scipy.special import digamma, gammaln, multigammaln
from sklearn._loss.loss import (
    ExponentialLoss,
    HalfBinomialLoss,
    HalfGammaLoss,
    HalfMultinomialLoss,
    HalfPoissonLoss,
    HalfSquaredError,
    HalfTweedieLoss,
    HuberLoss,
    PinballLoss,
)
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, RationalQuadratic, WhiteKernel
from sklearn.linear_model._linear_loss import LinearModelLoss
from sklearn.neural_network import MLPClassifier, MLPRegressor

from corpus.cases import Case


def _linear(name, loss, y, seed, dtype=np.float64, **case):
    """A generalised linear model with an intercept and a penalty; the parameters are one array."""
    rng = np.random.default_rng(seed)
    model = LinearModelLoss(base_loss=loss, fit_intercept=True)
    X = rng.normal(size=(len(y), 4)).astype(dtype)
    classes = loss.n_classes if loss.is_multiclass else 1
    coef = (0.5 * rng.normal(size=(classes, 5) if loss.is_multiclass else 5)).astype(dtype)

    def cost(w, X, y):
        return model.loss(w, X, y, l2_reg_strength=0.1)

    def gradient(w, X, y):
        return np.ascontiguousarray(model.loss_gradient(w, X, y, l2_reg_strength=0.1)[1])

    return Case(f"scikit-learn: {name}", cost, gradient, coef, (X, y.astype(dtype)), **case)


def linear_cases():
    """LinearModelLoss over the losses of scikit-learn."""
    rng = np.random.default_rng(301)
    real, positive = rng.normal(size=30), rng.gamma(2.0, size=30)
    binary, counts = (rng.random(30) < 0.5).astype(float), rng.poisson(2.0, 30).astype(float)
    yield _linear("half squared error", HalfSquaredError(), real, 302)
    yield _linear("half binomial loss", HalfBinomialLoss(), binary, 303)
    yield _linear("half binomial loss in float32", HalfBinomialLoss(), binary, 304, np.float32)
    yield _linear("half multinomial loss", HalfMultinomialLoss(n_classes=3), rng.integers(0, 3, 30), 305)
    yield _linear("half Poisson loss", HalfPoissonLoss(), counts, 306)
    yield _linear("half gamma loss", HalfGammaLoss(), positive, 307)
    yield _linear("half Tweedie loss", HalfTweedieLoss(power=1.5), positive, 308)
    yield _linear("exponential loss", ExponentialLoss(), binary, 309)
    yield _linear("Huber loss", HuberLoss(quantile=0.8, delta=0.7), real, 310)
    yield _linear("pinball loss", PinballLoss(quantile=0.3), real, 311)


def _perceptron(name, model, y, seed):
    """The loss and gradient that MLPClassifier gives to L-BFGS, through its private methods."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(12, 4))
    model.set_params(max_iter=1, tol=0.0, random_state=seed, solver="adam", batch_size=12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one iteration does not converge
        model.fit(X, y)
    start = [*model.coefs_, *model.intercepts_]
    layers = len(model.coefs_)
    if hasattr(model, "_label_binarizer"):
        y = model._label_binarizer.transform(y)
    y = np.asarray(y, dtype=float).reshape(12, -1)

    def loss_and_gradient(p):
        model.coefs_, model.intercepts_ = list(p[:layers]), list(p[layers:])
        activations = [X, *(np.empty((12, len(b))) for b in model.intercepts_)]
        deltas = [np.empty_like(a) for a in activations[1:]]
        grads = [np.empty_like(c) for c in model.coefs_], [np.empty_like(b) for b in model.intercepts_]
        activations = model._forward_pass(activations)
        loss, coefs, intercepts = model._backprop(X, y, None, activations, deltas, *grads)
        return loss, [*coefs, *intercepts]

    params = [block + 0.1 * rng.normal(size=block.shape) for block in start]
    return Case(
        f"scikit-learn: {name}", lambda p: loss_and_gradient(p)[0], lambda p: loss_and_gradient(p)[1], params
    )


def perceptron_cases():
    """The multi-layer perceptrons of scikit-learn."""
    rng = np.random.default_rng(320)
    yield _perceptron(
        "MLPClassifier",
        MLPClassifier(hidden_layer_sizes=(5,), activation="tanh", alpha=0.1),
        np.arange(12) % 3,
        321,
    )
    yield _perceptron(
        "MLPClassifier with relu",
        MLPClassifier(hidden_layer_sizes=(6, 4), alpha=0.01),
        np.arange(12) % 2,
        322,
    )
    yield _perceptron(
        "MLPRegressor",
        MLPRegressor(hidden_layer_sizes=(5,), activation="logistic", alpha=0.1),
        rng.normal(size=12),
        323,
    )


def _process(name, kernel, seed):
    rng = np.random.default_rng(seed)
    X, y = rng.uniform(0, 4, (15, 2)), rng.normal(size=15)
    model = GaussianProcessRegressor(kernel, optimizer=None).fit(X, y)
    return Case(
        f"scikit-learn: Gaussian process, {name}",
        lambda theta: -model.log_marginal_likelihood(theta),
        lambda theta: -model.log_marginal_likelihood(theta, eval_gradient=True)[1],
        kernel.theta + 0.1 * rng.normal(size=len(kernel.theta)),
    )


def process_cases():
    """Log marginal likelihoods of scikit-learn."""
    yield _process("RBF", ConstantKernel(1.5) * RBF([0.8, 1.2]) + WhiteKernel(0.1), 331)
    yield _process("Matern", Matern([0.8, 1.1], nu=1.5) + WhiteKernel(0.1), 332)
    yield _process("rational quadratic", RationalQuadratic(0.9, 0.7) + WhiteKernel(0.2), 333)


def scipy_cases():
    """Scores of scipy's distributions by its special functions."""
    rng = np.random.default_rng(340)
    x = rng.gamma(2.0, 1.5, 25)
    yield Case("scipy: Rosenbrock at its minimum", rosen, rosen_der, np.ones(6), why="all zero")
    yield Case(
        "scipy: gamma likelihood",
        lambda p: -np.sum(stats.gamma.logpdf(x, np.exp(p[0]), scale=np.exp(p[1]))),
        lambda p: (
            -np.array(
                [
                    np.exp(p[0]) * np.sum(np.log(x) - p[1] - digamma(np.exp(p[0]))),
                    np.sum(x / np.exp(p[1]) - np.exp(p[0])),
                ]
            )
        ),
        np.array([0.4, 0.2]),
    )
    simplex = rng.dirichlet([1.0, 2.0, 3.0, 0.7], 20)
    yield Case(
        "scipy: Dirichlet likelihood",
        lambda a: len(simplex) * (np.sum(gammaln(a)) - gammaln(a.sum())) - np.sum((a - 1) * np.log(simplex)),
        lambda a: len(simplex) * (digamma(a) - digamma(a.sum())) - np.sum(np.log(simplex), axis=0),
        np.array([0.8, 1.7, 3.3, 0.5]),
    )
    yield Case(
        "scipy: multivariate gamma",
        lambda a: multigammaln(a[0], 4),
        lambda a: np.array([np.sum(digamma(a[0] - np.arange(4) / 2))]),
        np.array([3.7]),
    )
    t = rng.standard_t(4, 30)
    yield Case(
        "scipy: Student likelihood",
        lambda p: -np.sum(stats.t.logpdf(t, 4.0, loc=p[0], scale=p[1])),
        lambda p: _student_score(t, *p),
        np.array([0.2, 1.3]),
    )
    S = np.array([[2.0, 0.3], [0.3, 0.7]])
    z = rng.normal(size=(12, 2))
    yield Case(
        "scipy: multivariate normal likelihood",
        lambda m: -np.sum(stats.multivariate_normal.logpdf(z, m, S)),
        lambda m: -np.linalg.solve(S, np.sum(z - m, axis=0)),
        np.array([0.3, -0.4]),
    )


def _student_score(t, loc, scale):
    u = (t - loc) / scale
    psi = 5 * u / (4 + u**2)
    return -np.array([np.sum(psi), np.sum(psi * u - 1)]) / scale


REAL = [*linear_cases(), *perceptron_cases(), *process_cases(), *scipy_cases()]
