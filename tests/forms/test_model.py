"""check_model: score, Hessian and scores of observations of a statistical model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import fastgrad
from fastgrad.errors import InputError

RNG = np.random.default_rng(15)
N = 60
X = pd.DataFrame({"const": 1.0, "age": RNG.normal(size=N), "dose": RNG.normal(size=N)})
COUNTS = RNG.poisson(2.0, N)


class Poisson:
    """Counts with rates exp(X theta)."""

    exog_names = ("const", "age", "dose")

    def loglikeobs(self, theta):
        """Of each observation."""
        return COUNTS * (X.to_numpy() @ theta) - np.exp(X.to_numpy() @ theta)

    def score_obs(self, theta):
        """Its gradient."""
        return (COUNTS - np.exp(X.to_numpy() @ theta))[:, None] * X.to_numpy()

    def loglike(self, theta):
        """Of all."""
        return self.loglikeobs(theta).sum()

    def score(self, theta):
        """Its gradient."""
        return self.score_obs(theta).sum(axis=0)

    def hessian(self, theta):
        """Its Hessian."""
        return -(X.T * np.exp(X.to_numpy() @ theta)).to_numpy() @ X.to_numpy()


class TestOwnModel:
    def test_all_agree(self):
        """A right model agrees in all that it has."""
        reports = fastgrad.check_model(Poisson(), np.full(3, 0.3))
        assert (reports.verdict, list(reports.reports)) == ("agree", ["score", "hessian", "score_obs"])

    @pytest.mark.parametrize("method", ["score", "hessian", "score_obs"])
    def test_a_wrong_method_is_named(self, method):
        """Of three derivatives the wrong one alone is reported, with the name of its coordinate."""

        def wrong(self, theta):
            found = np.array(getattr(Poisson, method)(self, theta), dtype=float)
            found[..., 1] *= 1.01
            return found

        own = {} if method != "score_obs" else {"score": lambda self, theta: Poisson().score(theta)}
        twin = type("Twin", (Poisson,), {method: wrong, **own})()
        reports = fastgrad.check_model(twin, np.full(3, 0.3))
        assert method in reports.failed
        assert "params['age']" in [f.label for f in reports[method].wrong]

    def test_what_there_is_not(self):
        """A model without a Hessian, or with one that is not implemented, is checked in what it has."""

        class Bare:
            def loglike(self, theta):
                return -float(theta @ theta)

            def score(self, theta):
                return -2 * theta

            def score_obs(self, theta):
                raise NotImplementedError

        class NotYet(Bare):
            def hessian(self, theta):
                raise NotImplementedError

        for model in (Bare(), NotYet()):
            reports = fastgrad.check_model(model, [1.0, 2.0])
            assert (reports.verdict, list(reports.reports)) == ("agree", ["score"])
            assert "has no hessian: there is nothing to check" in reports.notes[0]
        with pytest.raises(InputError, match="has no method second; another name can be given with"):
            fastgrad.check_model(Bare(), [1.0, 2.0], hessian="second")


class TestStatsmodels:
    @pytest.mark.parametrize("name", ["Poisson", "Logit", "Probit", "GeneralizedPoisson"])
    def test_agree(self, name):
        """Score, Hessian and scores of observations of these models are right."""
        sm = pytest.importorskip("statsmodels.api")
        y = np.minimum(COUNTS, 1) if name in ("Logit", "Probit") else COUNTS
        model = getattr(sm, name)(y, X)
        reports = fastgrad.check_model(model, np.full(len(model.exog_names), 0.3))
        assert reports.passed
        assert list(reports.reports) == ["score", "hessian", "score_obs"]

    @pytest.mark.parametrize("name", ["NegativeBinomial", "ZeroInflatedPoisson", "OLS"])
    def test_hessians_that_differ(self, name):
        """The verdict on a Hessian is what plain differences of the score say.

        In statsmodels 0.15 that of NegativeBinomial is in alpha where the score is in its logarithm, as
        before a fit; that of ZeroInflatedPoisson is zero between inflation and counts; that of OLS is not
        that of its likelihood, which has no scale.
        """
        sm = pytest.importorskip("statsmodels.api")
        model = getattr(sm, name)(COUNTS, X)
        params = np.full(3 if name == "OLS" else 4, 0.3)
        reports = fastgrad.check_model(model, params)
        steps = 1e-5 * np.eye(len(params))
        H = np.array([(model.score(params + h) - model.score(params - h)) / 2e-5 for h in steps])
        assert reports["score"].passed
        assert reports["hessian"].passed == np.allclose(model.hessian(params), H, rtol=1e-4, atol=1e-3)

    def test_multinomial(self):
        """What has no log-likelihood for each row is left aside, and said."""
        sm = pytest.importorskip("statsmodels.api")
        reports = fastgrad.check_model(sm.MNLogit(COUNTS % 3, X), np.full(6, 0.1))
        assert (reports.verdict, list(reports.reports)) == ("agree", ["score", "hessian"])
        assert "score_obs is not checked" in reports.notes[0]
