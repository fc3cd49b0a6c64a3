"""Random programs of NumPy's operations, for properties of recorded costs.

A program is a list of steps. Each takes values that are there, and adds one; the cost is a sum over the last
values. Steps keep values within some units, so that roundings do not grow.
"""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

MOST = 96
"""Entries of a value at most."""

ELEMENTWISE = {
    "tanh": np.tanh,
    "sin": np.sin,
    "square": lambda x: x * x / 4,
    "root": lambda x: np.sqrt(1 + x * x),
    "relu": lambda x: np.maximum(x, 0),
    "clip": lambda x: np.clip(x, -1, 0.7),
    "where": lambda x: np.where(x > 0.1, x, 0.3 * x),
    "softplus": lambda x: np.logaddexp(0, x),
    "neg": lambda x: -x,
    "abs": abs,
    "masked": lambda x: x * (x < 0.5),
    "complex": lambda x: np.real(np.exp(1j * x)),
    "single": lambda x: (0.5 * x.astype(np.float32)).astype(np.float64) + x,
    "reciprocal": lambda x: 1 / (1 + x**2),
    "half": lambda x: np.multiply(x, 0.5, out=np.zeros(x.shape), where=x > -5),
}
ALONG = {
    "sum": np.sum,
    "mean": np.mean,
    "max": np.max,
    "min": np.min,
    "var": np.var,
    "std": lambda x, axis: np.sqrt(np.var(x, axis=axis) + 1),
    "prod": lambda x, axis: np.prod(np.tanh(x), axis=axis),
    "cumsum": lambda x, axis: np.cumsum(x, axis=axis) / 2,
    "sort": np.sort,
    "flip": np.flip,
    "logsumexp": lambda x, axis: np.log(np.sum(np.exp(x), axis=axis)),
    "median": np.median,
    "diff": lambda x, axis: np.diff(x, axis=axis, prepend=0.0),
    "roll": lambda x, axis: np.roll(x, 1, axis=axis),
    "best": lambda x, axis: np.take_along_axis(x, np.expand_dims(np.argmax(x, axis=axis), axis), axis),
    "softmax": lambda x, axis: (
        np.exp(x - x.max(axis=axis, keepdims=True))
        / np.exp(x - x.max(axis=axis, keepdims=True)).sum(axis=axis, keepdims=True)
    ),
    "centred": lambda x, axis: x - x.mean(axis=axis, keepdims=True),
    "concatenate": lambda x, axis: np.concatenate([x, 2 * x], axis=axis),
    "python's sum": lambda x, axis: sum(np.moveaxis(x, axis, 0)),
    "maximum": lambda x, axis: np.maximum.accumulate(x, axis=axis),
    "stack": lambda x, axis: np.stack([x, x * 0.5], axis=axis),
    "repeat": lambda x, axis: np.repeat(x, 2, axis=axis),
    "fft": lambda x, axis: np.abs(np.fft.fft(x, axis=axis)) ** 2 / 50,
}
WHOLE = {
    "ravel": np.ravel,
    "T": lambda x: x.T,
    "reshape": lambda x: x.reshape(-1, x.shape[-1]),
    "first": lambda x: x[0],
    "last": lambda x: x[..., -1],
    "steps": lambda x: x[::-1][..., ::2],
    "fancy": lambda x: x[[0, -1, 0]],
    "positive": lambda x: x * (x.sum() > 0),
    "new axis": lambda x: x[None],
    "written": lambda x: _written(x),
    "view": lambda x: _through_a_view(x),
    "rows": lambda x: np.array([row * k for k, row in enumerate(x)]),
    "branch": lambda x: np.sin(x) if x.ravel()[0] > 0 else x * 0.3,
    "total": lambda x: _accumulated(x),
    "order": lambda x: x.ravel()[np.argsort(x, axis=None)][:4],
    "norm": lambda x: np.linalg.norm(np.append(x, 1.0)),
    "gram": lambda x: np.tanh(np.tensordot(x, x, axes=(-1, -1))) if x.size <= 9 else x,
    "outer": lambda x: np.outer(x.ravel()[:3], x.ravel()[:4]),
    "windows": lambda x: np.lib.stride_tricks.sliding_window_view(x.ravel(), min(2, x.size)).mean(axis=-1),
}


