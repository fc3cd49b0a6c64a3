"""What functions and values consist of: the same hashes in every process, others for whatever was changed."""

from __future__ import annotations

import collections
import copy
import ctypes
import functools
import json
import random
import threading
import types
from pathlib import Path

import contents_cases
import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from subprocesses import output_of_python

from fastgrad.execution import contents as contents_module
from fastgrad.execution.contents import contents


def of(value):
    """The hashes of one value."""
    return contents({"it": value})


def same(one, two):
    """Whether two values have the same hashes."""
    return of(one) == of(two)


def defined(source, name="f", **given_globals):
    """A function of a module of its own, by its source."""
    module = {"__name__": "made", "np": np} | given_globals
    exec(compile(source, "made.py", "exec"), module)
    return module[name]


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(width=16)
    | st.text(max_size=2)
    | st.binary(max_size=2)
)
hashable = st.recursive(
    scalars, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=4
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.sets(hashable, max_size=3)
        | st.dictionaries(hashable, inner, max_size=3)
        | st.builds(lambda x: np.array([x, 1.5]), st.floats(width=16))
    ),
    max_leaves=8,
)


def frozen(value):
    """Reference implementation: a value as a text that says all of it, with types, whatever order it has."""
    kind = type(value).__name__
    if isinstance(value, dict):
        return kind + repr(sorted((frozen(key), frozen(entry)) for key, entry in value.items()))
    if isinstance(value, set | frozenset):
        return kind + repr(sorted(map(frozen, value)))
    if isinstance(value, list | tuple):
        return kind + repr([frozen(entry) for entry in value])
    return kind + repr(value.tolist() if isinstance(value, np.ndarray) else value)


class TestLaws:
    @given(values)
    def test_a_copy_is_the_same(self, value):
        """A value that was made once more, in another order where it has none, has the same hashes."""
        assert same(value, copy.deepcopy(value))
        if isinstance(value, dict):
            assert same(value, dict(reversed(value.items())))

    @given(values, values)
    def test_other_values_differ(self, one, two):
        """Two values have the same hashes where a naive description of them is the same, and only there."""
        assert same(one, two) == (frozen(one) == frozen(two))

    def test_the_same_in_every_process(self):
        """Functions, objects and data have the same hashes in processes of other hash seeds."""
        program = (
            "import json, sys; sys.path.insert(0, sys.argv[1]); import contents_cases as cases; "
            "print(json.dumps(cases.hashes()))"
        )
        found = [
            json.loads(output_of_python(program, Path(__file__).parents[1], PYTHONHASHSEED=seed))
            for seed in ("1", "2")
        ]
        for name, hashes in contents_cases.hashes().items():
            assert found[0][name] == found[1][name] == hashes, name

    @pytest.mark.parametrize("case", contents_cases.CASES)
    def test_the_same_each_time(self, case):
        """A second look at the same thing finds the same."""
        assert same(contents_cases.CASES[case], contents_cases.CASES[case])


BASE = "def f(p): return np.sum(K * p ** 2)"

MENDED = {
    "another constant": "def f(p): return np.sum(K * p ** 3)",
    "another operator": "def f(p): return np.sum(K + p ** 2)",
    "another function": "def f(p): return np.prod(K * p ** 2)",
    "another constant, of the same value": "def f(p): return np.sum(K * p ** 2.0)",
    "another argument": "def f(p, k=1): return np.sum(K * p ** 2)",
    "another global": "def f(p): return np.sum(L * p ** 2)",
}


