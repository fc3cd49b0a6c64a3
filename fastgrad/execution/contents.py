"""What a function or a value consists of, as hashes by place: code, constants, attributes, array elements.

`identity` compares them between two runs, which may be two processes. So no hash depends on an address, on
the order of a set, or on lines and files. A function of a library counts by its name, and what has no content
that could be read, such as a lock, by its type.
"""

from __future__ import annotations

import ctypes
import hashlib
import random
from collections.abc import Iterator, Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.execution.array_bytes import as_array, labels_of, meaningful_bytes, objects_of
from fastgrad.execution.function_code import closure_of, constants, globals_read, instructions, with_inner
from fastgrad.execution.libraries import attribute, is_library, is_library_file

PLAIN = {bool, int, float, complex, str, type(None), type(Ellipsis)}
"""The types whose `repr` says all, in the same words in every process."""

OF_THIS_PROCESS = (
    np.random.Generator,
    np.random.BitGenerator,
    np.random.SeedSequence,
    np.random.RandomState,
    random.Random,
    ctypes.CDLL,
)
"""What counts by its type alone. Each process seeds NumPy's own generator anew, which SciPy's distributions
hold, and loads a shared library to another address."""

DEEPEST = 60
"""Levels of nesting that are looked into; each takes a few frames of Python's 1,000."""

MANY = 1_000_000
"""Things that are looked at, which takes 2 s (lists) to 15 s (objects); of others only the type counts. All
numbers of a list are one thing."""

LONGEST_NAME = 3
"""Attributes of attributes have places of their own up to so many: model.layers.scale."""

MOST_PLACES = 1000
"""Places up to which attributes get one of their own; then they go with the object."""

Known = dict[int, bytes | None]
"""Hashes of arrays that nobody changes meanwhile, and that stay where they are, by address; None where it is
not known yet."""


def contents(values: Mapping[str, object], known: Known | None = None) -> dict[str, str]:
    """The hashes of all that some values consist of, by place.

    Parameters
    ----------
    values : functions, objects and data, by what they are called; the names of places are made of that
    known : the arrays that are read only the first time

    Examples
    --------
    >>> def scaled_by(scale):
    ...     return lambda x: scale * x
    >>> contents({"cost": scaled_by(2.0)}).keys()
    dict_keys(['<lambda>()', 'scale'])
    >>> one, two = ({"args[0]": [0.5, {"a": number}]} for number in (1, 2))
    >>> contents(one) == contents(one), contents(one) == contents(two)
    (True, False)
    """
    look = _Look({} if known is None else known)
    for name, value in values.items():
        look.at(value, name, 0)
    return {place: found.hexdigest() for place, found in look.found.items()}


