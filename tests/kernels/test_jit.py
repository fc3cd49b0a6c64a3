"""The door to Numba: options, cache, and questions that do not open it."""

import os

import numba
import numpy as np
import pytest
from subprocesses import output_of_python

from fastgrad.kernels import _scalar, elementwise, jit, losses, sums

COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")
needs_compiler = pytest.mark.skipif(not COMPILED, reason="nothing is compiled in this run")


def run(code, **environment):
    """What a new Python prints."""
    return output_of_python(code, **environment).strip()


LOADED = "import sys; print(sorted({'numba', 'fastgrad.kernels'} & set(sys.modules)))"


class TestImports:
    def test_fastgrad_loads_neither(self):
        """`import fastgrad` loads no Numba and no kernels."""
        assert run(f"import fastgrad; {LOADED}") == "[]"

    def test_asking_loads_no_numba(self):
        """Asking about a plain Python function does not import Numba."""
        code = "from fastgrad.kernels.jit import is_jitted, runs_in_parallel as p; "

        assert run(code + f"assert not is_jitted(len) and not p(len); {LOADED}") == "['fastgrad.kernels']"

    def test_the_two_above_can_fail(self):
        """Using a kernel does load both, so the tests above would see it."""
        code = "from fastgrad.kernels import exp; exp; "

        assert run(code + LOADED) == "['fastgrad.kernels', 'numba']"

    def test_names(self):
        """Every public name is listed, found and cached; another is an AttributeError."""
        from fastgrad import kernels

        for name in kernels.__all__:
            assert callable(getattr(kernels, name))
            assert name in vars(kernels)
        assert set(kernels.__all__) <= set(dir(kernels))
        with pytest.raises(AttributeError, match=r"'fastgrad\.kernels' has no attribute 'sin'"):
            _ = kernels.sin

    def test_module_attribute_in_njit(self):
        """`kernels.tanh` works inside a compiled function as well as an imported `tanh`."""
        from fastgrad import kernels

        @numba.njit
        def cost(x):
            return kernels.tanh(x)

        assert cost(0.5) == kernels.tanh(0.5)


def square(x):
    """An ordinary function."""
    return x * x


class TestQuestions:
    @needs_compiler
    def test_is_jitted(self):
        """A function under njit is recognised, with or without signature; nothing else is."""
        assert jit.is_jitted(numba.njit(square))
        assert jit.is_jitted(numba.njit("float64(float64)")(square))
        assert jit.is_jitted(jit.jit_uncached(square))
        for other in (square, len, np.exp, numba.vectorize(square), object(), None):
            assert not jit.is_jitted(other)

    @needs_compiler
    def test_runs_in_parallel(self):
        """Only what was compiled with parallel=True, or its detailed options, starts threads."""
        assert jit.runs_in_parallel(numba.njit(parallel=True)(square))
        assert jit.runs_in_parallel(numba.njit(parallel={"fusion": False})(square))
        assert not jit.runs_in_parallel(numba.njit(parallel=False)(square))
        assert not jit.runs_in_parallel(numba.njit(square))
        assert not jit.runs_in_parallel(square)

    def test_plain(self):
        """`plain` gives the function as written, of a compiled function and of a plain one."""
        assert jit.plain(square) is square
        if COMPILED:
            assert jit.plain(jit.jit_uncached(square)) is square

    def test_kind_of(self):
        """NumPy dtypes and Numba types get the same answer."""
        from numba import types

        for name in ("float32", "float64", "int8", "uint64", "bool", "complex128", "float16"):
            expected = {"f": "float", "i": "integer", "u": "integer", "b": "bool"}
            kind = "" if name in ("complex128", "float16") else expected[np.dtype(name).kind]
            numba_type = types.boolean if name == "bool" else getattr(types, name)

            assert jit.kind_of(np.dtype(name)) == jit.kind_of(numba_type) == kind


@needs_compiler
class TestOptions:
    def test_every_kernel(self):
        """Each kernel releases the GIL, may vectorise, and keeps NaN, infinities and rounding order."""
        kernels = [
            value
            for module in (_scalar, elementwise, losses, sums)
            for value in vars(module).values()
            if jit.is_jitted(value)
        ]

        assert len(kernels) > 15
        for kernel in kernels:
            options = kernel.targetoptions
            assert options["nogil"] is True
            assert options["error_model"] == "numpy"
            assert set(options["fastmath"]) <= {"contract"}
            assert "parallel" not in options

    def test_uncached(self):
        """`jit_uncached` keeps nothing on disk; `jit` does, unless the environment says 0."""
        code = "from fastgrad.kernels.sums import add_block as f; print(type(f._cache).__name__)"

        assert type(jit.jit_uncached(square)._cache).__name__ == "NullCache"
        assert run(code, FASTGRAD_NUMBA_CACHE="1") == "FunctionCache"
        assert run(code, FASTGRAD_NUMBA_CACHE="0") == "NullCache"

    def test_cache_sees_changes_in_other_files(self, tmp_path, monkeypatch):
        """Code on disk is used again, until any file of the kernels changes."""
        monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
        monkeypatch.setattr(jit, "KEEP_ON_DISK", True)

        def hits_after(stamp):
            monkeypatch.setattr(jit, "_kernels_stamp", lambda: stamp)
            compiled = jit.jit(square)
            assert compiled(3.0) == 9.0
            return sum(compiled.stats.cache_hits.values())

        assert [hits_after(stamp) for stamp in ("a", "a", "b", "b")] == [0, 1, 0, 1]


class TestStamp:
    def test_kernels_stamp(self):
        """The stamp covers every kernel file."""
        names = [name for name, _, _ in jit._kernels_stamp()]

        assert {"_scalar.py", "elementwise.py", "jit.py", "losses.py", "sums.py"} <= set(names)


class TestWithoutCompiler:
    def test_disabled_jit(self):
        """With NUMBA_DISABLE_JIT=1 kernels run as plain Python, give the same, and do not warn."""
        code = (
            "import numpy as np; from fastgrad.kernels import exp; from fastgrad.kernels.jit import *;"
            "from fastgrad.kernels.elementwise import exp_loop;"
            "x = np.array([0.0, 89.0, -np.inf], np.float32);"
            "print(is_jitted(exp_loop), exp(x).tolist(), exp(1e3))"
        )

        assert run(code, NUMBA_DISABLE_JIT="1") == "False [1.0, inf, 0.0] inf"
