"""Statistical models: negative log-likelihoods and their scores, right and with the usual bugs."""

from __future__ import annotations

import numpy as np
from scipy.special import digamma, erf, erfcx, expit, gammaln

from corpus.cases import Case


def logsumexp(z, axis=None, keepdims=False):
    """The logarithm of a sum of exponentials (scipy's takes twenty times as long on small arrays)."""
    return np.logaddexp.reduce(z, axis=axis, keepdims=keepdims)


# Logistic regression with weights of the samples.


def logistic(p, X, y, w, l2):
    """The cost; y is 0 or 1."""
    z = X @ p["beta"] + p["intercept"][0]
    return np.sum(w * (np.logaddexp(0, z) - y * z)) + 0.5 * l2 * np.sum(p["beta"] ** 2)


def logistic_gradient(p, X, y, w, l2, bug=""):
    """Its gradient, or one with a bug."""
    z = X @ p["beta"] + p["intercept"][0]
    e = w * (expit(z) - y)
    if bug == "weights of the samples forgotten":
        e = expit(z) - y
    elif bug == "labels of -1 and 1":
        e = w * (expit(z) - (2 * y - 1))
    elif bug == "through the squared error":
        e = w * (expit(z) - y) * expit(z) * expit(-z)
    beta = X.T @ e + l2 * p["beta"]
    if bug == "standardised twice":
        beta = (X / X.std(axis=0)).T @ e + l2 * p["beta"]
    return {"beta": beta, "intercept": np.array([e.sum() + (l2 if bug == "L2 on the intercept" else 0.0)])}


def logistic_case(name="logistic regression", dtype=np.float64, l2=0.1):
    """Thirty samples of six features."""
    rng = np.random.default_rng(11)
    X, w = rng.normal(size=(30, 6)) * np.array([1, 2, 0.5, 1, 3, 1]), rng.uniform(0.2, 2, 30)
    y = (rng.random(30) < 0.5).astype(dtype)
    p = {"beta": rng.normal(size=6).astype(dtype), "intercept": np.array([0.3], dtype)}
    return Case(name, logistic, logistic_gradient, p, (X.astype(dtype), y, w.astype(dtype), dtype(l2)))


# Poisson regression with an offset.


def poisson(p, X, y, exposure):
    """The cost."""
    eta = X @ p + np.log(exposure)
    return np.sum(np.exp(eta) - y * eta + gammaln(y + 1))


def poisson_gradient(p, X, y, exposure, bug=""):
    """Its gradient, or one with a bug."""
    mu = np.exp(X @ p + (0.0 if bug == "exposure forgotten" else np.log(exposure)))
    if bug == "score of the identity link":
        return X.T @ (1 - y / mu)
    return X.T @ (mu - y)


def poisson_case():
    """Forty counts."""
    rng = np.random.default_rng(12)
    X, exposure = rng.normal(size=(40, 5)), rng.uniform(0.5, 4, 40)
    return Case(
        "Poisson regression",
        poisson,
        poisson_gradient,
        0.3 * rng.normal(size=5),
        (X, rng.poisson(2.0, 40).astype(float), exposure),
    )


# Negative-binomial regression; the dispersion is exp(p["log alpha"]).


def negative_binomial(p, X, y):
    """The cost, with size r = 1 / alpha."""
    mu, r = np.exp(X @ p["beta"]), np.exp(-p["log alpha"][0])
    return -np.sum(
        gammaln(y + r)
        - gammaln(r)
        - gammaln(y + 1)
        + r * np.log(r / (r + mu))
        + y * (np.log(mu) - np.log(r + mu))
    )


def negative_binomial_gradient(p, X, y, bug=""):
    """Its gradient, or one with a bug."""
    mu, r = np.exp(X @ p["beta"]), np.exp(-p["log alpha"][0])
    by_r = digamma(y + r) - digamma(r) + np.log(r / (r + mu)) + 1 - (r + y) / (r + mu)
    if bug == "no digamma of r":
        by_r = by_r + digamma(r)
    elif bug == "a term of the quotient forgotten":
        by_r = digamma(y + r) - digamma(r) + np.log(r / (r + mu))
    chain = {"by r, not by log alpha": 1.0, "by log r": r}.get(bug, -r)
    residual = (mu - y) * (1.0 if bug == "score of Poisson" else r / (r + mu))
    return {"beta": X.T @ residual, "log alpha": np.array([-np.sum(by_r) * chain])}