class _Look:
    """One look at a value and all it consists of, which are gone through in the same order each time."""

    def __init__(self, known: Known) -> None:
        self.found: dict[str, Any] = {}
        self.known = known
        self.seen: dict[int, tuple[object, str]] = {}
        """Where functions, classes and objects were met first; with these themselves, for ids are reused."""
        self.count = 0

    def at(self, value: Any, place: str, depth: int) -> None:
        """Look at a value, which is in this place."""
        self.count += 1
        if depth > DEEPEST or self.count > MANY or issubclass(type(value), OF_THIS_PROCESS):
            self.say(place, "a", _name_of(type(value)))
            return
        try:
            self._look_at(value, place, depth)
        except Exception:  # of an object of the user's: it is not for us to stop a check
            self.say(place, "not readable")

    def _look_at(self, value: Any, place: str, depth: int) -> None:
        kind = type(value)
        if kind in PLAIN:
            self.say(place, kind.__name__, repr(value))
        elif kind in (bytes, bytearray, memoryview):
            self.say(place, kind.__name__, bytes(value))
        elif kind in (list, tuple):
            self._sequence(value, place, depth)
        elif kind in (set, frozenset):
            self.say(place, kind.__name__, *sorted(self._alone(element, depth) for element in value))
        elif kind is dict:
            self._dict(value, place, depth)
        elif name := _builtin_name(value):
            self.say(place, _name_of(kind), name)
        elif (array := as_array(value)) is not None:
            self._array(value, array, place, depth)
        elif id(value) in self.seen:
            self.say(place, "again", self.seen[id(value)][1])
        else:
            self.seen[id(value)] = value, place
            self._met_once(value, place, depth)

    def say(self, place: str, *words: object) -> None:
        """Add words to the hash of a place."""
        found = self.found.setdefault(place, hashlib.blake2b(digest_size=16))
        for word in words:
            data = word if isinstance(word, bytes) else str(word).encode(errors="surrogatepass")
            found.update(b"%d:" % len(data))
            found.update(data)

    def total(self) -> bytes:
        """One hash of all places."""
        total = hashlib.blake2b(digest_size=16)
        for place, found in sorted(self.found.items()):
            total.update(repr(place).encode() + found.digest())
        return total.digest()

    def _sequence(self, value: list[Any] | tuple[Any, ...], place: str, depth: int) -> None:
        self.say(place, type(value).__name__, len(value))
        if set(map(type, value)) <= PLAIN:
            self.say(place, repr(value))  # at once, which is ten times as fast
            return
        for element in value:
            self.at(element, place, depth + 1)

    def _dict(self, value: dict[Any, Any], place: str, depth: int) -> None:
        """A dict, whatever the order in which it was filled."""
        self.say(place, "dict", len(value))
        for hashed, key in sorted(
            ((self._alone(key, depth), key) for key in value), key=lambda pair: pair[0]
        ):
            self.say(place, hashed)
            self.at(value[key], place, depth + 1)

    def _alone(self, value: object, depth: int) -> bytes:
        """The hash of one value by itself, whatever was met before it."""
        if type(value) in PLAIN:
            return f"{type(value).__name__} {value!r}".encode(errors="surrogatepass")
        look = _Look({})
        look.count = self.count
        look.at(value, "", depth + 1)
        self.count = look.count
        return look.total()

    def _array(self, value: object, array: npt.NDArray[Any], place: str, depth: int) -> None:
        digest = self.known.get(id(value))
        if digest is None:
            look = _Look({})
            look.say("", _name_of(type(value)), array.dtype, array.shape)
            for piece in meaningful_bytes(array):
                look.say("", piece)
            look.at([objects_of(array), *labels_of(value)], "", depth + 1)
            digest = look.total()
            if id(value) in self.known:
                self.known[id(value)] = digest
        self.say(place, digest)

    def _met_once(self, value: Any, place: str, depth: int) -> None:
        """A function, a class or an object: what may be met twice, or contain itself."""
        compiled = attribute(value, "py_func") or attribute(value, "__wrapped__")  # or one that caches
        if isinstance(value, FunctionType):
            self._function(value, place, depth)
        elif isinstance(value, MethodType):
            self.at(value.__func__, place, depth + 1)
            self.at(value.__self__, "self", depth + 1)
        elif isinstance(value, type):
            self._class(value, place, depth)
        elif isinstance(compiled, FunctionType) and is_library(type(value).__module__):
            self.say(place, _name_of(type(value)))
            self.at(compiled, place, depth + 1)
            self.at(attribute(value, "targetoptions"), place, depth + 1)
        else:
            self._object(value, place, depth)

    def _function(self, value: FunctionType, place: str, depth: int) -> None:
        """The code of a function, and all that it reads: defaults, values of enclosing functions, globals."""
        code = value.__code__
        own = f"{code.co_qualname.rpartition('<locals>.')[2]}()"
        self.say(place if depth else own, "function", own)
        if is_library_file(code.co_filename):
            for name, inner in closure_of(value):
                if callable(inner):  # what a decorator was given
                    self.at(inner, name, depth + 1)
            return
        for each in with_inner(code):
            self.say(own, *instructions(each))
            for constant in constants(each):
                self.at(constant, own, depth + 1)
        self.at((value.__defaults__, value.__kwdefaults__), own, depth + 1)
        for name, inner in (*closure_of(value), *globals_read(value)):
            self.at(inner, name, depth + 1)
        for name, inner in sorted(vars(value).items()):
            self.at(inner, f"{value.__name__}.{name}", depth + 1)

    def _class(self, value: type, place: str, depth: int) -> None:
        """The methods and the values of a class, and of those that it inherits from."""
        self.say(place, "class", *map(_name_of, value.__mro__))
        for each in value.__mro__:
            if is_library(each.__module__):
                continue
            for name, entry in sorted(vars(each).items()):
                for inner in _of_a_class(name, entry):
                    self.at(inner, f"{each.__qualname__}.{name}", depth + 1)

    def _object(self, value: Any, place: str, depth: int) -> None:
        """The class of an object, and what its pickle would hold, if there is one."""
        self.at(type(value), place, depth + 1)
        try:
            reduced = value.__reduce_ex__(4)
        except Exception:  # a lock, a file, or whatever an object of the user's may raise
            return
        if not isinstance(reduced, tuple):
            self.say(place, reduced)
            return
        make, given, state, *items = (*reduced, None, None, None)[:5]
        self.at((make, given), place, depth + 1)
        for part in state if isinstance(state, tuple) else (state,):  # slots have a dict of their own
            self._state(part, place, depth)
        for entries in items:
            self.at(None if entries is None else list(entries), place, depth + 1)

    def _state(self, state: Any, place: str, depth: int) -> None:
        """The attributes of an object, each in a place of its own."""
        if type(state) is not dict or not all(isinstance(name, str) for name in state):
            self.at(state, place, depth + 1)
            return
        apart = place.count(".") < LONGEST_NAME and len(self.found) < MOST_PLACES
        for name, value in sorted(state.items()):
            self.say(place, name)
            self.at(value, f"{place}.{name}" if apart else place, depth + 1)


def _of_a_class(name: str, entry: Any) -> Iterator[object]:
    """What an entry of a class's dict is about: a function, or a value that its methods may read."""
    for inner in ("__func__", "fget", "func"):  # of a static or class method, a property, a cached property
        if isinstance(attribute(entry, inner), FunctionType):
            entry = attribute(entry, inner)
    special = name.startswith("__") and name.endswith("__")
    if isinstance(entry, FunctionType) or not (special or hasattr(type(entry), "__get__")):
        yield entry


def _builtin_name(value: Any) -> str:
    """The name of a module, a builtin function or a dtype; empty for all else, methods of objects too."""
    if isinstance(value, ModuleType):
        return value.__name__
    if isinstance(value, np.dtype):
        return str(value)
    if isinstance(value, BuiltinFunctionType) and isinstance(value.__self__, ModuleType | type | None):
        return f"{value.__module__}.{value.__qualname__}"
    return ""


def _name_of(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
