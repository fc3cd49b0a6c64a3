"""Gradients of scikit-learn, SciPy and NumPy, in units and precisions as their users have them."""

from __future__ import annotations

import warnings
from functools import partial

import numpy as np
from scipy import special
from scipy.interpolate import CubicSpline
from scipy.linalg import expm, expm_frechet
from sklearn._loss.loss import HalfBinomialLoss, HalfGammaLoss, HalfPoissonLoss
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.linear_model._huber import _huber_loss_and_gradient
from sklearn.linear_model._linear_loss import LinearModelLoss
from sklearn.manifold._t_sne import _kl_divergence
from sklearn.neighbors import NeighborhoodComponentsAnalysis
from sklearn.neural_network import MLPClassifier

from corpus.cases import Case
from corpus.digits import EXACT, by_complex_step, by_digits
from corpus.mixed_units import people, verified
from corpus.nets import log_softmax
from corpus.twins import small_and_large, wrong_at, wrong_block

F32 = np.float32


# Linear models of scikit-learn without scaling of the columns


def linear(name, loss, in_digits, X, y, w, **case):
    """LinearModelLoss; the cost in digits is written out by hand."""
    model = LinearModelLoss(base_loss=loss, fit_intercept=True)
    X, y = np.ascontiguousarray(X), np.ascontiguousarray(y, dtype=X.dtype)

    def cost(w):
        return model.loss(w, X, y)

    def gradient(w):
        return np.ascontiguousarray(model.loss_gradient(w, X, y)[1])

    def exactly(w):
        return np.sum(in_digits(X @ w[:-1] + w[-1], y)) / len(y)

    return verified(f"scikit-learn: {name}", cost, gradient, w, in_digits=exactly, **case)


def linear_cases():
    """Columns of age, income and concentration."""
    X, y = people(30, np.random.default_rng(961))
    w = np.array([0.02, -2e-5, 300.0, 0.1])

    def binomial(z, y):
        return np.log1p(np.exp(z)) - y * z

    def poisson(z, y):
        return np.exp(z) - y * z

    def gamma(z, y):
        return z + y * np.exp(-z)

    yield linear("binomial loss without scaling", HalfBinomialLoss(), binomial, X, y, w)
    counts = np.random.default_rng(962).poisson(2.0, 30)
    yield linear("Poisson loss without scaling", HalfPoissonLoss(), poisson, X, counts, w / 3)
    cost = np.random.default_rng(963).gamma(2.0, 2.0, 30)
    yield linear("gamma loss without scaling", HalfGammaLoss(), gamma, X, cost, w / 2)
    single = {"sees": 1e-2, "exact": 3e-6}
    yield linear(
        "binomial loss without scaling in float32",
        HalfBinomialLoss(),
        binomial,
        X.astype(F32),
        y,
        w.astype(F32),
        why="the sum of the columns of income cancels",
        **single,
    )


def huber_case():
    """Weights, an intercept and a scale of 1e-3."""
    rng = np.random.default_rng(964)
    X, y = rng.normal(size=(25, 3)) * [1, 1e-3, 1e3], 1e-3 * rng.standard_t(2, 25)
    w = np.array([2e-4, -0.3, 1e-7, 1e-4, 1.1e-3])
    few = np.ones(25)

    def both(w):
        return _huber_loss_and_gradient(w, X, y, 1.35, 0.0, few)

    def exactly(w):
        r, s = abs(y - X @ w[:3] - w[3]), w[4]
        return len(y) * s + np.sum(np.where(r > 1.35 * s, 2.7 * r - s * 1.35**2, r**2 / s))

    return verified(
        "scikit-learn: Huber regression of small targets",
        lambda w: both(w)[0],
        lambda w: both(w)[1],
        w,
        in_digits=exactly,
    )


# Gaussian process


