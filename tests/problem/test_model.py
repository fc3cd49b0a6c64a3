"""Statistical models: their methods by name, and the names of their coordinates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import fastgrad
from fastgrad.errors import InputError
from fastgrad.problem.model import coordinate_names, flat_parameters, method_called

RNG = np.random.default_rng(15)
N = 60
X = pd.DataFrame({"const": 1.0, "age": RNG.normal(size=N), "dose": RNG.normal(size=N)})
COUNTS = RNG.poisson(2.0, N)


class Exponential:
    """n observations of an exponential law with rates exp(theta), and a score that may be wrong."""

    exog_names = ("a", "b")
    factor = 1.0

    def loglike(self, theta):
        """The log-likelihood."""
        return float(np.sum(3 * theta - 2 * np.exp(theta)))

    def score(self, theta):
        """Its gradient, times a factor."""
        return self.factor * (3 - 2 * np.exp(theta))


class Renamed(Exponential):
    """The same with methods of other names."""

    log_prob, gradient = Exponential.loglike, Exponential.score
    loglike = score = None
    with_prior = Exponential.loglike


class Wrong(Exponential):
    """A score of twice the size."""

    factor = 2.0


class Off:
    """A model of statsmodels whose score is off by one percent in its second entry."""

    def __init__(self, model):
        self.model, self.exog_names = model, model.exog_names

    def loglike(self, params):
        """As the model has it."""
        return self.model.loglike(params)

    def score(self, params):
        """Wrong in the second entry."""
        return self.model.score(params) * (1 + 0.01 * (np.arange(len(params)) == 1))


class TestFromModel:
    def test_right_and_wrong(self):
        """A right score agrees; a wrong one is said to be twice too large."""
        assert fastgrad.check(fastgrad.Problem.from_model(Exponential(), [0.1, 0.7])).passed
        report = fastgrad.check(fastgrad.Problem.from_model(Wrong(), [0.1, 0.7]))
        assert [f.label for f in report.wrong] == ["params['b']", "params['a']"]
        assert "claimed = 2 * numeric" in report.diagnosis[0]

    def test_other_names(self):
        """Other names in use are found by themselves, and any can be given."""
        assert fastgrad.check(fastgrad.Problem.from_model(Renamed(), [0.1, 0.7])).passed
        problem = fastgrad.Problem.from_model(Renamed(), [0.1, 0.7], loglike="with_prior")
        assert repr(problem) == "Problem(cost=Renamed.with_prior, gradient=Renamed.gradient)"

    def test_the_model_is_left_alone(self):
        """A model that keeps its parameters is copied: the user's own stays as it was."""

        class Keeps(Exponential):
            kept = None

            def loglike(self, theta):
                self.kept = theta.copy()
                return super().loglike(theta)

            def score(self, theta):
                assert self.kept is not None
                return super().score(self.kept)

        model = Keeps()
        assert fastgrad.check(fastgrad.Problem.from_model(model, [0.1, 0.7])).passed
        assert model.kept is None

    # what is given, keywords, what is said
    REFUSED = (
        (Exponential, {}, "a model is an object, not a class: pass Exponential"),
        (Exponential(), {"score": "slope"}, "has no method slope; another name can be given with score="),
        (object(), {}, "object has no method loglike or loglikelihood or log_likelihood"),
        (Exponential(), {"names": ["a"]}, "a name for each of the 2 parameters; got a list of length 1"),
        (Exponential(), {"names": "ab"}, "a name for each of the 2 parameters; got str 'ab'"),
    )

    @pytest.mark.parametrize(("model", "keywords", "said"), REFUSED)
    def test_refused(self, model, keywords, said):
        """What is no model is refused with what is missing."""
        with pytest.raises(InputError, match=said):
            fastgrad.Problem.from_model(model, [0.1, 0.7], **keywords)

    def test_parameters_that_are_none(self):
        """Parameters of three axes, or of integers in an array, are refused."""
        with pytest.raises(
            InputError, match="must be a vector of all parameters; got float64 array of shape"
        ):
            fastgrad.Problem.from_model(Exponential(), np.ones((1, 1, 2)))
        with pytest.raises(InputError, match="An integer cannot be perturbed"):
            fastgrad.Problem.from_model(Exponential(), np.arange(2))


