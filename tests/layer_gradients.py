"""A layer's backward pass against differences of its forward pass, and against nothing else."""

from __future__ import annotations

import numpy as np

STEP = 1e-6
"""Of central differences of numbers near 1: truncation and rounding are both near 1e-10."""


def slopes_of(f, x):
    """The derivatives of a number f by each entry of an array x, by central differences."""
    found = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        moved = [x.copy(), x.copy()]
        moved[0][index] += STEP
        moved[1][index] -= STEP
        found[index] = (f(moved[0]) - f(moved[1])) / (2 * STEP)
    return found


def require_gradients(layer, x, p=None, dy=None, by_input=True):
    """That a layer's backward pass is the derivative of sum(dy * forward), by its input and its parameters.

    Parameters
    ----------
    layer : of fastgrad.networks
    x : (samples, ...) its input
    p : its parameters; random ones for None
    dy : the gradient of its output; random for None
    by_input : whether the input is a number that has a derivative
    """
    rng = np.random.default_rng(3)
    if p is None:
        p = {name: block + 0.1 * rng.normal(size=block.shape) for name, block in layer.initial(rng).items()}
    y = layer.forward(p, x)
    dy = rng.normal(size=y.shape) if dy is None else dy
    dx, own = layer.backward(p, x, dy)

    assert y.shape == (len(x), *layer.output_shape(x.shape[1:]))
    assert set(own) == set(p)
    if by_input:
        expected = slopes_of(lambda moved: float(np.sum(dy * layer.forward(p, moved))), x)
        np.testing.assert_allclose(dx, expected, rtol=1e-6, atol=1e-8)
    for name, block in p.items():
        expected = slopes_of(lambda b, name=name: float(np.sum(dy * layer.forward(p | {name: b}, x))), block)
        np.testing.assert_allclose(own[name], expected, rtol=1e-6, atol=1e-8)