class TestFunctions:
    @pytest.mark.parametrize("how", MENDED)
    def test_mended(self, how):
        """A function that was mended under the same name is another."""
        assert not same(defined(BASE, K=2.0), defined(MENDED[how], K=2.0, L=2.0))

    def test_elsewhere(self):
        """Lines, comments and types are no part of a function, which may be made once more."""
        other = "\n\n# moved\ndef f(\n    p: list,\n):  # the cost\n    return np.sum(K * p ** 2)\n"
        assert same(defined(BASE, K=2.0), defined(other, K=2.0))

    @pytest.mark.parametrize(
        "source",
        [
            "def f(p): return K * p",
            "def f(p): return [K * q for q in p]",
            "def f(p): return (lambda q: K * q)(p)",
            "def g(p): return K * p\ndef f(p): return g(p)",
            "def f(p, k=K): return k * p",
            "def f(p, *, k=K): return k * p",
            "def made(k):\n    return lambda p: k * p\nf = made(K)",
            "class A:\n    k = K\n    def __call__(self, p): return self.k * p\nf = A()",
            "class A:\n  def __init__(self, k): self.k = k\n  def f(self, p): return self.k\nf = A(K).f",
            "class A:\n  __slots__ = ('k',)\n  def __call__(self, p): return self.k * p\nf = A()\nf.k = K",
            "class A:\n    @staticmethod\n    def cost(p): return K * p\ndef f(p): return A.cost(p)",
            "class A:\n  @property\n  def k(self): return K\n  def __call__(self, p): return self.k\nf = A()",
            "class A:\n  def k(self): return K\nclass B(A):\n  def f(self, p): return self.k()\nf = B().f",
            "def f(p): return f.k * p\nf.k = K",
            "import functools\nf = functools.partial(lambda p, k: k * p, k=K)",
            "import functools\nf = functools.lru_cache(lambda p: K * p)",
            "import functools\nf = functools.reduce(lambda a, b: b, [1, lambda p: K * p])",
            "import contextlib\n@contextlib.contextmanager\ndef g(): yield K\ndef f(p): return g().gen",
            "import numba\nf = numba.njit(lambda p: K * p)",
            "import numba\ng = numba.njit(lambda p: K * p)\nf = numba.njit(lambda p: g(p) + 1)",
            "import numpy as np\nf = np.vectorize(lambda p: K * p)",
        ],
    )  # fmt: skip
    def test_a_value_that_is_used(self, source):
        """Wherever a function has a value from, another value makes it another function."""
        assert same(defined(source, K=2.0), defined(source, K=2.0))
        assert not same(defined(source, K=2.0), defined(source, K=7.0))

    def test_options_of_a_compiled_function(self):
        """A function that was compiled with other options may round in another way."""
        source = "import numba\nf = numba.njit(fastmath=%s)(lambda p: p.sum())"
        assert same(defined(source % "False"), defined(source % "True")) == bool(numba.config.DISABLE_JIT)

    def test_a_constant_of_a_module(self):
        """A constant that is asked of a module counts; the others of that module do not."""
        config = types.ModuleType("config")
        config.inner = types.ModuleType("config.inner")
        config.inner.SCALE, config.inner.OTHER = 2.0, 1.0
        f = defined("def f(p): return config.inner.SCALE * p", config=config)
        before = of(f)
        assert list(before) == ["f()", "config.inner.SCALE"]
        config.inner.OTHER = 5.0
        assert of(f) == before
        config.inner.SCALE = 7.0
        assert of(f) != before

    def test_libraries_count_by_name(self):
        """A function of a library is not looked into, nor an object that is asked of its module."""
        f = defined("def f(p): return stats.norm.logpdf(p) + json.dumps(p)", stats=_scipy_stats(), json=json)
        assert list(of(f)) == ["f()", "stats.norm", "json.dumps"]
        assert list(of(json.dumps)) == ["dumps()"]

    def test_recursion(self):
        """Functions that call each other are no trouble, and each counts."""
        source = "def g(p): return f(p - %d)\ndef f(p): return p if p < 0 else g(p)"
        assert same(defined(source % 1), defined(source % 1))
        assert not same(defined(source % 1), defined(source % 2))

    def test_names_of_places(self):
        """Places are called as the user would call them."""

        class Layer:
            def __init__(self, scale):
                self.scale = scale

        model = Layer(Layer(2.0))

        def cost(p):
            return model.scale.scale * p

        assert [place for place in of(cost) if "Layer" not in place] == [
            "cost()", "model", "model.scale", "model.scale.scale"
        ]  # fmt: skip


def _scipy_stats():
    import scipy.stats

    return scipy.stats


class Table:
    """What a DataFrame is to us: an array with names."""

    def __init__(self, array, columns=(), index=()):
        self.array, self.columns, self.index = array, list(columns), list(index)

    def __array__(self, dtype=None, copy=None):
        """The numbers."""
        return self.array


