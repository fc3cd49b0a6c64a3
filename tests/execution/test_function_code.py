"""What the code of a function reads: globals, attributes of modules, values of enclosing functions."""

from __future__ import annotations

import math
import types

import numpy as np
import pytest

from fastgrad.execution.function_code import closure_of, constants, globals_read, instructions, names_read

SCALE = 3.0


def names(source):
    """The chains of names that an expression reads."""
    return [".".join(chain) for chain in names_read(compile(source, "", "eval"))]


@pytest.mark.parametrize(
    ("source", "read"),
    [
        ("a + b.c.d", ["a", "b.c.d"]),
        ("a.f(b)(c.g)", ["a.f", "b", "c.g"]),
        ("[x.y for x in a]", ["a"]),
        ("(lambda x: b.c * x)(a)", ["a", "b.c"]),
        ("a if b else c.d", ["b", "a", "c.d"]),
        ("a and a.b", ["a", "a.b"]),
        ("1 + 2", []),
        ("+".join(f"m.x{k}" for k in range(300)), [f"m.x{k}" for k in range(300)]),
    ],
)
def test_names(source, read):
    """Names are read with the attributes asked of them, also in inner functions, and beyond 255 of them."""
    assert names(source) == read


def test_globals():
    """A name is looked up among the globals, through modules; what a library holds is given by its name."""

    def cost(x):
        return SCALE * np.sin(x) * math.pi + np.linalg.norm(x) + len(x) + types.missing + not_there  # noqa: F821

    assert dict(globals_read(cost)) == {
        "SCALE": 3.0,
        "np.sin": "numpy.sin",
        "math.pi": math.pi,
        "np.linalg.norm": "numpy.linalg.norm",
        "types": types,
    }


def test_an_object_is_not_asked():
    """An attribute is asked of modules only: of an object it may be a property that computes for hours."""

    class Slow:
        @property
        def answer(self):
            raise AssertionError

    function = eval("lambda: slow.answer", {"slow": Slow()})
    assert [name for name, _ in globals_read(function)] == ["slow"]


def test_closure():
    """Values of enclosing functions come by name; one that is not there yet is left out."""
    scale = 2.0

    def cost(x):
        return scale * later(x)

    assert dict(closure_of(cost)) == {"scale": 2.0}

    def later(x):
        return x

    assert list(dict(closure_of(cost))) == ["later", "scale"]


def test_instructions_and_constants():
    """The same code on other lines has the same instructions; constants are apart."""
    one, two = (compile(f"{above}f(x + {k}, lambda: 5)", "", "eval") for above, k in (("", 1), ("\n\n", 2)))
    assert instructions(one) == instructions(two)
    assert list(constants(one))[:1] == [1]
    assert 5 not in constants(one)
