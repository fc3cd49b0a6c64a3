"""check_minimize: every derivative in a call of scipy.optimize.minimize, right and wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.optimize import (
    BFGS,
    Bounds,
    LinearConstraint,
    NonlinearConstraint,
    minimize,
    rosen,
    rosen_der,
    rosen_hess,
    rosen_hess_prod,
)
from scipy.sparse.linalg import LinearOperator

import fastgrad
from fastgrad.errors import InputError

X0 = np.array([1.3, 0.7, 0.8, 1.9])


def off(function, factor=1.01):
    """A derivative that is one percent too large in its first entry, or row."""

    def wrong(*given):
        found = np.array(function(*given), dtype=float)
        found[0] *= factor
        return found

    return wrong


def operator(x):
    """The Hessian of rosen by its products alone."""
    return LinearOperator((x.size, x.size), matvec=lambda v: rosen_hess_prod(x, v.reshape(-1)))


def failed(reports):
    """What failed, without the points."""
    return sorted({name.partition(" at ")[0] for name in reports.failed})


class TestObjective:
    def test_all_of_rosen(self):
        """scipy's own Rosenbrock function has right derivatives, at x0 and at two more points."""
        reports = fastgrad.check_minimize(rosen, X0, jac=rosen_der, hess=rosen_hess, hessp=rosen_hess_prod)
        assert reports.verdict == "agree"
        kinds, places = ("jac", "hess", "hessp"), ("x0", "point 1", "point 2")
        assert list(reports.reports) == [f"{kind} at {where}" for where in places for kind in kinds]

    # what is given, what fails
    TWINS = (
        ({"jac": off(rosen_der)}, ["jac"]),
        ({"jac": rosen_der, "hess": off(rosen_hess)}, ["hess"]),
        ({"jac": rosen_der, "hess": lambda x: sparse.csr_array(rosen_hess(x))}, []),
        ({"jac": rosen_der, "hess": lambda x: sparse.csc_matrix(off(rosen_hess)(x))}, ["hess"]),
        ({"jac": rosen_der, "hess": operator}, []),
        ({"jac": rosen_der, "hess": lambda x: operator(x + 1e-3)}, ["hess"]),
        ({"jac": rosen_der, "hessp": off(rosen_hess_prod)}, ["hessp"]),
        ({"jac": rosen_der, "hess": BFGS()}, []),
        ({"jac": rosen_der, "hess": "2-point"}, []),
    )

    @pytest.mark.parametrize(("given", "wrong"), TWINS)
    def test_twins(self, given, wrong):
        """A Hessian of each kind is checked, and only the wrong derivative is reported."""
        assert failed(fastgrad.check_minimize(rosen, X0, points=1, **given)) == wrong

    def test_positional(self):
        """The call is scipy's own, by position too; what no derivative depends on is left aside."""
        given = (rosen, X0, (), "trust-exact", rosen_der, rosen_hess)
        assert minimize(*given).success
        more = {"tol": 1e-3, "callback": print, "options": {"maxiter": 3}}
        assert fastgrad.check_minimize(*given, **more).passed

    def test_pairs(self):
        """jac=True says that fun returns (value, gradient); with it the Hessian is checked too."""
        pair = lambda x: (rosen(x), rosen_der(x))  # noqa: E731
        assert fastgrad.check_minimize(pair, X0, jac=True, hess=rosen_hess).passed
        wrong = lambda x: (rosen(x), off(rosen_der)(x))  # noqa: E731
        assert "jac" in failed(fastgrad.check_minimize(wrong, X0, jac=True))

    def test_args(self):
        """args reach all functions; what is no tuple is the only one, as for scipy."""
        reports = fastgrad.check_minimize(
            lambda x, a: a * rosen(x),
            X0,
            3.0,
            jac=lambda x, a: a * rosen_der(x),
            hess=lambda x, a: a * rosen_hess(x),
            hessp=lambda x, p, a: a * rosen_hess_prod(x, p),
        )
        assert reports.passed

    def test_a_constant_hessian(self):
        """A matrix is a Hessian that is the same everywhere; so is a LinearOperator, which can be called."""
        H = np.diag([2.0, 4.0])
        cost, jac = (lambda x: x @ H @ x / 2), (lambda x: H @ x)
        product = LinearOperator((2, 2), matvec=lambda v: H @ v.reshape(-1))
        for hess in (H, sparse.csr_array(H), product):
            assert fastgrad.check_minimize(cost, np.ones(2), jac=jac, hess=hess, points=1).passed
        reports = fastgrad.check_minimize(cost, np.ones(2), jac=jac, hess=1.01 * H, points=1)
        assert failed(reports) == ["hess"]

    def test_labels(self):
        """The labels of a Series name the coordinates, and the functions get arrays, as from scipy."""
        seen = set()

        def cost(x):
            seen.add(type(x))
            return rosen(x)

        x0 = pd.Series(X0, index=["a", "b", "c", "d"])
        reports = fastgrad.check_minimize(cost, x0, jac=off(rosen_der))
        assert reports["jac at x0"].wrong[0].label == "params['a']"
        assert seen == {np.ndarray}

    def test_integers_and_arrays_of_one(self):
        """Integers in x0 and a value in an array are taken as scipy takes them."""
        assert fastgrad.check_minimize(lambda x: np.array([x @ x]), [1, 2], jac=lambda x: 2 * x).passed


