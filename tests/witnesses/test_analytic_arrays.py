"""A cost that runs to its end on followed arrays is analytic; one that loses an imaginary part does not."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.problem.parameters import Parameters
from fastgrad.problem.problem import Problem
from fastgrad.witnesses.analytic_arrays import (
    BRANCHES,
    FUNCTIONS,
    METHODS,
    UFUNCS,
    Followed,
    NotAnalytic,
    why_not_analytic,
)
from fastgrad.witnesses.functions import Functions

X = np.linspace(0.2, 1.4, 6).reshape(2, 3)


def reason(cost, x=X, args=()):
    """Why a cost is not believed to be analytic."""
    return why_not_analytic(Functions(Problem(cost, None, x, args), Parameters(x)))


ANALYTIC = {
    "polynomial": lambda x: np.sum(x**3 - 2 * x),
    "functions": lambda x: np.sum(np.tanh(x) * np.exp(-x) + np.log1p(x) / np.sqrt(x)),
    "products": lambda x: np.sum((x @ x.T) @ np.ones(2)),
    "einsum": lambda x: np.einsum("ij,kj->", x, x),
    "method": lambda x: (x.reshape(-1)[1:] * 2).sum() + x.mean(),
    "branches": lambda x: np.sum(np.where(x > 0.5, x**2, x) + np.maximum(x, 0.3)),
    "solve": lambda x: np.sum(np.linalg.solve(x @ x.T, np.ones(2))),
    "determinant": lambda x: np.log(np.linalg.det(x @ x.T)),
    "softmax": lambda x: np.sum(np.log(np.exp(x - x.max(axis=1, keepdims=True)).sum(axis=1))),
    "own buffer": lambda x: write_into(x),
    "list": lambda x: np.sum(np.stack([row * 2 for row in x])),
    "Python's sum": lambda x: sum(v * v for v in x.ravel()),
}


def write_into(x):
    """A cost that fills a copy of its parameters."""
    out = x.copy()
    out[0] = out[0] ** 2
    return out.sum()


NOT_ANALYTIC = {
    "abs": (lambda x: np.sum(np.abs(x)), "np.absolute"),
    "Python's abs": (lambda x: np.sum(abs(x)), "np.absolute"),
    "norm": (lambda x: np.linalg.norm(x), "np.norm"),
    "conjugate": (lambda x: np.sum(x * np.conj(x)), "np.conjugate"),
    "real": (lambda x: np.sum(x.real), ".real"),
    "function real": (lambda x: np.sum(np.real(x)), "np.real"),
    "variance": (lambda x: np.var(x), "np.var"),
    "vdot": (lambda x: np.vdot(x, x), "np.vdot"),
    "cast": (lambda x: np.sum(x.astype(float)), ".astype"),
    "asarray": (lambda x: np.sum(np.asarray(x)), "a conversion to a plain array"),
    "buffer of reals": (lambda x: fill(np.zeros(X.shape), x), "a conversion to a plain array"),
    "out of reals": (lambda x: np.sum(np.add(x, 1, out=np.zeros(X.shape))), "np.add"),
    "float": (lambda x: float(np.sum(x)), r"float\(\)"),
    "math": (lambda x: math.exp(x[0, 0]), r"float\(\)"),
    "eigenvalues": (lambda x: np.sum(np.linalg.eigvalsh(x @ x.T)), "np.eigvalsh"),
    "rounding": (lambda x: np.sum(np.floor(x)), "np.floor"),
    "truth": (lambda x: np.sum(x) if x[0, 0] else 0.0, "a truth value"),
}


def fill(buffer, x):
    """A cost that goes through a buffer."""
    buffer[:] = x
    return buffer.sum()


class TestWhyNot:
    @pytest.mark.parametrize("cost", ANALYTIC.values(), ids=ANALYTIC.keys())
    def test_analytic(self, cost):
        """Costs of moves, sums, products, smooth functions and branches are followed to the end."""
        assert reason(cost) == ""

    @pytest.mark.parametrize(("cost", "said"), NOT_ANALYTIC.values(), ids=NOT_ANALYTIC.keys())
    def test_not_analytic(self, cost, said):
        """Whatever may lose an imaginary part is refused by its name."""
        assert re.search(f"^it uses {said}, through which", reason(cost))

    def test_part_of_it(self):
        """One small term that is not analytic is enough."""
        assert "np.absolute" in reason(lambda x: np.sum(x**2) + 1e-30 * np.sum(np.abs(x)))

    def test_data_may_be_anything(self):
        """Only what comes from the parameters is followed: data may be made absolute."""
        data = np.array([-1.0, 2.0, -3.0])
        assert reason(lambda x, d: np.sum(x @ np.abs(d)), args=(data,)) == ""

    def test_a_value_from_elsewhere(self):
        """A cost whose value is a plain number does not come from its parameters alone."""
        assert reason(lambda x: 1.0) == "its value does not come from its parameters alone"

    def test_something_else_raises(self):
        """What cannot deal with a followed array at all is named by its exception."""
        assert reason(lambda x: x.no_such_thing) == (
            "it uses .no_such_thing, through which no complex step can be followed"
        )
        assert reason(lambda x: len(None)) == "it cannot be followed (TypeError)"


class TestFollowed:
    @given(st.sampled_from(sorted(ANALYTIC)), st.integers(0, 100))
    def test_same_value_and_same_derivative(self, name, seed):
        """A followed cost has the complex cost's value, and its derivative is that of real differences."""
        rng = np.random.default_rng(seed)
        x, v = X + 0.1 * rng.random(X.shape), rng.normal(size=X.shape)
        cost = ANALYTIC[name]
        followed = cost(Followed(x + 1e-30j * v)).value
        assert followed == cost(x + 1e-30j * v)
        h = 1e-6
        real = (cost(x + h * v) - cost(x - h * v)) / (2 * h)
        assert followed.imag / 1e-30 == pytest.approx(real, rel=1e-6, abs=1e-7)

    def test_every_name_is_one(self):
        """Each name in the lists is one of NumPy's: none is misspelt, and so silently refused."""
        places = (np, np.linalg, np.fft, np.ndarray)
        names = UFUNCS | BRANCHES | FUNCTIONS | METHODS
        assert [n for n in sorted(names) if not any(hasattr(place, n) for place in places)] == []

    def test_numbers_cannot_be_taken_out(self):
        """Neither int() nor complex() nor iteration hands out a bare number."""
        x = Followed(X[0].astype(complex))
        assert all(isinstance(entry, Followed) for entry in x)
        for take in (int, complex):
            with pytest.raises(NotAnalytic):
                take(x[0])