def negative_binomial_case():
    """Forty counts."""
    rng = np.random.default_rng(13)
    p = {"beta": 0.4 * rng.normal(size=4), "log alpha": np.array([-0.4])}
    y = rng.negative_binomial(2, 0.4, 40).astype(float)
    return Case(
        "negative binomial", negative_binomial, negative_binomial_gradient, p, (rng.normal(size=(40, 4)), y)
    )


# A mixture of Gaussians in one dimension.


def mixture(p, x):
    """Logits of the weights, means, logarithms of the deviations."""
    u = (x[:, None] - p["mean"]) / np.exp(p["log sd"])
    return -np.sum(logsumexp(p["logit"] - logsumexp(p["logit"]) - p["log sd"] - 0.5 * u**2, axis=1))


def mixture_gradient(p, x, bug=""):
    """Its gradient, or one with a bug."""
    sd = np.exp(p["log sd"])
    u = (x[:, None] - p["mean"]) / sd
    joint = p["logit"] - p["log sd"] - 0.5 * u**2
    if bug == "normaliser of the components dropped":
        joint = p["logit"] - 0.5 * u**2
    r = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
    if bug == "hard assignments":
        r = np.eye(r.shape[1])[r.argmax(axis=1)]
    weights = np.exp(p["logit"] - logsumexp(p["logit"]))
    drop = bug == "log-sum-exp of the weights forgotten"
    log_sd = {
        "by sd, not by its logarithm": np.sum(r * (1 - u**2), axis=0) / sd,
        "jacobian of sd forgotten": np.sum(r * -(u**2), axis=0),
    }
    return {
        "logit": -r.sum(axis=0) + (0.0 if drop else len(x) * weights),
        "mean": -np.sum(r * u / (sd**2 if bug == "divided by the variance" else sd), axis=0),
        "log sd": log_sd.get(bug, np.sum(r * (1 - u**2), axis=0)),
    }


def mixture_case():
    """Three components."""
    rng = np.random.default_rng(14)
    x = np.concatenate([rng.normal(-2, 0.5, 20), rng.normal(1, 1.5, 20)])
    p = {
        "logit": np.array([0.2, -0.3, 0.5]),
        "mean": np.array([-1.5, 0.4, 2.0]),
        "log sd": np.array([-0.5, 0.3, 0.1]),
    }
    return Case("mixture of Gaussians", mixture, mixture_gradient, p, (x,))


# ARMA(1, 1) by conditional least squares: the residuals are a recursion.


def arma(p, y):
    """p = (mean, phi, theta)."""
    e = 0.0
    total = 0.0
    for t in range(1, len(y)):
        e = y[t] - p[0] - p[1] * (y[t - 1] - p[0]) - p[2] * e
        total += e * e
    return 0.5 * total


def arma_gradient(p, y, bug=""):
    """Its gradient, or one with a bug."""
    e, de, g = 0.0, np.zeros(3), np.zeros(3)
    for t in range(1, len(y)):
        new = y[t] - p[0] - p[1] * (y[t - 1] - p[0]) - p[2] * e
        direct = np.array(
            [p[1] - 1, -(y[t - 1] - p[0]), -(new if bug == "residual of the wrong time" else e)]
        )
        if bug == "mean not in the lag":
            direct[0] = -1.0
        de = direct - (0.0 if bug == "recursion not carried" else p[2]) * de
        e = new
        g += e * de
    return g


def arma_case():
    """Sixty points."""
    rng = np.random.default_rng(15)
    return Case(
        "ARMA recursion",
        arma,
        arma_gradient,
        np.array([0.2, 0.6, 0.4]),
        (rng.normal(size=60).cumsum() * 0.3,),
    )


# A local level model by the Kalman filter; the parameters are logarithms of the two variances.


