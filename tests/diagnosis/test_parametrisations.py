"""Factors that are functions of the parameter."""

from __future__ import annotations

import numpy as np
import pytest
from diagnosis_cases import block, diagnosed, kinds, put
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.diagnosis.diagnose import diagnose
from fastgrad.diagnosis.parametrisations import CHANGES, FORMULAS

X = np.array([0.31234567, 0.72345671, 0.55456712, 0.83567123, 0.21173461])
D = np.array([1.3, -0.4, 2.2, 0.9, -3.1])


def sentence(*blocks, **given):
    """The only sentence that is said."""
    (found,) = diagnose(blocks, **given)
    return found.sentence


def sigmoid(x):
    """1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


FACTORS = {
    "x": (X, "derivative by log(x)"),
    "1/x": (1 / X, "the chain rule of log(x)"),
    "exp(-x)": (np.exp(-X), "derivative by exp(x)"),
    "exp(x)": (np.exp(X), "the chain rule of exp(x)"),
    "1/(2x)": (0.5 / X, "derivative by x^2"),
    "2x": (2 * X, "the chain rule of x^2"),
    "2 sqrt(x)": (2 * np.sqrt(X), "derivative by sqrt(x)"),
    "1/(2 sqrt(x))": (0.5 / np.sqrt(X), "the chain rule of sqrt(x)"),
    "-x^2": (-(X**2), "derivative by 1/x"),
    "-1/x^2": (-1 / X**2, "the chain rule of 1/x"),
    "x (1 - x)": (X * (1 - X), "derivative by logit(x)"),
    "1/(x (1 - x))": (1 / (X * (1 - X)), "the chain rule of logit(x)"),
    "sigmoid'(x)": (sigmoid(X) * (1 - sigmoid(X)), "the chain rule of sigmoid(x)"),
    "1/sigmoid'(x)": (1 / (sigmoid(X) * (1 - sigmoid(X))), "derivative by sigmoid(x)"),
    "(1 - tanh(x)^2)": (1 - np.tanh(X) ** 2, "the chain rule of tanh(x)"),
    "(1 - x^2)": (1 - X**2, "derivative by atanh(x)"),
    "sigmoid(x)": (sigmoid(X), "the chain rule of softplus(x)"),
    "(1 - exp(-x))": (1 - np.exp(-X), "derivative by log(exp(x) - 1)"),
    "x/2": (X / 2, "derivative by log(x^2)"),
    "2 exp(2x)": (2 * np.exp(2 * X), "the chain rule of exp(2x)"),
    "2 exp(-x/2)": (2 * np.exp(-X / 2), "derivative by exp(x/2)"),
    "-exp(x)": (-np.exp(X), "derivative by exp(-x)"),
    "-x^3/2": (-(X**3) / 2, "derivative by 1/x^2"),
    "-2 x^1.5": (-2 * X**1.5, "derivative by 1/sqrt(x)"),
    "(1 + x)": (1 + X, "derivative by log(1 + x)"),
    "x ln 10": (X * np.log(10), "derivative by log10(x)"),
    "10^x ln 10": (10**X * np.log(10), "the chain rule of 10^x"),
}


class TestNamed:
    @pytest.mark.parametrize("formula", FACTORS)
    def test_formula(self, formula):
        """Each chain rule that is forgotten, or applied twice, is named: in a block and in a single entry."""
        phi, meaning = FACTORS[formula]
        for said in (
            sentence(block("p", phi * D, D, x=X)),
            sentence(block("p", put(D, 4, phi[4] * D[4]), D, x=X)),
            sentence(block("p", phi[0] * D[0], D[0], x=X[0])),
        ):
            assert f"claimed = {formula} * numeric" in said
            assert meaning in said

    def test_sign(self):
        """With the sign wrong too, both are said."""
        said = sentence(block("p", -X * D, D, x=X))
        assert said.startswith(
            "p: claimed = -(x) * numeric in every entry, x being the parameter: the sign is wrong, and the "
            "claim is the derivative by log(x)"
        )

    def test_two_meanings(self):
        """A factor that two mistakes leave is given both meanings."""
        said = sentence(block("p", 2 * X * D, D, x=X))
        assert "the chain rule of x^2" in said
        assert "or the claim is the derivative by log(sqrt(x))" in said

    def test_some_entries(self):
        """Entries in another parametrisation than the rest are named by their labels."""
        said = sentence(block("p", put(D, [1, 3], (D / X)[[1, 3]]), D, x=X))
        assert said.startswith(
            "p: 2 of 5 entries are wrong (p[1] and p[3]), all in the same way: claimed = 1/x * numeric, x "
            "being the parameter: the chain rule of log(x)"
        )

    def test_a_range(self):
        """Many such entries are named by their range."""
        x, d = np.tile(X, 2), np.concatenate([D, D + 0.1])
        said = sentence(block("p", put(d, slice(6, None), (d * np.exp(x))[6:]), d, x=x))
        assert said.startswith(
            "p: wrong from p[6] on (4 of 10 entries), claimed = exp(x) * numeric there, x being"
        )

    def test_diagonal(self):
        """A diagonal that is given as logs, as of a Cholesky factor, is named as a diagonal."""
        A = np.random.default_rng(0).uniform(0.5, 2, size=(4, 4))
        said = sentence(block("L", A**2 * np.where(np.eye(4), np.exp(A), 1), A**2, x=A))
        assert said.startswith(
            "L: wrong only on the diagonal (4 of 16 entries), claimed = exp(x) * numeric there"
        )

    def test_blocks_share_a_sentence(self):
        """Several blocks with the same mistake share a sentence."""
        (found,) = diagnose([block("a", X * D, D, x=X), block("s", X[0] * 1.3, 1.3, x=X[0])])
        assert found.blocks == ("a", "s")

    def test_beside_a_factor(self):
        """A chain rule and a constant factor are told apart, the factor with its name."""
        said = sentence(block("p", 0.125 * X * D, D, x=X), lengths=(8,))
        assert said.startswith("p: claimed = 0.125 * x * numeric in every entry, x being the parameter")
        assert "; beside that a factor: a mean over the 8 entries along an axis of the data" in said

    def test_parameters_that_are_all_one_number(self):
        """Where all parameters are 2, a factor of 2 may be x: both are said."""
        said = sentence(block("p", 2 * D, D, x=np.full(5, 2.0)))
        assert "claimed = 2 * numeric in every entry: the 1/2 of a square is missing" in said
        assert "or it is x with x = 2, the parameter: the claim is the derivative by log(x)" in said

    def test_short_numbers(self):
        """Numbers of two digits have many formulas in common: it is said as a possibility."""
        said = sentence(block("s", 0.7 * 1.3, 1.3, x=0.7))
        assert said.startswith(
            "s: claimed = 0.7 * numeric in every entry, perhaps as x = 0.7, x being the parameter: the claim "
            "is the derivative by log(x)"
        )
        entry = sentence(block("p", put(D, 2, D[2] / 1.4), D, x=put(X, 2, 0.7)))
        assert "(claimed = 0.714286 * numeric, perhaps as 1/(2x) = 0.714286, x being the parameter: " in entry


class TestNotNamed:
    @pytest.mark.parametrize("phi", [X + 1e-5, X**1.0001, np.cos(X)])
    def test_near_a_formula(self, phi):
        """A factor that is off every formula by more than the bounds is not named."""
        assert kinds(block("p", phi * D, D, x=X)) == ["unexplained"]

    def test_near_a_factor_of_one(self):
        """A formula times a number next to 1 is given with that number."""
        said = sentence(block("p", 1.00001 * X * D, D, x=X))
        assert said.startswith("p: claimed = 1.00001 * x * numeric in every entry")

    def test_single_entry_hardly_known(self):
        """A single entry that is known to three digits is no evidence for any of so many formulas."""
        d = np.array([1.3])
        assert kinds(block("s", 0.71 * d, d, e=1e-3 * d, x=np.array([0.71]))) == ["unexplained"]

    def test_one_entry_does_not_fit(self):
        """One entry that the formula does not explain, and it is not the formula of the block."""
        assert kinds(block("p", put(X * D, 2, 9.0), D, x=X)) == ["unexplained"]

    def test_parameters_of_zero(self):
        """Where all parameters are 0 or 1 no factor is a function of theirs that says anything."""
        assert kinds(block("p", 1.37 * D, D, x=np.zeros(5))) == ["factor"]

    @given(st.integers(0, 10**6))
    def test_random_errors(self, seed):
        """An error at random in a single entry is no chain rule."""
        rng = np.random.default_rng(seed)
        d, x = rng.normal(size=(2, 6))
        assert kinds(block("p", put(d, 3, rng.normal()), d, x=x)) == ["entry"]
        assert "claimed =" not in sentence(block("p", put(d, 3, rng.normal()), d, x=x))


class TestTheTable:
    def test_slopes(self):
        """Each derivative of the table is that of its h."""
        functions = {
            "logit(x)": lambda x: np.log(x / (1 - x)),
            "sigmoid(x)": sigmoid,
            "atanh(x)": np.arctanh,
            "softplus(x)": lambda x: np.log1p(np.exp(x)),
        }
        names = {name: getattr(np, name) for name in ("log", "exp", "sqrt", "tanh", "log10")}
        for change in CHANGES:
            expression = change.h.replace("^", "**").replace("2x", "2*x")
            h = functions.get(change.h) or (lambda x, e=expression: eval(e, names, {"x": x}))
            step = 1e-5
            slope = (h(X + step) - h(X - step)) / (2 * step)
            assert change.derivative(X) == pytest.approx(slope, rel=1e-7), change.h

    def test_texts(self):
        """Each formula is what its text says."""
        names = {name: getattr(np, name) for name in ("exp", "sqrt", "tanh", "log")} | {"sigmoid": sigmoid}
        for formula in FORMULAS:
            text = formula.text.replace("^", "**").replace("ln 10", "log(10)").replace("x log", "x*log")
            for a, b in (
                ("2x", "2*x"),
                ("2 ", "2*"),
                ("x (", "x*("),
                ("* *", "*"),
                ("sigmoid'(x)", "(sigmoid(x)*sigmoid(-x))"),
            ):
                text = text.replace(a, b)
            assert eval(text, names, {"x": X}) == pytest.approx(formula.phi(X)), formula.text


Y = np.random.default_rng(0).normal(1.0, 2.0, size=40)


class TestEndToEnd:
    def test_score_by_the_scale_for_a_log_scale(self):
        """The last parameter is the log of a scale, the score is written in the scale: its entry is named."""

        def cost(p):
            return len(Y) * p[1] + 0.5 * np.sum((Y - p[0]) ** 2) * np.exp(-2 * p[1])

        def score(p):
            s = np.exp(p[1])
            return np.array([-np.sum(Y - p[0]) / s**2, len(Y) / s - np.sum((Y - p[0]) ** 2) / s**3])

        (said,) = diagnosed(cost, score, np.array([0.3, 0.4]))
        assert said.startswith("params: only params[1] is wrong of 2 entries")
        assert "claimed = exp(-x) * numeric" in said

    def test_variance_and_sd(self):
        """A parameter that is a variance, and a score by the standard deviation."""

        def cost(p):
            return 0.5 * len(Y) * np.log(p["v"]) + 0.5 * np.sum((Y - 0.3) ** 2) / p["v"]

        def score(p):
            s = np.sqrt(p["v"])
            return {"v": len(Y) / s - np.sum((Y - 0.3) ** 2) / s**3}

        (said,) = diagnosed(cost, score, {"v": np.array(1.9)})
        assert said.startswith("v: claimed = 2 sqrt(x) * numeric")

    def test_logits(self):
        """A binomial likelihood in logits, with the derivative by the probability, and the reverse."""
        k, n = np.array([3, 5, 2, 7.0]), np.array([10, 9, 11, 12.0])

        def by_p(p):
            return -(k / p - (n - k) / (1 - p))

        def cost(p):
            return -np.sum(k * np.log(p) + (n - k) * np.log(1 - p))

        (of_logit,) = diagnosed(
            lambda z: cost(sigmoid(z)), lambda z: by_p(sigmoid(z)), np.array([0.2, -1.1, 0.7, 0.4])
        )
        (of_p,) = diagnosed(cost, lambda p: -(k - n * p), np.array([0.2, 0.35, 0.7, 0.4]))
        assert of_logit.startswith("params: claimed = 1/sigmoid'(x) * numeric in every entry")
        assert of_p.startswith("params: claimed = x (1 - x) * numeric in every entry")