def process_case():
    """Length scales from 1e-3 to 1e4, as logarithms in one vector."""
    rng = np.random.default_rng(965)
    X, y = rng.uniform(0, 1, (12, 3)) * [4e-3, 4.0, 4e4], rng.normal(size=12)
    kernel = ConstantKernel(1.3) * RBF([1e-3, 1.0, 1e4]) + WhiteKernel(0.05)
    model = GaussianProcessRegressor(kernel, optimizer=None).fit(X, y)

    def exactly(theta):
        p = np.exp(theta)
        square = sum(((X[:, None, k] - X[None, :, k]) / p[1 + k]) ** 2 for k in range(3))
        K = p[0] * np.exp(-square / 2)
        K[np.arange(12), np.arange(12)] += p[4] + model.alpha
        return _process_likelihood(K, y)

    return verified(
        "scikit-learn: Gaussian process of unlike lengths",
        lambda theta: -model.log_marginal_likelihood(theta),
        lambda theta: -model.log_marginal_likelihood(theta, eval_gradient=True)[1],
        kernel.theta + 0.1 * rng.normal(size=5),
        in_digits=exactly,
        exact=1e-8,
    )


def _process_likelihood(K, y):
    """By elimination: y K^-1 y / 2 + log det K / 2 + n log(2 pi) / 2."""
    K, b, total = K.copy(), y * EXACT.mpf(1), 0
    n = len(y)
    for k in range(n):
        total = total + np.log(K[k, k]) + b[k] ** 2 / K[k, k]
        for j in range(k + 1, n):
            share = K[j, k] / K[k, k]
            K[j, k:] = K[j, k:] - share * K[k, k:]
            b[j] = b[j] - share * b[k]
    return (total + n * EXACT.ln(2 * EXACT.pi)) / 2


# Embeddings and metrics


def neighbours_case():
    """The loss of neighbourhood components analysis, of a transformation of unlike columns."""
    rng = np.random.default_rng(966)
    X, y = rng.normal(size=(14, 3)) * [1, 1e-3, 1e3], np.arange(14) % 2
    model = NeighborhoodComponentsAnalysis()
    model.n_iter_ = 1  # the loss prints a header on its first call
    same = y[:, None] == y[None, :]
    A = (rng.normal(size=(2, 3)) / [1, 1e-3, 1e3]).ravel()

    def both(A):
        return model._loss_grad_lbfgs(A, X, same)

    def exactly(A):
        Z = X @ A.reshape(2, 3).T
        square = np.sum((Z[:, None] - Z[None]) ** 2, axis=2)
        e = np.exp(-square)
        e[np.arange(14), np.arange(14)] = 0 * e[0, 0]
        return np.sum(e * same / e.sum(axis=1, keepdims=True))

    return verified(
        "scikit-learn: neighbourhood components of unlike columns",
        lambda A: both(A)[0],
        lambda A: both(A)[1].ravel(),
        A,
        in_digits=exactly,
        exact=1e-8,
    )