class Tensor:
    """What a tensor that is to be differentiated is to us."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        """Refused, as torch does."""
        raise RuntimeError("use tensor.detach().numpy() instead")

    def detach(self):
        """Its numbers, on some device."""
        return types.SimpleNamespace(cpu=lambda: self.array)


class TestData:
    @pytest.mark.parametrize(
        ("one", "two"),
        [
            (1.0, 3.0),
            (1.0, 1),
            (0.0, -0.0),
            ([1.0], [3.0]),
            ([1.0], (1.0,)),
            ([[1.0], [2.0]], [[1.0, 2.0]]),
            (["a", "bc"], ["ab", "c"]),
            ({"a": 1.0}, {"a": 3.0}),
            ({"a": 1.0}, {"b": 1.0}),
            (np.ones((2, 3)), np.ones((3, 2))),
            (np.ones(2), np.ones(2, dtype=np.float32)),
            (np.zeros(2), np.zeros(2, dtype=np.int64)),
            (np.float64(1.0), np.float64(2.0)),
            (np.array([1.0, None], dtype=object), np.array([2.0, None], dtype=object)),
            (np.array(["a"]), np.array(["b"])),
            (np.ma.masked_array([1.0, 2.0], [0, 1]), np.ma.masked_array([1.0, 2.0], [1, 0])),
            (np.array([1 / 3], dtype=np.longdouble), np.array([1], dtype=np.longdouble) / 3),
            (Table(np.ones(2)), Table(np.zeros(2))),
            (Table(np.ones((1, 2)), ["a", "b"]), Table(np.ones((1, 2)), ["b", "a"])),
            (Table(np.ones(1), index=["a"]), Table(np.ones(1), index=["b"])),
            (Tensor(np.ones(2)), Tensor(np.zeros(2))),
            (collections.OrderedDict(a=1, b=2), collections.OrderedDict(a=1, b=3)),
            (collections.OrderedDict(a=1, b=2), collections.OrderedDict(b=2, a=1)),
            (collections.deque([1, 2]), collections.deque([1, 3])),
            (contents_cases.Settings(0.5), contents_cases.Settings(0.25)),
            (contents_cases.Pair(1, 2), contents_cases.Pair(1, 3)),
        ],
    )
    def test_other_data(self, one, two):
        """Another number, type, shape, key or name makes other data."""
        assert same(one, copy.deepcopy(one))
        assert not same(one, two)

    def test_layout_is_no_content(self):
        """Where the elements of an array lie in memory does not matter, nor what is between its fields."""
        grid = np.arange(12.0).reshape(3, 4)
        assert same(grid, np.asfortranarray(grid))
        assert same(grid[::2, 1:], grid[::2, 1:].copy())
        kind = np.dtype([("a", "i1"), ("b", "f8")], align=True)
        clean, dirty = (
            np.frombuffer(bytes([fill]) * 32, dtype=np.uint8).copy().view(kind) for fill in (0, 255)
        )
        for records in (clean, dirty):
            records["a"], records["b"] = 1, 2.0
        assert same(clean, dirty)

    def test_arrays_that_nobody_changes(self):
        """An array that is said to stay the same is read only once; any other is read each time."""
        array, other = np.zeros(3), np.zeros(3)
        known = {id(array): None}
        first = contents({"X": array, "Y": other}, known)
        array[0] = other[0] = 1.0
        second = contents({"X": array, "Y": other}, known)
        assert second["X"] == first["X"] != contents({"X": array})["X"]
        assert second["Y"] == contents({"Y": other})["Y"] != first["Y"]


class Odd:
    """An object that is no help."""

    def __reduce_ex__(self, protocol):
        raise ValueError("no")

    def __getattr__(self, name):
        raise OSError(name)


class Rude:
    """An object whose class cannot even be asked for."""

    @property
    def __class__(self):
        raise OSError


class TestNoContent:
    @pytest.mark.parametrize(
        "make",
        [
            object,
            threading.Lock,
            np.random.default_rng,
            random.Random,
            np.random.RandomState,
            Odd,
            lambda: (k for k in range(3)),
            lambda: ctypes.CDLL(None),
            lambda: types.SimpleNamespace(lock=threading.Lock()),
        ],
    )
    def test_counts_by_type(self, make):
        """What has no content that could be compared is the same each time, and no other thing."""
        assert same(make(), make())
        assert not same(make(), 1.0)

    def test_rude_objects(self):
        """An object that raises whatever it is asked for stops nothing."""
        assert len(of(Rude())) == 1
        assert not same([Rude(), 1.0], [Rude(), 2.0])

    def test_what_its_pickle_leaves_out(self):
        """What an object leaves out of its state is no part of it."""

        class Counted:
            def __init__(self, scale):
                self.scale, self.calls = scale, random.random()

            def __getstate__(self):
                return {"scale": self.scale}

        assert same(Counted(2.0), Counted(2.0))
        assert not same(Counted(2.0), Counted(3.0))


class TestBounds:
    def test_circles(self):
        """What contains itself is looked at once."""
        one, two = [1.0], [1.0]
        for each in (one, two):
            each.append({"itself": each})
        assert same(one, two)
        model = types.SimpleNamespace(scale=1.0)
        model.itself = model
        assert not same(model, types.SimpleNamespace(scale=1.0, itself=model))

    def test_deep_nesting(self):
        """Nesting that is deeper than Python could follow stops nothing; near the surface all counts."""
        deep = functools.reduce(lambda inner, _: [inner, 1.0], range(5000), [])
        assert same(deep, deep)
        assert not same([deep, 1.0], [deep, 2.0])

    def test_many_things(self, monkeypatch):
        """Of very many things the last count by their types only; all numbers of a list are one thing."""
        monkeypatch.setattr(contents_module, "MANY", 10)
        many = [[k] for k in range(100)]
        assert same(many, [*many[:-1], [7.5]])
        assert not same(many, [[7.5], *many[1:]])
        assert not same(list(range(100)), [*range(99), 7])

    def test_many_places(self, monkeypatch):
        """An object in a long chain of attributes has no place of its own, and counts where it was found."""
        monkeypatch.setattr(contents_module, "LONGEST_NAME", 1)
        one, two = (
            types.SimpleNamespace(a=types.SimpleNamespace(b=types.SimpleNamespace(c=c))) for c in (1, 2)
        )
        assert list(of(one)) == ["it", "it.a"]
        assert not same(one, two)
        monkeypatch.setattr(contents_module, "MOST_PLACES", 0)
        assert list(of(one)) == ["it"]
        assert not same(one, two)
