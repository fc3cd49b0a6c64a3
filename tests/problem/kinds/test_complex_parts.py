"""Complex parameters are checked by their real and imaginary parts; functions get complex numbers."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import fastgrad
from fastgrad.errors import InputError
from fastgrad.problem.kinds.complex_parts import complex_array, gradient_parts, label, real_parts
from fastgrad.problem.parameters import Parameters

RNG = np.random.default_rng(3)
A = RNG.normal(size=(5, 4)) + 1j * RNG.normal(size=(5, 4))
B = RNG.normal(size=5) + 1j * RNG.normal(size=5)
Z = RNG.normal(size=4) + 1j * RNG.normal(size=4)


def cost(z):
    """The sum of fourth powers of residuals, a real number."""
    return np.sum(np.abs(A @ z - B) ** 4)


def gradient(z):
    """dL/da + i dL/db."""
    r = A @ z - B
    return A.conj().T @ (4 * np.abs(r) ** 2 * r)


class TestCheck:
    def test_right_and_wrong(self):
        """A right gradient agrees in 2 n coordinates; a wrong entry is named by its part."""
        report = fastgrad.check_gradient(cost, gradient, Z)
        assert (report.verdict, report.coverage.total) == ("agree", 8)
        wrong = fastgrad.check_gradient(cost, lambda z: gradient(z) + np.array([0, 0, 1e-3j, 0]), Z)
        assert [f.label for f in wrong.wrong] == ["params[2].imag"]
        wrong = fastgrad.check_gradient(cost, lambda z: gradient(z) + np.array([1e-3, 0, 0, 0]), Z)
        assert [f.label for f in wrong.wrong] == ["params[0].real"]

    def test_what_is_taken_is_said(self):
        """The convention is a note of the report."""
        report = fastgrad.check_gradient(cost, gradient, Z)
        assert (
            "is taken to be dL/da + i dL/db for params = a + ib, as torch, too, gives it" in report.notes[0]
        )

    def test_functions_get_what_was_given(self):
        """Cost and gradient get complex arrays of the user's shape and dtype, numbers as numbers."""
        seen = set()

        def of_all(p):
            seen.add((type(p["w"]), p["z"].dtype.name, p["z"].shape, type(p["s"])))
            return float(np.sum(np.abs(p["z"]) ** 2) + abs(p["w"]) ** 2 + p["t"] ** 2 + abs(p["s"]) ** 2)

        params = {"w": 1 + 2j, "z": np.ones((2, 1), complex), "t": 3.0, "s": np.complex128(1j)}
        report = fastgrad.check_gradient(of_all, lambda p: {k: 2 * v for k, v in p.items()}, params)
        assert report.passed
        assert seen == {(complex, "complex128", (2, 1), np.complex128)}

    def test_single_precision(self):
        """complex64 stays complex64 for the functions."""
        seen = set()

        def squares(z):
            seen.add(z.dtype)
            return np.sum(np.abs(z) ** 2)

        z = Z.astype(np.complex64)
        assert fastgrad.check_gradient(squares, lambda z: 2 * z, z).passed
        assert seen == {np.dtype(np.complex64)}
        assert not fastgrad.check_gradient(squares, lambda z: 2.1 * z, z).passed

    def test_what_is_given_is_not_changed(self):
        """A cost that writes into its argument is caught, and the user's array is as before."""

        def writes(z):
            z[0] = 0
            return float(np.sum(np.abs(z)))

        z = Z.copy()
        with pytest.raises(InputError, match=r"params\[0\].real"):
            fastgrad.check_gradient(writes, gradient, z)
        assert np.array_equal(z, Z)

    @pytest.mark.parametrize(
        "options", [{"n_jobs": 2}, {"coordinates": 3}, {"method": "forward"}, {"probes": 3}]
    )
    def test_options(self, options):
        """Options work as for real parameters."""
        assert fastgrad.check_gradient(cost, gradient, Z, **options).passed

    def test_a_batch(self):
        """A vectorized cost gets a batch of complex numbers."""
        report = fastgrad.check_gradient(
            lambda z: np.sum(np.abs(z) ** 2, axis=-1), lambda z: 2 * z, Z, vectorized=True
        )
        assert (report.verdict, report.engine) == ("agree", "batched")

    def test_other_layouts(self):
        """Arrays that are not contiguous, and other byte orders, are taken as they are."""
        for z in (np.asfortranarray(A), A[::2, ::-1], A.astype(">c16")):
            assert fastgrad.check_gradient(lambda z: np.sum(np.abs(z) ** 2), lambda z: 2 * z, z).passed

    def test_numerical_gradient(self):
        """numerical_gradient gives complex numbers, dL/da + i dL/db, and bounds on both parts."""
        found = fastgrad.numerical_gradient(cost, Z)
        assert found.values.shape == (4,)
        off = found.values - gradient(Z)
        assert (np.abs(off.real) <= found.error_bound.real).all()
        assert (np.abs(off.imag) <= found.error_bound.imag).all()