def embedding_case(name, dtype, **case):
    """The Kullback-Leibler divergence of t-SNE, in the precision in which scikit-learn runs it."""
    rng = np.random.default_rng(967)
    n = 10
    P = rng.uniform(0.1, 1, n * (n - 1) // 2).astype(dtype)
    P /= 2 * P.sum()
    x = (1e-2 * rng.normal(size=2 * n)).astype(dtype) + rng.normal(size=2 * n).astype(dtype)

    def both(x):
        return _kl_divergence(x, P, 1, n, 2)

    i, j = np.triu_indices(n, 1)

    def exactly(x):
        Z = x.reshape(n, 2)
        q = 1 / (1 + np.sum((Z[i] - Z[j]) ** 2, axis=1))
        return 2 * np.sum(P * np.log(P / (q / (2 * np.sum(q)))))

    return verified(name, lambda x: both(x)[0], lambda x: both(x)[1], x, in_digits=exactly, **case)


# Perceptrons of scikit-learn in float32


def perceptron_case(name, activation, seed):
    """MLPClassifier fitted to float32 data: its parameters, loss and back-propagation are float32."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(40, 5)).astype(F32), np.arange(40) % 3
    model = MLPClassifier(
        (8,), activation=activation, alpha=0.01, max_iter=1, tol=0.0, random_state=seed, batch_size=40
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one iteration does not converge
        model.fit(X, y)
    start = [*model.coefs_, *model.intercepts_]
    Y = model._label_binarizer.transform(y)

    def both(p):
        model.coefs_, model.intercepts_ = list(p[:2]), list(p[2:])
        activations = [X, *(np.empty((40, len(b)), F32) for b in model.intercepts_)]
        deltas = [np.empty_like(a) for a in activations[1:]]
        grads = [np.empty_like(c) for c in model.coefs_], [np.empty_like(b) for b in model.intercepts_]
        activations = model._forward_pass(activations)
        loss, coefs, intercepts = model._backprop(X, Y, None, activations, deltas, *grads)
        return loss, [*coefs, *intercepts]

    def in_doubles(p):
        z = X.astype(np.float64) @ p[0] + p[2]
        a = np.tanh(z) if activation == "tanh" else np.where(z.real > 0, z, 0)
        penalty = 0.005 * (np.sum(p[0] ** 2) + np.sum(p[1] ** 2)) / len(X)
        return penalty - log_softmax(a @ p[1] + p[3])[np.arange(40), y].mean()

    p = [(b + 0.2 * rng.normal(size=b.shape)).astype(F32) for b in start]
    truth = partial(by_complex_step, in_doubles, [b.astype(np.float64) for b in p])
    few = {"sees": 1e-2, "floor": 3e-2, "exact": 1e-5, "rounding": 1e-5}
    return Case(name, lambda p: both(p)[0], lambda p: both(p)[1], p, truth=truth, **few)


# SciPy and NumPy


def function_cases():
    """Pairs of a function and its derivative."""
    x = np.array([1e-8, 3e-4, 0.7, 12.0, 170.0])
    yield verified(
        "SciPy: logarithm of the gamma function from 1e-8 to 170",
        lambda x: np.sum(special.gammaln(x)),
        special.digamma,
        x,
        in_digits=lambda x: np.sum([EXACT.loggamma(v) for v in x]),
    )
    x = np.array([-30.0, -5.0, 0.3, 6.0])
    yield verified(
        "SciPy: logarithm of the normal distribution far out",
        lambda x: np.sum(special.log_ndtr(x)),
        lambda x: np.exp(-(x**2) / 2 - special.log_ndtr(x)) / np.sqrt(2 * np.pi),
        x,
        in_digits=lambda x: np.sum([EXACT.ln(EXACT.ncdf(v)) for v in x]),
        why="the last entry is 6e-9, the sum is 470 and known to 6e-14",
        sees=1e-2,
    )
    x = np.array([0.4, 9.0, 55.0])
    yield verified(
        "SciPy: Bessel functions at unlike places",
        lambda x: np.sum(special.jv(2, x)),
        lambda x: special.jvp(2, x),
        x,
        in_digits=lambda x: np.sum([EXACT.besselj(2, v) for v in x]),
    )
    x = np.array([0.1, 0.9, 1 - 1e-6])
    yield verified(
        "SciPy: elliptic integrals towards 1",
        lambda m: np.sum(special.ellipk(m)),
        lambda m: (special.ellipe(m) / (1 - m) - special.ellipk(m)) / (2 * m),
        x,
        in_digits=lambda m: np.sum([EXACT.ellipk(v) for v in m]),
    )
    t, y = np.linspace(1.0, 12.0, 15), np.cos(np.linspace(0, 3, 15))

    def polynomial(c):
        return 0.5 * np.sum((np.polynomial.polynomial.polyval(t, c) - y) ** 2)

    def powers(c):
        return np.vander(t, len(c), increasing=True).T @ (np.polynomial.polynomial.polyval(t, c) - y)

    def horner(c):
        value = 0
        for each in c[::-1]:
            value = value * t + each
        return 0.5 * np.sum((value - y) ** 2)

    c = np.array([0.9, 0.2, -0.2, 0.03, -2e-3, 6e-5, -1e-6, 1e-8])
    yield verified("NumPy: coefficients of a polynomial of degree 7", polynomial, powers, c, in_digits=horner)


def matrix_case():
    """The exponential of a matrix of rates from 1e-4 to 1."""
    rng = np.random.default_rng(971)
    scale = 10.0 ** rng.integers(-4, 1, 9)
    A, weights = scale * rng.normal(size=9), rng.normal(size=(3, 3))

    def exactly(A):
        M, term, total = A.reshape(3, 3), np.eye(3) * EXACT.mpf(1), np.eye(3) * EXACT.mpf(1)
        for k in range(1, 70):
            term = term @ M / k
            total = total + term
        return np.sum(weights * total)

    return verified(
        "SciPy: exponential of a matrix of rates",
        lambda A: np.sum(weights * expm(A.reshape(3, 3))),
        lambda A: expm_frechet(A.reshape(3, 3).T, weights, compute_expm=False).ravel(),
        A,
        in_digits=exactly,
    )


def spline_case():
    """Times of nanoseconds and a delay and a stretch of them."""
    knots = np.linspace(0, 9e-9, 10)
    spline = CubicSpline(knots, np.sin(knots * 1e9))
    t = np.linspace(1.1e-9, 6.3e-9, 12)
    y = np.cos(t * 1e9)

    def cost(p):
        return 0.5 * np.sum((p[1] * spline(t * p[2] + p[0]) - y) ** 2)

    def gradient(p):
        at = t * p[2] + p[0]
        e = p[1] * spline(at) - y
        slope = p[1] * spline(at, 1)
        return np.array([e @ slope, e @ spline(at), (e * t) @ slope])

    def exactly(p):
        at = t * p[2] + p[0]
        piece = np.searchsorted(knots, at.astype(float), side="right") - 1
        u = at - knots[piece]
        c = spline.c[:, piece]
        value = ((c[0] * u + c[1]) * u + c[2]) * u + c[3]
        return 0.5 * np.sum((p[1] * value - y) ** 2)

    p = np.array([2.3e-10, 1.1, 0.97])
    return Case(
        "SciPy: spline over nanoseconds",
        cost,
        gradient,
        p,
        truth=partial(by_digits, exactly, p),
        sees=1e-4,
        exact=1e-8,
        why="third derivatives jump at the knots",
    )


VECTORS = [
    *linear_cases(),
    huber_case(),
    process_case(),
    neighbours_case(),
    embedding_case("scikit-learn: t-SNE in float64", np.float64),
    *function_cases(),
    matrix_case(),
    spline_case(),
]

PERCEPTRONS = [
    perceptron_case("scikit-learn: MLPClassifier with tanh in float32", "tanh", 981),
    perceptron_case("scikit-learn: MLPClassifier with relu in float32", "relu", 982),
    perceptron_case("scikit-learn: MLPClassifier with relu in float32, another", "relu", 983),
]

NARROW = embedding_case(
    "scikit-learn: t-SNE in float32", F32, sees=1e-2, exact=1e-5, rounding=1e-6, floor=1e-3
)

RIGHT = [*VECTORS, NARROW, *PERCEPTRONS]

WRONG = [
    *(wrong for case in VECTORS for wrong in small_and_large(case)),
    *(wrong_block(case, block, "off by 20%") for case in PERCEPTRONS for block in ("params[0]", "params[1]")),
    *(
        wrong_at(case, int(np.argmax(np.abs(case.right_gradient()))), "off by 20%")
        for case in [*PERCEPTRONS, NARROW]
    ),
    wrong_at(NARROW, np.arange(10), "with the other sign", "half of the entries"),
]
