"""What other libraries differentiate, checked as it is: HIPS autograd, scikit-learn, pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import fastgrad

RNG = np.random.default_rng(8)
X, W = RNG.normal(size=(40, 5)), RNG.normal(size=5)
Y = np.where(RNG.random(40) < 0.5, 1.0, -1.0)


class TestAutograd:
    @pytest.fixture
    def ag(self):
        """autograd, where it is installed."""
        return pytest.importorskip("autograd")

    @pytest.fixture
    def loss(self, ag):
        """A logistic loss with a penalty."""
        anp = pytest.importorskip("autograd.numpy")
        return lambda w, X, Y: anp.sum(anp.logaddexp(0, -Y * anp.dot(X, w))) + anp.dot(w, w)

    def test_gradients(self, ag, loss):
        """grad and value_and_grad of a function are taken as they are; so is one of another function."""
        assert fastgrad.check_gradient(loss, ag.grad(loss), W, args=(X, Y)).passed
        assert fastgrad.check(
            fastgrad.Problem.from_value_and_gradient(ag.value_and_grad(loss), W, (X, Y))
        ).passed
        report = fastgrad.check_gradient(loss, ag.grad(lambda w, X, Y: loss(w, X, Y) - w @ w), W, args=(X, Y))
        assert "L2" in report.diagnosis[0]

    def test_a_primitive_with_a_wrong_vjp(self, ag):
        """A wrong rule for a primitive is found, though the cost calls the same primitive."""
        extend, anp = pytest.importorskip("autograd.extend"), pytest.importorskip("autograd.numpy")

        @extend.primitive
        def cube(x):
            return x**3

        extend.defvjp(cube, lambda ans, x: lambda g: g * 2 * x**2)
        cost = lambda x: anp.sum(cube(x))  # noqa: E731
        report = fastgrad.check_gradient(cost, ag.grad(cost), W)
        assert "claimed = 0.666667 * numeric in every entry" in report.diagnosis[0]

    @pytest.mark.parametrize("engine", ["auto", "traced", "python"])
    def test_every_engine(self, ag, engine):
        """A cost that calls autograd's NumPy is recorded or called, and the verdict is the same."""
        anp = pytest.importorskip("autograd.numpy")

        def net(p):
            return anp.sum(anp.tanh(anp.dot(X, p["W"]) + p["b"]) ** 2)

        params = {"W": RNG.normal(size=(5, 30)), "b": np.zeros(30)}
        assert fastgrad.check_gradient(net, ag.grad(net), params, engine=engine).passed

        def wrong(p):
            found = ag.grad(net)(p)
            return {"W": found["W"], "b": found["b"] / 40}

        report = fastgrad.check_gradient(net, wrong, params, engine=engine)
        assert {f.block for f in report.wrong} == {"b"}

    def test_in_a_call_of_minimize(self, ag, loss):
        """Gradients, Hessians and products by autograd are checked in one call."""
        reports = fastgrad.check_minimize(loss, W, (X, Y), jac=ag.grad(loss), hess=ag.hessian(loss))
        assert reports.passed
        jac = ag.jacobian(lambda w: X @ w)
        assert fastgrad.check_least_squares(lambda w: X @ w - Y, W, jac=jac).passed

    def test_complex_numbers(self, ag):
        """autograd gives the conjugate of what is checked, and is named."""
        anp = pytest.importorskip("autograd.numpy")
        cost = lambda z: anp.sum(anp.abs(z) ** 4)  # noqa: E731
        z = W + 1j * W[::-1]
        assert fastgrad.check_gradient(cost, lambda z: ag.grad(cost)(z).conj(), z).passed
        assert "autograd" in fastgrad.check_gradient(cost, ag.grad(cost), z).diagnosis[0]


class TestScikitLearn:
    def test_loss_of_logistic_regression(self):
        """The loss that LogisticRegression minimizes is right, with its Hessian times a vector."""
        module = pytest.importorskip("sklearn.linear_model._linear_loss")
        losses = pytest.importorskip("sklearn._loss.loss")
        loss = module.LinearModelLoss(losses.HalfMultinomialLoss(n_classes=3), fit_intercept=True)
        y = RNG.integers(0, 3, 40).astype(float)
        w = 0.3 * RNG.normal(size=18)
        product = lambda w, p, *args: loss.gradient_hessian_product(w, *args)[1](p)  # noqa: E731
        args = (X, y, None, 0.1)
        reports = fastgrad.check_minimize(loss.loss_gradient, w, args, "L-BFGS-B", True, hessp=product)
        assert reports.passed
        twin = lambda w, p, *args: product(w, p, *args) - 0.1 * p  # noqa: E731
        reports = fastgrad.check_minimize(loss.loss_gradient, w, args, "L-BFGS-B", True, hessp=twin)
        assert {name.partition(" at ")[0] for name in reports.failed} == {"hessp"}


class TestPandas:
    def test_labels_in_every_message(self):
        """Labels name what is wrong, what is not finite, and what is missing."""
        params = pd.Series(W, index=list("abcde"), name="w")
        cost = lambda w: float((w**2).sum())  # noqa: E731
        report = fastgrad.check_gradient(
            cost, lambda w: 2 * w + pd.Series(0.1, ["c"]).reindex(w.index, fill_value=0), params
        )
        assert [f.label for f in report.wrong] == ["params['c']"]
        assert "params['c']" in str(report)
        assert "params['c']" in report.diagnosis[0]
        with pytest.raises(fastgrad.InputError, match="parameter params\\['b'\\] is nan"):
            fastgrad.check_gradient(cost, lambda w: 2 * w, params.where(params.index != "b"))
        with pytest.raises(fastgrad.InputError, match="missing: 'e'"):
            fastgrad.check_gradient(cost, lambda w: 2 * w.iloc[:4], params)

    def test_frames(self):
        """A DataFrame's coordinates are named by row and column, in a vector check too."""
        params = pd.DataFrame(X[:2, :2], index=["r", "s"], columns=["u", "v"])
        report = fastgrad.check_gradient(
            lambda w: float((w**2).to_numpy().sum()), lambda w: 2 * w + np.array([[0, 0.1], [0, 0]]), params
        )
        assert [f.label for f in report.wrong] == ["params['r', 'v']"]
        F = lambda w: w.to_numpy().ravel() ** 2  # noqa: E731
        J = np.diag(2 * params.to_numpy().ravel()) + np.diag([0, 0, 0.1, 0])
        assert [f.label for f in fastgrad.check_jacobian(F, J, params).wrong] == ["params['s', 'u']"]