class TestRefused:
    # gradient, what is said
    CASES = (
        (lambda z: gradient(z)[:3], r"must have shape \(4,\), as the parameter has; got shape \(3,\)"),
        (
            lambda z: real_parts(gradient(z)),
            r"must have shape \(4,\), as the parameter has; got shape \(4, 2\)",
        ),
        (lambda z: None, "must hold complex floats; got NoneType None. Is a return missing?"),
        (lambda z: np.ones(4, int), r"must hold complex floats; got int64 array of shape \(4,\)"),
    )

    @pytest.mark.parametrize(("wrong", "said"), CASES)
    def test_gradients(self, wrong, said):
        """A gradient of another shape, or of no floats, is refused in terms of the complex array."""
        with pytest.raises(InputError, match=f"the gradient of params {said}"):
            fastgrad.check_gradient(cost, wrong, Z)

    def test_complex_costs(self):
        """Only real costs have a gradient."""
        with pytest.raises(InputError, match=r"must return one real number; got the complex .* real part"):
            fastgrad.check_gradient(lambda z: z @ z, gradient, Z)

    def test_the_complex_step(self):
        """The complex step moves real parameters: that is said."""
        with pytest.raises(InputError, match='params is complex: use method="central"'):
            fastgrad.check_gradient(cost, gradient, Z, method="complex")

    def test_vector_functions(self):
        """Jacobians by complex parameters are refused, and what to do is said."""
        with pytest.raises(InputError, match="pass its real and imaginary parts as two blocks"):
            fastgrad.check_jacobian(np.abs, lambda z: np.eye(4), Z)

    def test_not_finite(self):
        """A part that is NaN is named."""
        with pytest.raises(InputError, match=r"parameter params\[1\].imag is nan"):
            Parameters(np.array([1j, complex(0, np.nan)]))


class TestParts:
    def test_there_and_back(self):
        """Parts become the same numbers, over the same memory."""
        parts = real_parts(Z)
        assert np.array_equal(complex_array(parts), Z)
        assert np.shares_memory(complex_array(parts), parts)
        assert np.shares_memory(parts, Z)

    def test_labels(self):
        """A number has no index, an array one for each axis."""
        assert [label("z", (1,)), label("z", (0, 0)), label("z", (1, 2, 1))] == [
            "z.imag",
            "z[0].real",
            "z[1, 2].imag",
        ]

    def test_of_a_gradient(self):
        """Real gradients have zeros for imaginary parts; a conjugate one is turned."""
        assert gradient_parts(np.array([1.0]), (1,), "g", False).tolist() == [[1.0, 0.0]]
        assert gradient_parts(np.array([[1 + 2j]]), (1,), "g", True).tolist() == [[1.0, -2.0]]

    def test_travels_with_its_block(self):
        """A pickled block makes complex numbers again."""
        [block] = pickle.loads(pickle.dumps(Parameters(Z))).blocks
        assert np.array_equal(block.form.rebuild(real_parts(Z)), Z)


class TestLibraries:
    def test_torch(self):
        """A complex tensor's gradient is taken as torch gives it; a twin is told what it matches."""
        torch = pytest.importorskip("torch")

        def of_tensor(z):
            return (z.abs() ** 4).sum()

        def grad(z):
            z = z.detach().clone().requires_grad_()
            of_tensor(z).backward()
            return z.grad

        z = torch.tensor(Z, requires_grad=True)
        assert fastgrad.check_gradient(of_tensor, grad, z).passed
        report = fastgrad.check_gradient(of_tensor, lambda z: grad(z).conj(), z)
        assert "it matches dL/da - i dL/db, which jax.grad and autograd give" in report.diagnosis[0]

    def test_jax(self):
        """A complex jax array's gradient is taken as jax.grad gives it; a twin is told what it matches."""
        jax = pytest.importorskip("jax")

        def of_array(z):
            return (abs(z) ** 4).sum()

        z = jax.numpy.array(Z.astype(np.complex64))
        # In float32 the smallest of the derivatives is not seen to a hundredth of itself.
        report = fastgrad.check_gradient(of_array, jax.grad(of_array), z, resolution=0.1)
        assert report.passed
        assert "is taken to be dL/da - i dL/db for params = a + ib, as jax.grad gives it" in report.notes[0]
        report = fastgrad.check_gradient(of_array, lambda z: jax.grad(of_array)(z).conj(), z)
        assert "it matches dL/da + i dL/db, which torch gives" in report.diagnosis[0]