class TestBounds:
    def test_never_outside(self):
        """At a bound no function is called beyond it, and the derivative there is seen from inside."""
        outside = []

        def cost(x):
            outside.append((x < 0).any() or (x > 2).any())
            return float(np.sum(x**2 + np.exp(x)))

        jac = lambda x: 2 * x + np.exp(x)  # noqa: E731
        x0, bounds = np.array([0.0, 2.0, 1.0]), Bounds(0, 2)
        assert fastgrad.check_minimize(cost, x0, jac=jac, bounds=bounds).passed
        assert not any(outside)
        reports = fastgrad.check_minimize(cost, x0, jac=off(jac), bounds=bounds)
        assert [f.label for f in reports["jac at x0"].wrong] == ["params[0]"]

    def test_the_function_is_not_defined_outside(self):
        """A function that raises beyond its bounds is checked at points inside."""

        def cost(x):
            assert (x > 0).all()
            return float(np.sum(np.log(x) * x))

        reports = fastgrad.check_minimize(
            cost, [0.01, 1.0], jac=lambda x: np.log(x) + 1, bounds=[(1e-3, None), (0.5, 1.0)]
        )
        assert reports.passed
        assert len(reports.reports) == 3

    def test_fixed_coordinates(self):
        """A coordinate that its bounds fix is not moved, and the others are checked."""
        seen = []

        def cost(x):
            seen.append(x[1])
            return float(x @ x)

        given = {"bounds": [(0, 3), (1, 1), (0, 3)], "points": 1}
        reports = fastgrad.check_minimize(cost, np.ones(3), jac=lambda x: 2 * x, **given)
        assert reports.passed
        assert set(seen) == {1.0}
        assert "the bounds fix x0[1]: derivatives in what is fixed are not checked" in reports.notes
        with pytest.raises(InputError, match="the bounds fix all entries of x0: there is nothing to check"):
            fastgrad.check_minimize(cost, np.ones(3), jac=lambda x: 2 * x, bounds=[(1, 1)] * 3)


def circle(x):
    """Two nonlinear functions."""
    return np.array([x[0] * x[1], x[2] ** 2])


def circle_jac(x):
    """Their Jacobian."""
    return np.array([[x[1], x[0], 0, 0], [0, 0, 2 * x[2], 0]])


def circle_hess(x, v):
    """The Hessian of v . circle."""
    H = np.zeros((4, 4))
    H[0, 1] = H[1, 0] = v[0]
    H[2, 2] = 2 * v[1]
    return H