def kalman(p, y):
    """The negative log-likelihood."""
    q, r = np.exp(p)
    m, v, total = 0.0, 10.0, 0.0
    for obs in y:
        v = v + q
        s, e = v + r, obs - m
        total += 0.5 * (np.log(s) + e * e / s)
        k = v / s
        m, v = m + k * e, (1 - k) * v
    return total


def kalman_gradient(p, y, bug=""):
    """Its gradient by tangents, or one with a bug."""
    q, r = np.exp(p)
    m, v, dm, dv, g = 0.0, 10.0, np.zeros(2), np.zeros(2), np.zeros(2)
    for obs in y:
        v, dv = v + q, dv + np.array([q, 0.0])
        s, e = v + r, obs - m
        ds, de = dv + np.array([0.0, r]), -dm
        if bug == "mean held fixed":
            de = np.zeros(2)
        g += 0.5 * (ds / s + 2 * e * de / s - e * e * ds / s**2)
        k = v / s
        dk = np.zeros(2) if bug == "gain held fixed" else dv / s - v * ds / s**2
        dm = dm + dk * e + k * de
        dv = (1 - k) * dv - (0.0 if bug == "gain held fixed in the variance" else dk * v)
        m, v = m + k * e, (1 - k) * v
    return g / np.array([q, r]) if bug == "by the variances" else g


def kalman_case():
    """Thirty observations."""
    rng = np.random.default_rng(16)
    y = np.cumsum(rng.normal(size=30) * 0.5) + rng.normal(size=30)
    return Case("Kalman filter", kalman, kalman_gradient, np.array([-1.0, 0.2]), (y,), "a recursion")


# A hidden Markov model with Gaussian emissions: the forward algorithm in logarithms.


def markov(p, x):
    """Logits of the transitions, rows normalised; means. The chain starts uniformly."""
    A = p["logits"] - logsumexp(p["logits"], axis=1, keepdims=True)
    emission = -0.5 * (x[:, None] - p["mean"]) ** 2
    alpha = emission[0] - np.log(len(A))
    for e in emission[1:]:
        alpha = e + logsumexp(alpha[:, None] + A, axis=0)
    return -logsumexp(alpha)


def markov_gradient(p, x, bug=""):
    """Its gradient by the forward-backward algorithm, or one with a bug."""
    A = p["logits"] - logsumexp(p["logits"], axis=1, keepdims=True)
    emission = -0.5 * (x[:, None] - p["mean"]) ** 2
    alphas = [emission[0] - np.log(len(A))]
    for e in emission[1:]:
        alphas.append(e + logsumexp(alphas[-1][:, None] + A, axis=0))
    total, beta = logsumexp(alphas[-1]), np.zeros(len(A))
    counts = np.zeros_like(A)
    mean = np.exp(alphas[-1] - total) * (x[-1] - p["mean"])
    for t in reversed(range(len(x) - 1)):
        joint = alphas[t][:, None] + A + emission[t + 1] + beta - total
        counts += np.exp(joint)
        beta = logsumexp(A + emission[t + 1] + beta, axis=1)
        backward = 0.0 if bug == "filtered, not smoothed" else beta
        weights = np.exp(alphas[t] + backward - logsumexp(alphas[t] + backward))
        mean = mean + weights * (x[t] - p["mean"])
    rows = counts.sum(axis=1, keepdims=True)
    if bug == "rows not normalised":
        rows = np.zeros_like(rows)
    logits = -(counts - rows * np.exp(A))
    return {"logits": logits.T.copy() if bug == "transitions transposed" else logits, "mean": -mean}


def markov_case():
    """Three states."""
    rng = np.random.default_rng(17)
    p = {"logits": rng.normal(size=(3, 3)), "mean": np.array([-1.0, 0.5, 2.0])}
    return Case("hidden Markov model", markov, markov_gradient, p, (rng.normal(size=25) * 1.5,))


# Cox's partial likelihood without ties.


def cox(beta, X, dead):
    """The rows of X are in the order of their times."""
    eta = X @ beta
    at_risk = np.logaddexp.accumulate(eta[::-1])[::-1]
    return -np.sum(dead * (eta - at_risk))