def _written(x):
    y = np.zeros(x.shape)
    y[...] = x
    y[0] *= 2
    y[-1] = 0.5
    return y


def _through_a_view(x):
    y = x.copy()
    w = y.reshape(-1)
    w[1:] += w[:-1]
    y.T[...] /= 2
    return w if w.size % 2 else y


def _accumulated(x):
    total = 0.0
    for row in x:
        total += row.sum() / 2
    return total * np.ones(2)


BINARY = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "over": lambda x, y: x / (1 + y * y),
    "maximum": np.maximum,
    "power": lambda x, y: (1 + x * x) ** np.tanh(y),
    "where": lambda x, y: np.where(x > y, x, y * 0.5),
    "outer": lambda x, y: np.multiply.outer(np.ravel(x)[:5], np.ravel(y)[:5]),
    "arctan2": lambda x, y: np.arctan2(x, 2 + y * y),
}
PRODUCTS = {
    "matmul": lambda x, y: np.matmul(x, y) / 3,
    "dot": lambda x, y: np.dot(x, y) / 3,
    "einsum": lambda x, y: (
        np.einsum("...i,i...->...", x, y) / 3 if x.ndim == y.ndim == 1 else np.dot(x, y) / 2
    ),
    "solve": lambda x, y: np.linalg.solve(x.T @ x + 3 * np.eye(x.shape[-1]), y) if x.ndim == 2 else x @ y,
    "einsum of two": lambda x, y: np.einsum("ij,jk->ki", x, y) / 3 if x.ndim == y.ndim == 2 else x @ y,
    "inner": lambda x, y: np.inner(x, y.T) / 3,
}


def run(program, leaves):
    """The values of a program, the leaves among them."""
    values = list(leaves)
    for function, numbers in program:
        values.append(function(*(values[k] for k in numbers)))
    return values


def cost_of(program):
    """The cost that sums over the last values of a program."""

    def cost(leaves):
        values = run(program, leaves)
        total = 0.0
        for value in values[-3:]:
            total = total + np.sum(np.sin(value) + 0.1 * value)
        return total

    return cost


@st.composite
def programs(draw, steps=10):
    """A program and its leaves, which hold one or two arrays of up to three axes."""
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    shapes = draw(st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=3), min_size=1, max_size=2))
    leaves = [rng.normal(size=tuple(shape)).round(3) for shape in shapes]
    program, values = [], list(leaves)
    for _ in range(draw(st.integers(1, steps))):
        possible = _possible(values, rng)
        chosen = possible[draw(st.sampled_from(sorted(possible)))]
        value = np.asarray(chosen[0](*(values[k] for k in chosen[1])))
        if value.size <= MOST and np.abs(value).max(initial=0) < 50:
            program.append(chosen)
            values.append(value)
    return program, leaves


def _possible(values, rng):
    """Steps that can follow, by name: the function, and the numbers of the values that it takes."""
    k, m = (int(len(values) - 1 - min(rng.geometric(0.5) - 1, len(values) - 1)) for _ in range(2))
    x, y = np.asarray(values[k]), np.asarray(values[m])
    found = {f"elementwise {name}": (function, (k,)) for name, function in ELEMENTWISE.items()}
    if x.ndim:
        axis = int(rng.integers(-x.ndim, x.ndim))
        found |= {f"along {name}": (_along(function, axis), (k,)) for name, function in ALONG.items()}
        found |= {f"whole {name}": (function, (k,)) for name, function in WHOLE.items()}
    if _broadcast(x.shape, y.shape):
        found |= {f"binary {name}": (function, (k, m)) for name, function in BINARY.items()}
    if x.ndim in (1, 2) and y.ndim in (1, 2) and x.shape[-1] == y.shape[0]:
        found |= {f"product {name}": (function, (k, m)) for name, function in PRODUCTS.items()}
    if x.ndim in (1, 2, 3):
        weight = rng.normal(size=(x.shape[-1], 3)).round(2)
        found["product weight"] = (lambda x: np.tanh(x @ weight), (k,))
        data = rng.normal(size=(4, x.shape[0])).round(2)
        found["product data"] = (lambda x: np.tanh(np.tensordot(data, x, axes=1)), (k,))
    return found


def _along(function, axis):
    return lambda x: function(x, axis=axis)


def _broadcast(a, b):
    try:
        np.broadcast_shapes(a, b)
    except ValueError:
        return False
    return True
