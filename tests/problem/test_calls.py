"""Functions that take other arguments than they get are refused in words."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import fastgrad
from fastgrad.problem.calls import takes

X, Y, W = np.ones((4, 3)), np.ones(4), np.ones(3)


def cost(w, X, y):
    """Half the sum of squares."""
    return 0.5 * float(np.sum((X @ w - y) ** 2))


def gradient(w, X, y):
    """Its gradient."""
    return X.T @ (X @ w - y)


def test_data_forgotten():
    """Where data are missing the message names them, and args=."""
    with pytest.raises(fastgrad.InputError) as caught:
        fastgrad.check_gradient(cost, gradient, W)
    assert str(caught.value) == (
        "the cost takes (w, X, y) and is called as cost(params). If X, y are data, give them in "
        "args=(...). If they are parameters too: all of these come as the first argument, so pass "
        "params=(w, ...) and lambda p, *args: f(*p, *args) [FG212]"
    )


@pytest.mark.parametrize(
    ("functions", "args", "named"),
    [
        (
            (cost, lambda w: w),
            (X, Y),
            "the gradient takes (w) and is called as gradient(params, *args) with 2 in args",
        ),
        ((lambda w: 0.0, gradient), (), "the gradient takes (w, X, y)"),
        (
            (cost, gradient),
            (X, Y, 1),
            "the cost takes (w, X, y) and is called as cost(params, *args) with 3 in args",
        ),
    ],
)
def test_which_one(functions, args, named):
    """The function is named that does not fit."""
    with pytest.raises(fastgrad.InputError, match=r"\[FG212\]$") as caught:
        fastgrad.check_gradient(*functions, W, args=args)
    assert str(caught.value).startswith(named)


def test_errors_of_the_users_own():
    """A TypeError from within a function stays what it is."""

    def failing(w):
        return cost(w)

    with pytest.raises(TypeError, match="missing 2 required positional arguments") as caught:
        fastgrad.check_gradient(failing, lambda w: w, W)
    assert not isinstance(caught.value, fastgrad.InputError)


def test_decorated():
    """A decorator that passes data on is called as it is, whatever the signature of what it wraps."""

    def with_data(function):
        @functools.wraps(function)
        def call(w):
            return function(w, X, Y)

        return call

    assert fastgrad.check_gradient(with_data(cost), with_data(gradient), W).passed
    assert takes(with_data(cost), 1)


@pytest.mark.parametrize("function", [np.sin, len, dict, functools.partial(cost, X=X, y=Y)])
def test_what_is_not_known(function):
    """Functions without a signature are taken to fit."""
    assert takes(function, 1)


def test_the_other_way_round():
    """Cost and gradient in each other's place are guessed from the shape of what should be the gradient."""
    with pytest.raises(fastgrad.InputError, match="are cost and gradient in each other's place"):
        fastgrad.check_gradient(lambda w: 2 * w, lambda w: float(w @ w), W)


def test_a_list_that_is_doubled():
    """Parameters that are a list reach the functions as one; twice a list is a longer one."""
    with pytest.raises(fastgrad.InputError, match="twice a list is a list of twice the length"):
        fastgrad.check_gradient(lambda w: float(np.sum(np.square(w))), lambda w: 2 * w, [1.0, 2.0, 3.0])


V = np.ones((2, 3))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: fastgrad.check_vjp(np.tanh, lambda u: u, W),
            "the vjp takes (u) and is called as vjp(params, u): give as many in args=(...) as it takes "
            "beside u and the parameters",
        ),
        (lambda: fastgrad.check_vjp(lambda x, a: x, lambda x, u: u, W), "the function takes (x, a)"),
        (
            lambda: fastgrad.check_jvp(lambda x, a: a * x, lambda v, x: v, W, args=(2.0,)),
            "the jvp takes (v, x) and is called as jvp(params, v, *args) with 1 in args",
        ),
        (lambda: fastgrad.check_hvp(np.exp, lambda x: x, W), "the hvp takes (x)"),
        (lambda: fastgrad.check_hvp(lambda: 0, lambda x, v: x, W), "the gradient takes ()"),
        (lambda: fastgrad.check_jacobian(lambda x: V @ x, lambda x, a: V, W), "the jacobian takes (x, a)"),
        (lambda: fastgrad.check_jacobian(lambda x, A: A @ x, V, W), "the function takes (x, A)"),
        (lambda: fastgrad.check_hessian(np.exp, lambda: 0, W), "the hessian takes ()"),
        (lambda: fastgrad.check_hessian(None, np.eye(3), W, cost=cost), "the cost takes (w, X, y)"),
    ],
)
def test_of_vector_functions(call, said):
    """A function, Jacobian or product with other arguments is named, and how it is called."""
    with pytest.raises(fastgrad.InputError, match=r"\[FG212\]$") as caught:
        call()
    assert str(caught.value).startswith(said)