def cox_gradient(beta, X, dead, bug=""):
    """Its gradient, or one with a bug."""
    w = np.exp(X @ beta)
    if bug == "risk set of the past":
        sums, means = np.cumsum(w), np.cumsum(w[:, None] * X, axis=0)
    else:
        sums, means = np.cumsum(w[::-1])[::-1], np.cumsum((w[:, None] * X)[::-1], axis=0)[::-1]
    if bug == "the subject itself not at risk":
        sums, means = np.append(sums[1:], 1.0), np.append(means[1:], np.zeros((1, X.shape[1])), axis=0)
    if bug == "censored ones counted":
        dead = np.ones_like(dead)
    return -(X - means / sums[:, None]).T @ dead


def cox_case():
    """Thirty subjects."""
    rng = np.random.default_rng(18)
    dead = (rng.random(30) < 0.7).astype(float)
    return Case("Cox model", cox, cox_gradient, 0.5 * rng.normal(size=4), (rng.normal(size=(30, 4)), dead))


# Weibull survival times, some of them censored; p = (log scale, log shape).


def weibull(p, t, dead):
    """The cost."""
    k = np.exp(p[1])
    u = np.log(t) - p[0]
    return -np.sum(dead * (p[1] - p[0] + (k - 1) * u) - np.exp(k * u))


def weibull_gradient(p, t, dead, bug=""):
    """Its gradient, or one with a bug."""
    k = np.exp(p[1])
    u = np.log(t) - p[0]
    if bug == "censoring ignored":
        dead = np.ones_like(dead)
    hazard = np.exp(k * u)
    shape = np.sum(dead * (1 + k * u) - k * u * hazard)
    if bug == "shape not by its logarithm":
        shape = shape / k
    return -np.array([np.sum(-dead * k + k * hazard), shape])


def weibull_case():
    """Thirty times."""
    rng = np.random.default_rng(19)
    dead = (rng.random(30) < 0.6).astype(float)
    return Case(
        "Weibull survival", weibull, weibull_gradient, np.array([0.3, 0.5]), (rng.weibull(1.5, 30), dead)
    )


# An ordered probit: cut points are the first and logarithms of the gaps.


def ordered(p, X, y):
    """The cost."""
    eta, cuts = X @ p["beta"], _cuts(p["gaps"])
    return -np.sum(np.log(_cdf(cuts[y + 1] - eta) - _cdf(cuts[y] - eta)))


def ordered_gradient(p, X, y, bug=""):
    """Its gradient, or one with a bug."""
    eta, cuts = X @ p["beta"], _cuts(p["gaps"])
    above, below = cuts[y + 1] - eta, cuts[y] - eta
    q = _cdf(above) - _cdf(below)
    up, down = _pdf(above) / q, _pdf(below) / q
    by_cut = np.zeros(len(cuts))
    np.add.at(by_cut, y + 1, -up)
    if bug != "lower cut forgotten":
        np.add.at(by_cut, y, down)
    inner = by_cut[1:-1]
    tail = np.cumsum(inner[::-1])[::-1]
    gaps = np.append(tail[0], tail[1:] * np.exp(p["gaps"][1:]))
    if bug == "cuts for gaps":
        gaps = inner
    elif bug == "logarithm of the gaps forgotten":
        gaps = tail
    return {"beta": X.T @ (up - down), "gaps": gaps}


def _cuts(gaps):
    inner = gaps[0] + np.append(0.0, np.cumsum(np.exp(gaps[1:])))
    return np.concatenate([[-np.inf], inner, [np.inf]])


def _cdf(z):
    return 0.5 * (1 + erf(z / np.sqrt(2)))


def _pdf(z):
    return np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)


def ordered_case():
    """Four classes."""
    rng = np.random.default_rng(20)
    p = {"beta": 0.5 * rng.normal(size=3), "gaps": np.array([-1.0, 0.1, -0.3])}
    return Case(
        "ordered probit", ordered, ordered_gradient, p, (rng.normal(size=(40, 3)), rng.integers(0, 4, 40))
    )