class TestConstraints:
    # constraint, what fails
    CASES = (
        ({"type": "ineq", "fun": lambda x: 10 - x @ x, "jac": lambda x: -2 * x}, []),
        ({"type": "ineq", "fun": lambda x: 10 - x @ x, "jac": lambda x: 2 * x}, ["constraints[0].jac"]),
        (
            {"type": "eq", "fun": lambda x, a: [x[0] - a], "jac": lambda x, a: [1, 0, 0, 0], "args": (1.0,)},
            [],
        ),
        (NonlinearConstraint(circle, 0, 9, jac=circle_jac, hess=circle_hess), []),
        (NonlinearConstraint(circle, 0, 9, jac=lambda x: sparse.csr_array(circle_jac(x))), []),
        (NonlinearConstraint(circle, 0, 9, jac=off(circle_jac)), ["constraints[0].jac"]),
        (NonlinearConstraint(circle, 0, 9, jac=circle_jac, hess=off(circle_hess)), ["constraints[0].hess"]),
        (
            NonlinearConstraint(
                circle, 0, 9, jac=circle_jac, hess=lambda x, v: LinearOperator((4, 4), circle_hess(x, v).dot)
            ),
            [],
        ),
    )

    @pytest.mark.parametrize(("constraint", "wrong"), CASES)
    def test_twins(self, constraint, wrong):
        """Jacobians and Hessians of constraints of each kind are checked; only the wrong ones fail."""
        reports = fastgrad.check_minimize(rosen, X0, jac=rosen_der, constraints=constraint)
        assert failed(reports) == wrong
        assert any(name.startswith("constraints[0].jac at point") for name in reports.reports)

    def test_linear_constraints_hold_at_the_points(self):
        """Points satisfy linear equalities and inequalities, and nonlinear inequalities that x0 satisfies."""
        seen = []

        def jac(x):
            seen.append(x.copy())
            return rosen_der(x)

        constraints = [
            LinearConstraint([[1, 1, 0, 0], [0, 0, 1, 0]], [2, 0.7], [2, 0.9]),
            {"type": "ineq", "fun": lambda x: 10 - x @ x},
        ]
        reports = fastgrad.check_minimize(rosen, X0, jac=jac, constraints=constraints)
        assert reports.passed
        assert [n for n in reports.notes if "linear" in n] == [
            "constraints[0] is linear: there is nothing to check"
        ]
        assert "constraints[1] has no jac: there is nothing to check" in reports.notes
        firsts = [x for x in seen if abs(x[:2].sum() - 2) < 1e-12]
        assert len({x.tobytes() for x in firsts}) >= 3
        assert all(0.7 <= x[2] <= 0.9 and x @ x <= 10 for x in firsts)

    def test_x0_does_not_satisfy(self):
        """A constraint that x0 breaks is said, and checked all the same."""
        constraint = {"type": "ineq", "fun": lambda x: -x @ x, "jac": lambda x: -2 * x}
        reports = fastgrad.check_minimize(rosen, X0, jac=rosen_der, constraints=[constraint])
        assert reports.passed
        assert "x0 does not satisfy constraints[0]" in reports.notes[0]


