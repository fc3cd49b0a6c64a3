"""Random functions with random patterns: right Jacobians agree, one wrong entry is found and named."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import fastgrad
from fastgrad.options import Options
from fastgrad.vector.at_once import is_right
from fastgrad.vector.claims import TransposedProduct
from fastgrad.vector.projection import VectorProblem

EXAMPLES = int(os.environ.get("FASTGRAD_EXAMPLES", "15"))


class Function:
    """F_k(x) = c_k sum_i tanh(a_ki x_i) over the pattern of a, with outputs and parameters of mixed sizes."""

    def __init__(self, seed, m, n, density):
        rng = np.random.default_rng(seed)
        self.a = rng.uniform(0.3, 1.5, (m, n)) * rng.choice([-1, 1], (m, n)) * (rng.random((m, n)) < density)
        self.a[rng.integers(m), rng.integers(n)] = 1.0
        self.c = 10.0 ** rng.integers(-6, 7, m)
        self.s = 10.0 ** rng.integers(-3, 4, n)
        self.x = self.s * rng.uniform(0.2, 1.0, n) * rng.choice([-1, 1], n)

    def __call__(self, x):
        """F."""
        return self.c * np.tanh(self.a * (x / self.s)).sum(axis=1)

    def jacobian(self, x):
        """J."""
        return self.c[:, None] * self.a / np.cosh(self.a * (x / self.s)) ** 2 / self.s


functions = st.builds(
    Function,
    st.integers(0, 2**31),
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from([0.02, 0.1, 0.5, 1]),
)


def given_as(kind, J):
    """The same Jacobian, as each check takes it."""
    if kind == "sparse":
        return "check_jacobian", sparse.csr_array(J)
    if kind == "dense":
        return "check_jacobian", lambda x: J
    return ("check_vjp", lambda x, u: J.T @ u) if kind == "vjp" else ("check_jvp", lambda x, v: J @ v)


KINDS = ["sparse", "dense", "vjp", "jvp"]


@pytest.mark.parametrize("kind", KINDS)
@given(function=functions)
@settings(max_examples=EXAMPLES)
def test_right(kind, function):
    """A right Jacobian agrees."""
    J = function.jacobian(function.x)
    if kind != "dense":
        check, claimed = given_as(kind, J)
    else:
        check, claimed = "check_jacobian", function.jacobian
    report = getattr(fastgrad, check)(function, claimed, function.x)
    assert report.verdict == "agree", str(report)


@pytest.mark.parametrize("kind", KINDS)
@given(function=functions, off=st.sampled_from([0.0, 0.99, 1.01, -1.0]), which=st.integers(0, 2**31))
@settings(max_examples=EXAMPLES)
def test_one_wrong(kind, function, off, which):
    """One entry that is off by a hundredth or more, or left out, is found wherever it is."""
    J = function.jacobian(function.x)
    entries = np.argwhere(np.abs(function.a) > 0)
    k, i = entries[which % len(entries)]
    J[k, i] *= off
    check, claimed = given_as(kind, J)
    report = getattr(fastgrad, check)(function, claimed, function.x)
    assert report.verdict == "disagree", str(report)
    assert (k, i) in [(e.output_index, e.flat_index) for e in report.entries], str(report)


@pytest.mark.parametrize("kind", ["sparse", "vjp"])
@given(function=functions, off=st.sampled_from([1.0, 0.0, -1.0]), which=st.integers(0, 2**31))
@settings(max_examples=EXAMPLES)
def test_single(kind, function, off, which):
    """In float32 nothing right is called wrong, and nothing grossly wrong right."""
    J = function.jacobian(function.x).astype(np.float32)
    entries = np.argwhere(np.abs(function.a) > 0)
    k, i = entries[which % len(entries)]
    J[k, i] *= off
    check, claimed = given_as(kind, J)
    report = getattr(fastgrad, check)(
        lambda x: function(x.astype(np.float64)).astype(np.float32), claimed, function.x.astype(np.float32)
    )
    assert report.verdict != ("disagree" if off == 1 else "agree"), str(report)


@given(function=functions, off=st.sampled_from([1.0, 0.0, 0.99, -1.0]), which=st.integers(0, 2**31))
@settings(max_examples=EXAMPLES)
def test_at_once(function, off, which):
    """What is called right at once is what a whole check calls right; a wrong entry never is."""
    J = function.jacobian(function.x)
    entries = np.argwhere(np.abs(function.a) > 0)
    k, i = entries[which % len(entries)]
    J[k, i] *= off
    claim = TransposedProduct(lambda x, u: J.T @ u, VectorProblem(function, function.x, (), Options()))
    if is_right(claim):
        assert off == 1
        assert fastgrad.check_vjp(function, claim.vjp, function.x).verdict == "agree"


def test_missing_beside_a_bent_row():
    """An entry that lacks in float32 is found, though its column is moved with another and the row bends."""
    function, k, i = Function(1825, 3, 38, 0.5), 2, 29
    J = function.jacobian(function.x).astype(np.float32)
    assert J[k, i] != 0
    J[k, i] = 0
    report = fastgrad.check_jacobian(
        lambda x: function(x.astype(np.float64)).astype(np.float32),
        sparse.csr_array(J),
        function.x.astype(np.float32),
    )
    assert report.verdict == "disagree"
    assert [f.flat_index for f in report.wrong] == [i]


CALLED_WRONG = [(10, 15), (34, 1), (50, 32), (93, 15), (203, 1), (462, 4), (559, 34)]
"""Seeds of right float32 functions that were called wrong at a parameter: each moves one output, by steps
that are rounded alike, or its rounding was not known to the sum of outputs, which is float64."""


@pytest.mark.parametrize(("seed", "at"), CALLED_WRONG)
def test_outputs_in_single_precision(seed, at):
    """A few outputs in float32, each of which few parameters move, are as rough as float32 is."""
    rng = np.random.default_rng(seed)
    function = Function(seed, int(rng.integers(1, 12)), int(rng.integers(10, 41)), 0.02)
    J = function.jacobian(function.x).astype(np.float32)
    claims = [J, J.copy()]
    claims[1][:, at] *= 1.1
    verdicts = [
        fastgrad.check_vjp(
            lambda x: function(x.astype(np.float64)).astype(np.float32),
            lambda x, u, J=J: J.T @ u,
            function.x.astype(np.float32),
        ).verdict
        for J in claims
    ]
    assert verdicts[0] != "disagree"
    assert verdicts[1] == "disagree"
