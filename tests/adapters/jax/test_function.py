"""check_function: the gradient of a scalar function of a pytree, in float64 and in its own precision."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any, NamedTuple

import numpy as np
import pytest
from subprocesses import output_of

from fastgrad.errors import InputError

jax = pytest.importorskip("jax")
jnp = jax.numpy

from jax_cases import network, points, sine_by_jvp, sine_by_vjp  # noqa: E402

from fastgrad.adapters.jax import check_function  # noqa: E402


def squares(x):
    """A function of an array."""
    return jnp.sum(x**2)


class TestVerdict:
    def test_jax_grad_of_a_pytree(self):
        """jax.grad agrees in both precisions, and leaves have the names that jax prints."""
        loss, params, args = network()
        report = check_function(loss, params, args=args)
        assert report.passed
        assert [row.name for row in report.blocks] == [
            "params['dense']['W']",
            "params['dense']['b']",
            "params['out']",
        ]
        assert report.witnesses[0].startswith("jax.grad in float64: agree; in float32: agree to ")
        assert any("under jax.enable_x64(True)" in note for note in report.notes)
        assert report.engine == "batched"

    def test_one_entry_wrong_by_one_percent(self):
        """The twin: the rule of one entry is off by 1%, which is found and named as in a pytree."""
        sine = sine_by_vjp(at=7, factor=1.01)
        report = check_function(lambda p: jnp.sum(sine(p["a"])), {"a": points(50)})
        assert [found.label for found in report.wrong] == ["params['a'][7]"]

    def test_wrong_in_float32_alone(self):
        """A rule that is wrong in float32 only is wrong, though differences in float64 see nothing of it."""

        @jax.custom_jvp
        def sine(x):
            return jnp.sin(x)

        def rule(primals, tangents):
            factor = 1.01 if primals[0].dtype == jnp.float32 else 1.0
            return jnp.sin(primals[0]), factor * jnp.cos(primals[0]) * tangents[0]

        sine.defjvp(rule)
        report = check_function(lambda x: jnp.sum(sine(x)), points(20))
        assert report.verdict == "disagree"
        assert report.witnesses[0].startswith("jax.grad in float64: agree; in float32: disagree, 20 of 20")
        assert any("right in float64" in note for note in report.notes)

    def test_with_x64_there_is_one_precision(self):
        """Where jax is set to float64 nothing is cast, and nothing is said of float32."""
        with jax.enable_x64(True):
            report = check_function(squares, points(20, double=True))
        assert report.passed
        assert not any("float32" in said for said in (*report.witnesses, *report.notes))

    def test_float32_inside(self):
        """A function that casts to float32 itself is seen as far as that shows, and the report says so."""
        report = check_function(lambda x: jnp.sum(jnp.exp(x.astype(jnp.float32))), points(20))
        assert report.passed
        assert report.resolution > 1e-6
        assert any("fn casts to float32 inside" in note for note in report.notes)

    def test_bfloat16(self):
        """A function in bfloat16 is right to the precision of bfloat16."""
        report = check_function(lambda x: jnp.sum(jnp.exp(x)), points(20).astype(jnp.bfloat16))
        assert report.passed
        assert "in bfloat16: agree to " in report.witnesses[0]

    def test_a_function_without_float64(self):
        """What refuses float64 is checked in float32, and the report says why."""

        def kernel(x):
            if x.dtype != jnp.float32:
                raise TypeError("this kernel takes float32 only")
            return jnp.sum(jnp.exp(x))

        report = check_function(kernel, points(20))
        assert report.passed
        assert any("TypeError: this kernel takes float32 only" in note for note in report.notes)

    def test_staying_in_float32(self):
        """float64=False evaluates in float32 alone."""
        report = check_function(lambda x: jnp.sum(jnp.exp(x)), points(20), float64=False)
        assert report.passed
        assert any("as float64=False asks" in note for note in report.notes)

    @pytest.mark.parametrize("factor", [1.0, 1.01])
    def test_custom_jvp_in_reverse(self, factor):
        """jax.grad of a function with a custom_jvp is checked through that rule."""
        sine = sine_by_jvp(factor)
        assert check_function(lambda x: jnp.sum(sine(x)), points(20)).passed == (factor == 1.0)


class TestGiven:
    def test_a_function(self):
        """A gradient function of the user's is asked in both precisions."""
        report = check_function(squares, points(20), gradient=lambda x: 2 * x)
        assert report.passed
        assert report.witnesses[0].startswith("the gradient in float64: agree; in float32: agree")

    def test_a_wrong_function(self):
        """The twin is off by 1%."""
        assert not check_function(squares, points(20), gradient=lambda x: 2.02 * x).passed

    @pytest.mark.parametrize("factor", [2.0, 2.02])
    def test_numbers(self, factor):
        """A gradient given as numbers is compared as it is; the report says in which precision it was."""
        report = check_function(squares, points(20), gradient=factor * points(20))
        assert report.passed == (factor == 2.0)
        assert any("given as numbers, in float32" in note for note in report.notes)

    def test_complex_in_the_convention_of_jax(self):
        """The conjugate that jax.grad returns is right, and the gradient itself is not."""
        z = jnp.array([1 + 2j, 0.5 - 1j])

        def cost(z):
            return jnp.sum(jnp.abs(z) ** 2)

        assert check_function(cost, z).passed
        report = check_function(cost, z, gradient=lambda z: 2 * jnp.conj(z))
        assert report.passed
        assert any("jax.grad gives dx - i dy" in note for note in report.notes)
        wrong = check_function(cost, z, gradient=lambda z: 2 * z)
        assert {found.label for found in wrong.wrong} == {"params[0, 1]", "params[1, 1]"}


