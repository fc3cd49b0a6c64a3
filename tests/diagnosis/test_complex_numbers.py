"""Gradients by complex numbers: the convention that a wrong one matches is named."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad

RNG = np.random.default_rng(5)
Z = RNG.normal(size=6) + 1j * RNG.normal(size=6)


def cost(z):
    """A real cost."""
    return float(np.sum(np.abs(z) ** 4 + z.real))


def gradient(z):
    """dL/da + i dL/db."""
    return 4 * np.abs(z) ** 2 * z + 1


# what is claimed, what is said
CLAIMS = (
    (np.conj, "it matches dL/da - i dL/db, which jax.grad and autograd give; what is"),
    (np.conj, "which torch gives: return np.conj(...) of it"),
    (
        lambda g: g / 2,
        "it matches dL/dz* = (dL/da + i dL/db) / 2, the conjugate Wirtinger derivative; what is",
    ),
    (lambda g: g / 2, "which torch gives: return 2 * it"),
    (lambda g: g.conj() / 2, "it matches dL/dz = (dL/da - i dL/db) / 2, the Wirtinger derivative; what is"),
    (lambda g: g.conj() / 2, "which torch gives: return 2 * np.conj(...) of it"),
    (np.real, "the imaginary part is 0 in every entry, the numeric one up to"),
    (np.negative, "claimed = -1 * numeric in every entry: a minus sign is missing"),
    (
        lambda g: g.real + 1.3j * g.imag,
        "only in the imaginary parts (6 of 12 entries), claimed = 1.3 * numeric",
    ),
)


@pytest.mark.parametrize(("turn", "said"), CLAIMS)
def test_conventions(turn, said):
    """A gradient in another convention disagrees, and is told which one it is in."""
    report = fastgrad.check_gradient(cost, lambda z: turn(gradient(z)), Z)
    assert report.verdict == "disagree"
    assert said in report.diagnosis[0]


def test_of_one_number():
    """One number is enough to tell the conventions apart."""
    report = fastgrad.check_gradient(cost, lambda z: gradient(z).conj(), Z[:1])
    assert "which jax.grad and autograd give" in report.diagnosis[0]


def test_real_parameters_have_no_convention():
    """Half of a real gradient is a factor, and not a derivative by a complex number."""
    report = fastgrad.check_gradient(lambda x: float(x @ x), lambda x: x, Z.real.copy())
    assert "Wirtinger" not in report.diagnosis[0]
    assert "claimed = 0.5 * numeric" in report.diagnosis[0]


def test_where_nothing_can_be_told():
    """Where the gradient has no imaginary part its conjugate is right."""
    report = fastgrad.check_gradient(lambda z: float(np.sum(z.real**2)), lambda z: 2 * z.real + 0j, Z)
    assert report.passed