# A Gaussian with its precision's Cholesky factor, and a Gaussian process.


def gaussian(p, X):
    """The lower factor L of the precision L L^T; what is above the diagonal is not used."""
    L = np.tril(p["L"])
    u = (X - p["mean"]) @ L
    return 0.5 * np.sum(u**2) - len(X) * np.sum(np.log(np.diag(L)))


def gaussian_gradient(p, X, bug=""):
    """Its gradient, or one with a bug."""
    L, c = np.tril(p["L"]), X - p["mean"]
    by_L = c.T @ (c @ L) - (0.0 if bug == "log determinant forgotten" else len(X) * np.diag(1 / np.diag(L)))
    if bug != "above the diagonal too":
        by_L = np.tril(by_L)
    if bug == "outer product transposed":
        by_L = np.tril((c @ L).T @ c - len(X) * np.diag(1 / np.diag(L)))
    return {"mean": -np.sum(c @ L @ L.T, axis=0), "L": by_L}


def gaussian_case():
    """Four dimensions."""
    rng = np.random.default_rng(21)
    p = {
        "mean": rng.normal(size=4),
        "L": np.tril(0.4 * rng.normal(size=(4, 4)), -1) + np.diag([1.0, 0.7, 1.5, 2.0]),
    }
    return Case(
        "Gaussian by its factor",
        gaussian,
        gaussian_gradient,
        p,
        (rng.normal(size=(25, 4)),),
        "unused entries",
    )


def process(p, X, y):
    """p = logarithms of amplitude, length and noise."""
    K, _ = _kernel(p, X)
    L = np.linalg.cholesky(K)
    return 0.5 * y @ np.linalg.solve(K, y) + np.sum(np.log(np.diag(L)))


def process_gradient(p, X, y, bug=""):
    """Its gradient, or one with a bug."""
    K, by_p = _kernel(p, X)
    inverse = np.linalg.inv(K)
    a = inverse @ y
    middle = inverse - np.outer(a, a)
    if bug == "determinant forgotten":
        middle = -np.outer(a, a)
    elif bug == "one inverse too few":
        middle = inverse - np.outer(a, y)
    g = 0.5 * np.array([np.sum(middle * dK) for dK in by_p])
    if bug == "half forgotten":
        g = 2 * g
    elif bug == "length not by its logarithm":
        g[1] = g[1] / np.exp(p[1])
    return g


def _kernel(p, X):
    amplitude, length, noise = np.exp(p)
    square = (X[:, None] - X) ** 2 / length**2
    K = amplitude * np.exp(-0.5 * square)
    return K + noise * np.eye(len(X)), (K, K * square, noise * np.eye(len(X)))


def process_case():
    """Fifteen points."""
    rng = np.random.default_rng(22)
    return Case(
        "Gaussian process",
        process,
        process_gradient,
        np.array([0.2, -0.5, -2.0]),
        (np.sort(rng.uniform(0, 5, 15)), rng.normal(size=15)),
    )


# Robust regression: Student's t with three degrees of freedom, and a log scale.


def student(p, X, y):
    """The cost."""
    u = (y - X @ p["beta"]) / np.exp(p["log scale"])
    return np.sum(2 * np.log1p(u**2 / 3)) + len(y) * p["log scale"]


def student_gradient(p, X, y, bug=""):
    """Its gradient, or one with a bug."""
    scale = np.exp(p["log scale"])
    u = (y - X @ p["beta"]) / scale
    psi = 4 * u / (3 + (u if bug == "not squared below" else u**2))
    psi = 4 * u / 3 if bug == "weights of least squares" else psi
    jacobian = 0.0 if bug == "normaliser forgotten" else len(y)
    return {"beta": -X.T @ psi / scale, "log scale": jacobian - np.sum(psi * u)}


def student_case():
    """The scale is a bare number, not an array."""
    rng = np.random.default_rng(23)
    p = {"beta": rng.normal(size=3), "log scale": np.array(-0.2)}
    return Case(
        "Student regression", student, student_gradient, p, (rng.normal(size=(20, 3)), rng.normal(size=20))
    )