class TestNames:
    def test_labels_of_pandas(self):
        """A Series gives its labels, a DataFrame pairs of them, column by column."""
        values, names = flat_parameters(pd.Series([1.0, 2.0], index=["a", "b"]))
        assert (values.tolist(), names) == ([1.0, 2.0], ("a", "b"))
        frame = pd.DataFrame([[1.0, 3.0], [2.0, 4.0]], index=["a", "b"], columns=["one", "two"])
        values, names = flat_parameters(frame)
        assert values.tolist() == [1.0, 2.0, 3.0, 4.0]
        assert names == (("a", "one"), ("b", "one"), ("a", "two"), ("b", "two"))

    # what the model has, size, names
    CASES = (
        ({"exog_names": ["a", "b"]}, 2, ("a", "b")),
        ({"exog_names": ["a", "b"], "param_names": ["ar", "sigma2"]}, 2, ("ar", "sigma2")),
        ({"exog_names": ["a"], "extra_params_names": ["alpha"]}, 2, ("a", "alpha")),
        ({"exog_names": ["a"]}, 3, ("a", 1, 2)),
        ({"exog_names": ["a", "b", "c"]}, 2, None),
        ({"exog_names": ["a", "b"], "J": 3}, 4, (("a", 0), ("b", 0), ("a", 1), ("b", 1))),
        ({}, 2, None),
    )

    @pytest.mark.parametrize(("has", "size", "names"), CASES)
    def test_names_of_the_model(self, has, size, names):
        """A model's names are taken where they are as many as its parameters; others have numbers."""
        assert coordinate_names(type("Model", (), has)(), size, None) == names

    def test_given_names_come_first(self):
        """Names that the user gives, or labels of the parameters, are taken before those of the model."""
        problem = fastgrad.Problem.from_model(Wrong(), pd.Series([0.1, 0.7], index=["x", "y"]))
        assert problem.params.names == ("x", "y")
        assert fastgrad.Problem.from_model(Wrong(), problem.params, names=["u", "v"]).params.names == (
            "u",
            "v",
        )

    def test_method_called(self):
        """Each method is found by the first of its names."""
        assert method_called(Exponential(), "score", None) == "score"
        assert method_called(Renamed(), "loglike", None) == "log_prob"


class TestStatsmodels:
    @pytest.fixture
    def sm(self):
        """statsmodels, where it is installed."""
        return pytest.importorskip("statsmodels.api")

    @pytest.mark.parametrize("name", ["Poisson", "NegativeBinomial", "Logit"])
    def test_scores(self, sm, name):
        """Scores of statsmodels agree, and a wrong entry of a twin has the name of its column."""
        model = getattr(sm, name)(np.minimum(COUNTS, 1) if name == "Logit" else COUNTS, X)
        params = np.full(len(model.exog_names), 0.3)
        assert fastgrad.check(fastgrad.Problem.from_model(model, params)).passed

        report = fastgrad.check(fastgrad.Problem.from_model(Off(model), params))
        assert [f.label for f in report.wrong] == ["params['age']"]

    def test_alpha_has_its_name(self, sm):
        """What a negative binomial model has beside its regressors is called alpha."""
        problem = fastgrad.Problem.from_model(sm.NegativeBinomial(COUNTS, X), np.full(4, 0.3))
        assert problem.params.names == ("const", "age", "dose", "alpha")

    def test_multinomial(self, sm):
        """A DataFrame of coefficients is taken column by column, as the model itself does."""
        model = sm.MNLogit(COUNTS % 3, X)
        params = pd.DataFrame(RNG.normal(size=(3, 2)), index=X.columns)
        assert fastgrad.check(fastgrad.Problem.from_model(model, params)).passed
