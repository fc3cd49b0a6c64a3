"""check_grads: the signature of jax.test_util.check_grads, with a verdict on each coordinate."""

from __future__ import annotations

import inspect

import pytest

from fastgrad.errors import InputError
from fastgrad.report.report import GradientError

jax = pytest.importorskip("jax")
jnp = jax.numpy

from jax.test_util import check_grads as check_grads_of_jax  # noqa: E402
from jax_cases import points, sine_by_jvp, sine_by_vjp  # noqa: E402

from fastgrad.adapters.jax import check_grads  # noqa: E402


def test_the_signature_is_that_of_jax():
    """A project changes one import: all arguments have the names, the order and the defaults of jax."""
    theirs = list(inspect.signature(check_grads_of_jax).parameters.values())
    ours = list(inspect.signature(check_grads).parameters.values())[: len(theirs)]
    assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in theirs]


class TestWhereJaxErrs:
    """Cases that jax.test_util.check_grads decides wrongly: its tolerance grows with the size."""

    def test_forward_float32_all_twice_too_large(self):
        """n = 1,000 in float32, every entry of the jvp twice too large: jax passes it."""
        wrong = sine_by_jvp(2.0)
        check_grads_of_jax(wrong, (points(1000),), 1, modes=("fwd",))
        with pytest.raises(AssertionError, match="DISAGREE: 1,000 of 1,000"):
            check_grads(wrong, (points(1000),), 1, modes=("fwd",))

    def test_forward_float64_all_wrong_by_5_percent(self):
        """n = 10,000 in float64, every entry 5% wrong: jax passes it."""
        with jax.enable_x64(True):
            wrong, x = sine_by_jvp(1.05), points(10_000, double=True)
            check_grads_of_jax(wrong, (x,), 1, modes=("fwd",))
            with pytest.raises(AssertionError, match="DISAGREE"):
                check_grads(wrong, (x,), 1, modes=("fwd",), coordinates=200)

    def test_reverse_float32_one_entry_wrong_by_1_percent(self):
        """n = 1,000 in float32, one entry of the vjp 1% wrong: jax passes it; it is named here."""
        wrong = sine_by_vjp(at=17, factor=1.01)
        check_grads_of_jax(wrong, (points(1000),), 1, modes=("rev",))
        with pytest.raises(GradientError) as raised:
            check_grads(wrong, (points(1000),), 1, modes=("rev",))
        assert [found.label for found in raised.value.report.wrong] == ["args[0][17]"]

    def test_right_second_order_in_float32(self):
        """The sum of exp(x)^2 in float32 is right at order 2: jax raises a false alarm."""

        def right(x):
            return jnp.sum(jnp.exp(x) ** 2)

        with pytest.raises(AssertionError):
            check_grads_of_jax(right, (points(1000),), 2)
        assert all(report.passed for report in check_grads(right, (points(1000),), 2))


def test_right_rules_pass_in_every_mode_and_order():
    """A right function has six reports at order 2 with two modes, and each says what it is of."""
    reports = check_grads(sine_by_jvp(), (points(10),), 2)
    labels = [report.notes[0].removeprefix("check_grads: ").partition(",")[0] for report in reports]
    assert labels == ["JVP", "JVP of JVP", "VJP of JVP", "VJP", "JVP of VJP", "VJP of VJP"]


def test_an_error_of_second_order_alone_is_found():
    """A vjp that is right, with derivatives of its own that are wrong, passes order 1 and fails order 2."""

    @jax.custom_vjp
    def square(x):
        return x**2

    square.defvjp(lambda x: (x**2, x), lambda x, cotangent: (2 * jax.lax.stop_gradient(x) * cotangent,))
    x = points(10)
    assert check_grads(square, (x,), 1, modes=("rev",))[0].passed
    with pytest.raises(GradientError) as raised:
        check_grads(square, (x,), 2, modes=("rev",))
    assert "check_grads: VJP of VJP of square" in raised.value.__notes__


def test_several_args_complex_numbers_and_integers():
    """Pytrees, complex arrays and integers among the args, pytrees and complex arrays as outputs."""

    def function(tree, z, n):
        return {"a": tree["x"] ** n, "b": [jnp.sin(z) * z, n]}

    reports = check_grads(function, ({"x": points(3)}, jnp.array([1 + 2j, 0.5 - 1j]), 3), 1)
    assert all(report.passed for report in reports)
    assert [row.name for row in reports[0].blocks] == ["args[0]['x']", "args[1]"]


@pytest.mark.parametrize("holomorphic", [True, False])
def test_complex_rules(holomorphic):
    """Of a complex function the right rule passes in both modes, and its conjugate in neither."""

    @jax.custom_jvp
    def square(z):
        return z**2

    slope = (lambda z: 2 * z) if holomorphic else (lambda z: 2 * jnp.conj(z))
    square.defjvp(lambda primals, tangents: (primals[0] ** 2, slope(primals[0]) * tangents[0]))
    for mode in ("fwd", "rev"):
        if holomorphic:
            assert check_grads(square, (jnp.array([1 + 2j, 0.5 - 1j]),), 1, modes=(mode,))[0].passed
        else:
            with pytest.raises(GradientError):
                check_grads(square, (jnp.array([1 + 2j, 0.5 - 1j]),), 1, modes=(mode,))


@pytest.mark.parametrize("tolerances", [{"rtol": 0.02}, {"atol": {jnp.float32: 1.0}}])
def test_tolerances_of_the_user_pass(tolerances):
    """An error of 1% passes where the user allows it, and not by default."""
    slightly, x = sine_by_jvp(1.01), (points(10),)
    assert not check_grads(slightly, x, 1, modes=("fwd",), **tolerances)[0].passed
    with pytest.raises(GradientError):
        check_grads(slightly, x, 1, modes=("fwd",), rtol=0.005)


def test_nothing_leaks():
    """jax finds no tracer that is kept at order 2."""
    with jax.checking_leaks():
        assert check_grads(jnp.sin, (points(3),), 2, modes=("rev",))[1].passed


REFUSED = {
    "order": (lambda: check_grads(jnp.sin, (points(3),), 0), "order must be an integer of at least 1"),
    "modes": (lambda: check_grads(jnp.sin, (points(3),), 1, modes="fwd"), "modes must be some of fwd, rev"),
    "no forward mode": (
        lambda: check_grads(sine_by_vjp(), (points(3),), 1, modes=("fwd",)),
        r'JVP: jax raises TypeError: .*custom_vjp function\. Pass modes=\("rev",\)',
    ),
    "no floats": (lambda: check_grads(jnp.argmax, (points(3),), 1), "returns no floats"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    """Each is refused by a sentence."""
    call, sentence = REFUSED[name]
    with pytest.raises(InputError, match=sentence):
        call()