# A censored regression: the inverse Mills ratio.


def tobit(beta, X, y):
    """Zeros are censored."""
    u = y - X @ beta
    return np.sum(np.where(y > 0, 0.5 * u**2, -np.log(_cdf(np.where(y > 0, 0.0, u)))))


def tobit_gradient(beta, X, y, bug=""):
    """Its gradient, or one with a bug."""
    u = y - X @ beta
    mills = np.sqrt(2 / np.pi) / erfcx(-np.where(y > 0, 0.0, u) / np.sqrt(2))
    if bug == "censoring ignored":
        return -X.T @ u
    sign = -1.0 if bug == "sign of the censored ones" else 1.0
    return X.T @ np.where(y > 0, -u, sign * mills)


def tobit_case():
    """Half of the responses are zero."""
    rng = np.random.default_rng(24)
    X = rng.normal(size=(30, 4))
    y = np.maximum(X @ np.array([1.0, -0.5, 0.3, 0.0]) + rng.normal(size=30), 0.0)
    return Case("censored regression", tobit, tobit_gradient, 0.5 * rng.normal(size=4), (X, y))


# A factorisation of a matrix of which some entries are known.


def factors(p, R, known, l2):
    """The cost."""
    e = known * (p["users"] @ p["items"].T - R)
    return 0.5 * np.sum(e**2) + 0.5 * l2 * (np.sum(p["users"] ** 2) + np.sum(p["items"] ** 2))


def factors_gradient(p, R, known, l2, bug=""):
    """Its gradient, or one with a bug."""
    e = (1.0 if bug == "unknown entries counted" else known) * (p["users"] @ p["items"].T - R)
    users = e @ p["items"] + l2 * p["users"]
    updated = p["users"] - 0.1 * users if bug == "second factor after an update of the first" else p["users"]
    return {"users": users, "items": e.T @ updated + l2 * p["items"]}


def factors_case():
    """Six users, five items."""
    rng = np.random.default_rng(25)
    p = {"users": rng.normal(size=(6, 2)), "items": rng.normal(size=(5, 2))}
    return Case(
        "matrix factorisation",
        factors,
        factors_gradient,
        p,
        (rng.normal(size=(6, 5)), rng.random((6, 5)) < 0.6, 0.1),
    )


BUGS = {
    logistic_case: (
        "weights of the samples forgotten",
        "labels of -1 and 1",
        "through the squared error",
        "standardised twice",
        "L2 on the intercept",
    ),
    poisson_case: ("exposure forgotten", "score of the identity link"),
    negative_binomial_case: (
        "no digamma of r",
        "a term of the quotient forgotten",
        "by r, not by log alpha",
        "by log r",
        "score of Poisson",
    ),
    mixture_case: (
        "normaliser of the components dropped",
        "hard assignments",
        "log-sum-exp of the weights forgotten",
        "by sd, not by its logarithm",
        "jacobian of sd forgotten",
        "divided by the variance",
    ),
    arma_case: ("residual of the wrong time", "mean not in the lag", "recursion not carried"),
    kalman_case: (
        "mean held fixed",
        "gain held fixed",
        "gain held fixed in the variance",
        "by the variances",
    ),
    markov_case: ("filtered, not smoothed", "rows not normalised", "transitions transposed"),
    cox_case: ("risk set of the past", "the subject itself not at risk", "censored ones counted"),
    weibull_case: ("censoring ignored", "shape not by its logarithm"),
    ordered_case: ("lower cut forgotten", "cuts for gaps", "logarithm of the gaps forgotten"),
    gaussian_case: ("log determinant forgotten", "above the diagonal too", "outer product transposed"),
    process_case: (
        "determinant forgotten",
        "one inverse too few",
        "half forgotten",
        "length not by its logarithm",
    ),
    student_case: ("not squared below", "weights of least squares", "normaliser forgotten"),
    tobit_case: ("censoring ignored", "sign of the censored ones"),
    factors_case: ("unknown entries counted", "second factor after an update of the first"),
}
