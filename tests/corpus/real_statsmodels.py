"""Score functions of statsmodels, where it is installed: it is no dependency, and these cases come on top."""

from __future__ import annotations

import importlib.util
import warnings

import numpy as np

from corpus.cases import Case


def model_cases():
    """Discrete, generalised linear, ordered and count models."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # statsmodels' own imports
        import statsmodels.api as sm
        from statsmodels.miscmodels.ordinal_model import OrderedModel

    rng = np.random.default_rng(401)
    X = np.column_stack([np.ones(40), rng.normal(size=(40, 3))])
    beta = 0.4 * rng.normal(size=4)
    binary, counts = (rng.random(40) < 0.5).astype(float), rng.poisson(2.0, 40).astype(float)
    classes, positive = rng.integers(0, 3, 40), rng.gamma(2.0, size=40)
    yield _model("Logit", sm.Logit(binary, X), beta)
    yield _model("Probit", sm.Probit(binary, X), beta)
    yield _model("MNLogit", sm.MNLogit(classes, X), np.concatenate([beta, -beta]))
    yield _model("Poisson", sm.Poisson(counts, X), beta)
    yield _model("NegativeBinomial", sm.NegativeBinomial(counts, X), np.append(beta, 0.7))
    yield _model("NegativeBinomialP", sm.NegativeBinomialP(counts, X), np.append(beta, 0.7))
    yield _model("GeneralizedPoisson", sm.GeneralizedPoisson(counts, X), np.append(0.1 * beta, 0.1))
    yield _model("ZeroInflatedPoisson", sm.ZeroInflatedPoisson(counts, X), np.append(-0.5, beta))
    yield _model(
        "GLM, gamma", sm.GLM(positive, X, sm.families.Gamma(sm.families.links.Log())), beta, scale=1.0
    )
    yield _model("GLM, binomial", sm.GLM(binary, X, sm.families.Binomial()), beta)
    yield _model(
        "GLM, inverse Gaussian",
        sm.GLM(positive, X, sm.families.InverseGaussian(sm.families.links.Log())),
        beta,
        scale=1.0,
    )
    yield _model(
        "OrderedModel", OrderedModel(classes, X[:, 1:], distr="logit"), np.append(beta[1:], [-0.5, 0.3])
    )
    yield _model("PHReg", sm.PHReg(positive, X[:, 1:], status=binary), beta[1:])


def _model(name, model, params, **more):
    return Case(
        f"statsmodels: {name}",
        lambda p: -float(model.loglike(p, **more)),
        lambda p: -np.asarray(model.score(p, **more), dtype=float).reshape(-1),
        params,
    )


STATSMODELS = list(model_cases()) if importlib.util.find_spec("statsmodels") else []
