"""A likelihood of one's own in statsmodels: its score and Hessian, by the names of its coefficients.

pip install statsmodels
python examples/statsmodels_score.py
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.special import digamma, gammaln
from statsmodels.base.model import GenericLikelihoodModel

import fastgrad


class GammaRegression(GenericLikelihoodModel):
    """y ~ Gamma with mean exp(X beta) and shape exp(a); the parameters are beta and a."""

    def loglike(self, params):
        """Its log-likelihood."""
        mean, shape = np.exp(self.exog @ params[:-1]), np.exp(params[-1])
        y = self.endog
        return np.sum(shape * np.log(shape * y / mean) - shape * y / mean - np.log(y) - gammaln(shape))

    def score(self, params):
        """The gradient of that."""
        mean, shape = np.exp(self.exog @ params[:-1]), np.exp(params[-1])
        ratio = self.endog / mean
        by_shape = np.sum(np.log(shape * ratio) + 1 - ratio - digamma(shape))
        return np.append(shape * self.exog.T @ (ratio - 1), shape * by_shape)


class HastyGammaRegression(GammaRegression):
    """The same, but the slope by the shape is taken for that by its logarithm."""

    def score(self, params):
        """Should have the last entry times the shape."""
        return super().score(params) / np.append(np.ones(len(params) - 1), np.exp(params[-1]))


def main():
    """Print both; 0 if the right score agrees and the last entry of the other disagrees."""
    rng = np.random.default_rng(0)
    exog = np.column_stack([np.ones(80), rng.normal(size=(80, 2))])
    endog = rng.gamma(2.0, np.exp(exog @ [0.3, 0.5, -0.2]) / 2.0)
    at, names = [0.2, 0.4, -0.1, 0.6], ["const", "dose", "age", "log_shape"]
    right = fastgrad.check(fastgrad.Problem.from_model(GammaRegression(endog, exog), at, names=names))
    wrong = fastgrad.check(fastgrad.Problem.from_model(HastyGammaRegression(endog, exog), at, names=names))
    print(right, wrong, sep="\n\n")
    return 0 if right.passed and [found.label for found in wrong.wrong] == ["params['log_shape']"] else 1


if __name__ == "__main__":
    sys.exit(main())
