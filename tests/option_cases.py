"""Small problems of many kinds, right and with one entry off, and options of a check in every combination."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from hypothesis import strategies as st

A = np.random.default_rng(5).normal(size=(12, 8))
B = np.random.default_rng(6).normal(size=(20, 8))


def waves(x):
    """Each coordinate by itself."""
    return np.sum(np.sin(x)), np.cos(x)


def quadratic(x):
    """A quadratic form, which couples all of them."""
    a = A[:, : len(x)].astype(x.real.dtype)
    return np.sum((a @ x) ** 2) / 2, a.T @ (a @ x)


def softmax(x):
    """The logarithm of a sum of exponentials."""
    b = B[:, : len(x)].astype(x.real.dtype)
    e = np.exp(b @ x)
    return np.log(np.sum(e)), b.T @ (e / np.sum(e))


def likelihood(x):
    """That of a logistic regression."""
    b = B[:, : len(x)].astype(x.real.dtype)
    return np.sum(np.log(1 + np.exp(-(b @ x)))), -b.T @ (1 / (1 + np.exp(b @ x)))


def valley(x):
    """A narrow bent valley."""
    g = 2 * (x - 1)
    g[1:] += 20 * (x[1:] - x[:-1] ** 2)
    g[:-1] -= 40 * x[:-1] * (x[1:] - x[:-1] ** 2)
    return np.sum((x - 1) ** 2) + 10 * np.sum((x[1:] - x[:-1] ** 2) ** 2), g


def bells(x):
    """A product of bells."""
    value = np.exp(-np.sum(x**2) / 2)
    return value, -x * value


def rational(x):
    """Poles away from the real line."""
    return np.sum(1 / (1 + x**2)), -2 * x / (1 + x**2) ** 2


def distance(x):
    """A root of a sum of squares, which is nowhere zero."""
    root = np.sqrt(1 + np.sum(x**2))
    return root, x / root


def powers(x):
    """Terms whose derivatives are of unlike size."""
    k = np.arange(1, len(x) + 1).astype(x.real.dtype)
    return np.sum(10**-k * (x + x**3)), 10**-k * (1 + 3 * x**2)


def line(x):
    """A linear cost."""
    a = A[0, : len(x)].astype(x.real.dtype)
    return np.sum(a * x), a + 0 * x


COSTS = (waves, quadratic, softmax, likelihood, valley, bells, rational, distance, powers, line)
"""Each gives the value and the gradient; they carry complex numbers through, and stay in float32."""

STRUCTURES = {
    "array": (lambda x: x, lambda p: p),
    "matrix": (lambda x: x[None], lambda p: p[0]),
    "dict": (lambda x: {"a": x[:1], "b": x[1:]}, lambda p: np.concatenate([p["a"], p["b"]])),
    "list": (lambda x: [x[:2], x[2:]], lambda p: np.concatenate(p)),
    "nested": (
        lambda x: {"a": (x[:1], {"c": x[1:]})},
        lambda p: np.concatenate([p["a"][0], p["a"][1]["c"]]),
    ),
    "blocks of one": (lambda x: tuple(x[k : k + 1] for k in range(len(x))), lambda p: np.concatenate(p)),
    "numbers": (lambda x: [float(v) for v in x], lambda p: np.array(p)),
    "series": (lambda x: pd.Series(x, [f"x{k}" for k in range(len(x))]), lambda p: p.to_numpy()),
}
"""How parameters may come: from a flat array to the structure, and back."""


@dataclass(frozen=True, eq=False)
class Case:
    """A cost, where its gradient is checked, which entry of the claim is off, and the options."""

    cost: object
    x: np.ndarray
    structure: str
    factor: float
    offset: float
    at: int | None
    """The entry that is off by 1%; None for the right gradient."""
    as_values: bool
    in_float32: bool
    """Whether the claim is rounded to float32."""
    checkpoint: bool
    """Whether the check is kept in a file, and made again from there."""
    options: dict = field(default_factory=dict)

    @property
    def params(self):
        """The parameters as the user has them."""
        return STRUCTURES[self.structure][0](self.x)

    def value(self, params):
        """The cost."""
        with np.errstate(all="ignore"):
            value = self.factor * self.cost(STRUCTURES[self.structure][1](params))[0] + self.offset
        return value.astype(np.float32) if self.x.dtype == np.float32 and np.isrealobj(value) else value

    def batch(self, params):
        """The cost of a batch of arrays."""
        return np.array([self.value(x) for x in params])

    def claim(self, params):
        """The claimed gradient."""
        with np.errstate(all="ignore"):
            g = self.factor * self.cost(STRUCTURES[self.structure][1](params))[1]
        if self.at is not None:
            g = g * np.where(np.arange(len(g)) == self.at, 1.01, 1.0)
        return STRUCTURES[self.structure][0](g.astype(np.float32 if self.in_float32 else self.x.dtype))

    def __repr__(self):
        shown = {name: getattr(self, name) for name in ("structure", "factor", "offset", "at")}
        return (
            f"Case({self.cost.__name__}, {self.x.tolist()} {self.x.dtype}, {shown}, {self.as_values=}, "
            f"{self.in_float32=}, {self.checkpoint=}, {self.options})"
        )


def _coordinates(n):
    """Everything, a number of them, a fraction, or some by name."""
    return st.one_of(
        st.sampled_from(["auto", "all", 1, n, 0.5, 1.0]),
        st.lists(st.integers(0, n - 1), min_size=1, max_size=n, unique=True).map(
            lambda some: np.array(sorted(some))
        ),
    )


def _option(*values):
    return st.sampled_from(values)


def options(n):
    """Some of the options, each with a value that it may have."""
    return st.fixed_dictionaries(
        {
            "progress": st.just(False),
            "tolerance": _option(None, None, 1e-2, 1e-4, 1e-6, 1e-9, 0.0),
        },
        optional={
            "coordinates": _coordinates(n),
            "seed": st.integers(0, 5),
            "method": _option("forward", "central", "central4", "central6", "complex"),
            "step": _option(None, 1e-7, 1e-5, 1e-3, 0.1, 1e-12),
            "perturb": _option("parameters", "auto"),
            "engine": _option("auto", "python"),
            "n_jobs": _option(None, 1, 2),
            "backend": _option(None, "threading"),
            "resolution": _option(1e-2, 0.5, 1e-4, 1e-7),
            "kinks": _option("undecided", "subgradient"),
            "confidence": _option(None, 0.9),
            "wrong_fraction": _option(None, 0.1),
            "draw": _option("uniform", "importance"),
            "probes": _option(None, 0, 2),
            "budget": _option(None, 60.0, 0.02, 0.001),
            "max_evaluations": st.one_of(st.none(), st.integers(2, 120), st.integers(120, 2000)),
            "vectorized": st.booleans(),
        },
    )


@st.composite
def cases(draw):
    """Small problems with options; half of the claims are right."""
    n = draw(st.integers(1, 8))
    tenths = st.integers(-20, 20)
    dtype = draw(_option(np.float64, np.float64, np.float32))
    x = np.array(draw(st.lists(tenths, min_size=n, max_size=n)), dtype=dtype) / dtype(10)
    structure = draw(st.sampled_from(sorted(STRUCTURES)))
    if structure == "numbers":
        x = x.astype(np.float64)
    return Case(
        draw(st.sampled_from(COSTS)),
        x * dtype(draw(_option(1.0, 1.0, 1e-3))),
        structure if n > 2 else "array",
        draw(_option(1.0, 1.0, 1e-6, 1e6)),
        draw(_option(0.0, 0.0, 1.0, 1e4, 1e9)),
        draw(st.one_of(st.none(), st.integers(0, n - 1))),
        draw(st.booleans()),
        draw(_option(False, False, True)),
        draw(_option(False, False, False, True)),
        draw(options(n)),
    )