class TestRefused:
    # x0, keywords beside jac=rosen_der, what is said
    CASES = (
        (X0, {"jac": lambda x: rosen_der(x)[:, None]}, r"jac at x0: jac must return shape \(4,\), as x0 has"),
        (X0, {"jac": lambda x: rosen_der(x)[:, None]}, r"of shape \(4, 1\). Return it with .ravel\(\)"),
        (X0, {"jac": lambda x: np.ones(3)}, r"as x0 has; got float64 array of shape \(3,\) \[FG716\]$"),
        (X0, {"hess": lambda x: np.ones((4, 3))}, r"hess at x0: the Jacobian .* must have shape \(4, 4\)"),
        (X0, {"hessp": lambda x, p: np.ones((4, 4))}, r"hessp at x0: hessp must return shape \(4,\)"),
        (X0, {"jac": "4-point"}, "a function .* True, or one of 2-point, 3-point, cs; got str '4-point'"),
        (X0, {"jac": rosen_der(X0)}, r"there is check_gradient\(fun, numbers, x0\)"),
        (X0, {"hess": "exact"}, "hess must be a function .* got str 'exact'"),
        (X0, {"hessp": 3}, r"hessp must be callable as hessp\(x, p, \*args\); got 3"),
        (X0, {"jac": True}, r"jac=True says that fun returns \(value, gradient\); got"),
        (X0, {"jac": None}, r"there is no derivative to check in this call: jac is not a function"),
        (X0[:, None], {}, r"x0 must be a vector; got shape \(4, 1\). Pass x0.ravel\(\)"),
        (X0 + 1j, {}, "x0 must be real"),
        (X0, {"bounds": [(0, 1)] * 4}, r"x0\[0\] = 1.3 is not between 0 and 1. Start inside, np.clip"),
        (X0, {"bounds": [(0, 9)] * 3}, "a number for each of the 4 entries of x0"),
        (X0, {"bounds": (0, 9)}, r"bounds must be a pair \(low, high\) for each of the 4 entries"),
        (X0, {"bounds": [(9, 0)] * 4}, r"the bounds of x0\[0\] leave it no room: 9 to 0"),
        (X0, {"points": -1}, "points must be an integer >= 0; got -1"),
        (X0, {"checkpoint": "a"}, "checkpoint= keeps a single check"),
        (X0, {"constraints": {"type": "ineq"}}, r"constraints\[0\] lacks 'fun'"),
        (X0, {"constraints": {"type": "le", "fun": rosen}}, r"must be 'eq' or 'ineq'; got 'le'"),
        (
            X0,
            {"constraints": {"typ": "eq", "fun": rosen}},
            "has a key 'typ': scipy knows type, fun, jac, args",
        ),
        (X0, {"constraints": {"type": "eq", "fun": 1.0}}, r"the fun of constraints\[0\] must be callable"),
        (X0, {"constraints": [Bounds(0, 1)]}, r"constraints\[0\] is a Bounds: pass it as bounds="),
        (X0, {"constraints": [3]}, r"constraints\[0\] must be a dict with 'type' and 'fun', .* got int 3"),
        (
            X0,
            {"constraints": {"type": "eq", "fun": circle, "jac": rosen_der}},
            r"constraints\[0\].jac at x0: the Jacobian .* must have shape \(2, 4\); got \(1, 4\)",
        ),
    )

    @pytest.mark.parametrize(("x0", "given", "said"), CASES)
    def test_message(self, x0, given, said):
        """What scipy would not take is refused by a sentence that says what was expected and what came."""
        with pytest.raises(InputError, match=said):
            fastgrad.check_minimize(rosen, x0, **{"jac": rosen_der, **given})

    def test_a_pair_that_nobody_announced(self):
        """A pair from fun without jac=True is refused: scipy would fail."""
        with pytest.raises(InputError, match="say jac=True if that is its gradient"):
            fastgrad.check_minimize(lambda x: (rosen(x), rosen_der(x)), X0, jac=rosen_der)

    def test_hessp_alone(self):
        """A hessp without a jac could not be checked: that is said, and the verdict is undecided."""
        reports = fastgrad.check_minimize(rosen, X0, hessp=rosen_hess_prod)
        assert (reports.verdict, reports.unchecked[0][:6]) == ("undecided", "hessp:")

    def test_unknown_option(self):
        """A keyword that neither scipy nor fastgrad knows is refused."""
        with pytest.raises(TypeError, match="unknown option 'jacobian'"):
            fastgrad.check_minimize(rosen, X0, jacobian=rosen_der)


def test_a_budget_is_shared():
    """A budget in seconds is one for all checks together: what is not known by then is undecided."""
    reports = fastgrad.check_minimize(rosen, np.full(60, 1.5), jac=rosen_der, budget=1e-3, points=1)
    assert reports.verdict == "undecided"
    assert all("budget" in str(report) for report in reports.reports.values())


def test_nothing_of_the_users_is_changed():
    """x0 and args are as before, also where fun writes into its argument's copy."""
    x0 = X0.copy()
    fastgrad.check_minimize(rosen, x0, jac=rosen_der, hess=rosen_hess)
    assert np.array_equal(x0, X0)