class Pair(NamedTuple):
    """A node of a pytree."""

    first: Any
    second: Any


class TestPytrees:
    def test_dataclass_named_tuple_and_none(self):
        """Registered dataclasses and named tuples are taken apart by field; a None is said."""

        @jax.tree_util.register_dataclass
        @dataclasses.dataclass
        class Model:
            weights: Any
            activation: str = dataclasses.field(default="tanh", metadata={"static": True})

        model = Model(Pair(points(5), (jnp.float32(2.0), None)))
        report = check_function(lambda m: jnp.sum(m.weights.first) * m.weights.second[0], model)
        assert report.passed
        assert [row.name for row in report.blocks] == ["params.weights.first", "params.weights.second[0]"]
        assert any(note.startswith("params.weights.second[1] is None") for note in report.notes)

    def test_integers_are_held(self):
        """An integer leaf stays as it is, a Python number too, and the report says so."""

        def power(params):
            return sum(jnp.sum(params["w"] ** k) for k in range(params["n"]))

        report = check_function(power, {"w": points(5), "n": 3})
        assert report.passed
        assert any(note.startswith("params['n'] is held as given") for note in report.notes)


class TestEvaluation:
    def test_plain_calls_where_it_cannot_be_compiled(self):
        """A function that branches on values is called plainly; the report says why, in one line."""
        report = check_function(lambda x: jnp.sum(x**2) if x[0] > 0 else jnp.sum(x), points(5))
        assert report.passed
        assert report.engine == "python"
        note = next(note for note in report.notes if note.startswith("fn was called plainly"))
        assert "TracerBoolConversionError" in note
        assert "object id" not in note

    def test_nothing_leaks(self):
        """jax finds no tracer that is kept, and the report holds arrays of NumPy only."""
        with jax.checking_leaks():
            report = check_function(lambda x: jnp.sum(jnp.exp(x)), points(5))
        assert report.passed
        assert all(type(a) is np.ndarray for a in (report.claimed, report.numeric, report.error_bound))

    def test_workers_change_nothing(self):
        """Two workers give the same numbers as one."""
        loss, params, args = network()
        one, two = (check_function(loss, params, args=args, n_jobs=n) for n in (1, 2))
        assert np.array_equal(one.numeric, two.numeric)

    def test_the_setting_of_jax_stays(self):
        """After a check, also one that raises, jax has float32 as before."""
        check_function(squares, points(3))

        def broken(x):
            raise RuntimeError("broken")

        with pytest.raises(RuntimeError, match="broken"):
            check_function(broken, points(3))
        assert jnp.ones(1).dtype == jnp.float32


def traced(x):
    """Call a check inside of a transformation."""
    check_function(squares, x)
    return jnp.sum(x)


X = {"a": jnp.ones(3, "float32")}


def of(fn, params=X["a"], **more):
    """A call of check_function that is made later."""
    return lambda: check_function(fn, params, **more)


REFUSED = {
    "vector": (of(jnp.sin), r"a scalar, as for jax.grad; got shape \(3,\).*check_grads"),
    "aux": (of(lambda x: (jnp.sum(x), x)), r"has_aux=True\): pass the loss alone"),
    "dict": (of(lambda x: {"loss": jnp.sum(x)}), "one scalar, as for jax.grad; got a dict"),
    "complex": (of(lambda x: 1j * jnp.sum(x)), "a real float, as for jax.grad; got complex64"),
    "string": (of(squares, {"a": "relu"}), r"params\['a'\] is no type that JAX knows: got 'relu'.*static"),
    "function": (of(squares, [jnp.tanh]), r"params\[0\] is no type that JAX knows"),
    "integers": (of(squares, jnp.arange(3)), "params is int32.*needs floats"),
    "empty": (of(squares, {}), "pytree without leaves"),
    "tracer": (lambda: jax.grad(traced)(points(3)), "params is a tracer.*outside of them"),
    "structure": (
        of(lambda p: squares(p["a"]), X, gradient=lambda p: p["a"]),
        r"structure of params, PyTreeDef\(\{'a': \*\}\); got PyTreeDef\(\*\)",
    ),
    "shape": (
        of(lambda p: squares(p["a"]), X, gradient={"a": points(2)}),
        r"real array of shape \(3,\) at params\['a'\]",
    ),
    "batch": (of(squares, vectorized=True), "leave vectorized= out"),
    "method": (of(squares, method="complex"), "not for JAX"),
    "engine": (of(squares, engine="traced"), "not for functions of JAX"),
    "args": (of(squares, args=[1]), "args must be a tuple"),
    "fn": (of(points(3), squares), "fn must be callable"),
    "no gradient": (
        of(lambda x: jnp.asarray(np.sum(np.asarray(x)))),
        "jax.grad raises TracerArrayConversionError.*gradient=",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    """Each is refused by a sentence in the terms of JAX."""
    call, sentence = REFUSED[name]
    with pytest.raises(InputError, match=sentence):
        call()


@pytest.mark.parametrize(
    ("package", "loads"), [("fastgrad.adapters", "False"), ("fastgrad.adapters.jax", "True")]
)
def test_jax_is_loaded_by_its_adapter_only(package, loads):
    """Neither fastgrad nor the package of adapters loads jax."""
    code = f"import sys, fastgrad, {package}; print('jax' in sys.modules)"
    assert output_of([sys.executable, "-c", code]).strip() == loads
