"""What a function or a value consists of, as hashes by place: code, constants, attributes, array elements.

`identity` compares them between two runs, which may be two processes. So no hash depends on an address, on the
order of a set, or on lines and files; a function of a library counts by its name, and what has no content that
could be read, such as a lock, by its type.
"""

from __future__ import annotations

import hashlib
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import PIECE
from fastgrad.execution.function_code import closure_of, constants, globals_read, instructions, with_inner

PLAIN = (bool, int, float, complex, str, type(None), type(Ellipsis))
"""The types whose `repr` says all, in the same words in every process."""

DEEPEST = 60
"""Levels of nesting that are looked into; each takes a few frames of Python's 1,000."""

MANY = 1_000_000
"""Things that are looked at, in about ten seconds; of the others only the type counts. Numbers in one list are one
thing."""

LONGEST_NAME = 3
"""Attributes of attributes have places of their own up to so many: model.layers.scale."""

MOST_PLACES = 1000
"""Places that a checkpoint lists; what has none goes with what it was found in."""

Known = dict[int, tuple[object, bytes]]
"""Hashes of arrays that nobody changes meanwhile, by address, with the array itself so that it stays there."""


def contents(value: object, name: str, known: Known | None = None) -> dict[str, str]:
    """The hashes of all that a value consists of, by place.

    Parameters
    ----------
    value : a function, an object, data
    name : what it is called, from which the names of places are made
    known : hashes of arrays from an earlier look, and where to keep those of this one; None to hash all anew

    Examples
    --------
    >>> SCALE = 2.0
    >>> list(contents(lambda x: SCALE * x, "cost"))
    ['<lambda>()', 'SCALE']
    >>> contents([0.5, {"a": 1}], "args") == contents([0.5, {"a": 1}], "args") != contents([0.5, {"a": 2}], "args")
    True
    """
    look = _Look(known)
    look.at(value, name, 0)
    return {place: found.hexdigest() for place, found in look.found.items()}


class _Look:
    """One look at a value and all it consists of, which are gone through in the same order each time."""

    def __init__(self, known: Known | None) -> None:
        self.found: dict[str, Any] = {}
        self.known = known
        self.seen: dict[int, tuple[object, str]] = {}
        """Where functions, classes and objects were met first; with these themselves, for ids are reused."""
        self.count = 0

    def at(self, value: object, place: str, depth: int) -> None:
        """Look at a value, which is in this place."""
        kind = type(value)
        self.count += 1
        if depth > DEEPEST or self.count > MANY:
            self.say(place, "more", _name_of(kind))
        elif kind in PLAIN:
            self.say(place, kind.__name__, repr(value))
        elif kind in (bytes, bytearray):
            self.say(place, kind.__name__, value)
        elif kind in (list, tuple):
            self._sequence(value, place, depth)  # type: ignore[arg-type]
        elif kind in (set, frozenset):
            self.say(place, kind.__name__, *sorted(_alone(element) for element in value))  # type: ignore[attr-defined]
        elif kind is dict:
            self._dict(value, place, depth)  # type: ignore[arg-type]
        elif isinstance(value, np.dtype | ModuleType | BuiltinFunctionType) and _by_name(value):
            self.say(place, _name_of(kind), _by_name(value))
        elif (array := _as_array(value)) is not None:
            self._array(value, array, place, depth)
        elif id(value) in self.seen:
            self.say(place, "again", self.seen[id(value)][1])
        else:
            self.seen[id(value)] = value, place
            self._with_identity(value, place, depth)

    def say(self, place: str, *words: object) -> None:
        """Add words to the hash of a place."""
        found = self.found.setdefault(place, hashlib.blake2b(digest_size=16))
        for word in words:
            data = word if isinstance(word, bytes | bytearray) else str(word).encode(errors="surrogatepass")
            found.update(b"%d:" % len(data))
            found.update(data)

    def _sequence(self, value: list[Any] | tuple[Any, ...], place: str, depth: int) -> None:
        self.say(place, type(value).__name__, len(value))
        if set(map(type, value)) <= set(PLAIN):
            self.say(place, repr(value))  # at once: Python's own loop is ten times as fast
            return
        for element in value:
            self.at(element, place, depth + 1)

    def _dict(self, value: dict[Any, Any], place: str, depth: int) -> None:
        """A dict, whatever the order in which it was filled."""
        self.say(place, "dict", len(value))
        for key, element in sorted(((_alone(key), key) for key in value), key=lambda pair: pair[0]):
            self.say(place, key)
            self.at(value[element], place, depth + 1)

    def _array(self, value: object, array: npt.NDArray[Any], place: str, depth: int) -> None:
        if self.known is not None and id(value) in self.known:
            self.say(place, self.known[id(value)][1])
            return
        alone = _Look(None)
        alone.say("", _name_of(type(value)), array.dtype, array.shape)
        for words in _numbers(array):
            alone.say("", words)
        for element in _objects(array):
            alone.at(element, "", depth + 1)
        for labels in ("columns", "index"):  # of a table, which are not among its elements
            if not isinstance(value, np.ndarray) and not callable(getattr(value, labels, None)):
                alone.at(getattr(value, labels, None), "", depth + 1)
        digest = alone.all()
        self.say(place, digest)
        if self.known is not None:
            self.known[id(value)] = value, digest

    def _with_identity(self, value: object, place: str, depth: int) -> None:
        """A function, a class or an object: what may be met twice, or contain itself."""
        if isinstance(value, FunctionType):
            self._function(value, place, depth)
        elif isinstance(value, MethodType):
            self.at(value.__func__, place, depth + 1)
            self.at(value.__self__, "self", depth + 1)
        elif isinstance(value, type):
            self._class(value, place, depth)
        elif isinstance(inner := _compiled_from(value), FunctionType):
            self.say(place, _name_of(type(value)))
            self.at(inner, place, depth + 1)
            self.at(getattr(value, "targetoptions", None), place, depth + 1)
        else:
            self._object(value, place, depth)

    def _function(self, value: FunctionType, place: str, depth: int) -> None:
        """Its code and all that it reads: defaults, values of enclosing functions, globals."""
        own = f"{value.__qualname__.removeprefix('<locals>.').rpartition('<locals>.')[2]}()"
        self.say(place if depth else own, "function", own)
        if _is_library(value.__module__):
            self.say(own, value.__module__)
            read = [(name, inner) for name, inner in closure_of(value) if callable(inner)]
        else:
            for code in with_inner(value.__code__):
                self.say(own, *instructions(code))
                for constant in constants(code):
                    self.at(constant, own, depth + 1)
            self.at((value.__defaults__, value.__kwdefaults__), own, depth + 1)
            read = [*closure_of(value), *globals_read(value), *sorted(vars(value).items())]
        for name, inner in read:
            self.at(inner, name, depth + 1)

    def _class(self, value: type, place: str, depth: int) -> None:
        """The methods and the values of a class and those that it inherits from."""
        self.say(place, "class", _name_of(value))
        for each in value.__mro__:
            if _is_library(each.__module__):
                self.say(place, _name_of(each))
                continue
            for name, entry in sorted(vars(each).items()):
                for inner in _of_a_class(name, entry):
                    self.at(inner, f"{each.__qualname__}.{name}", depth + 1)

    def _object(self, value: object, place: str, depth: int) -> None:
        """What its pickle would hold; of one that has none, its type."""
        kind = type(value)
        self.say(place, _name_of(kind))
        try:
            reduced = value.__reduce_ex__(4)
        except Exception:  # a lock, a file, a generator, or whatever an object of the user's may raise
            return
        self.at(kind, place, depth + 1)
        if not isinstance(reduced, tuple):
            self.say(place, reduced)
            return
        make, given, state, *items = (*reduced, None, None, None)[:5]
        self.at(make, place, depth + 1)
        self.at(given, place, depth + 1)
        for part in state if isinstance(state, tuple) else (state,):  # slots have a dict of their own
            self._state(part, place, depth)
        for entries in items:
            self.at(None if entries is None else list(entries), place, depth + 1)

    def _state(self, state: object, place: str, depth: int) -> None:
        if type(state) is not dict or not all(isinstance(name, str) for name in state):
            self.at(state, place, depth + 1)
            return
        apart = place.count(".") < LONGEST_NAME and len(self.found) < MOST_PLACES
        for name, value in sorted(state.items()):
            self.say(place, name)
            self.at(value, f"{place}.{name}" if apart else place, depth + 1)

    def all(self) -> bytes:
        """One hash of all places."""
        total = hashlib.blake2b(digest_size=16)
        for place, found in sorted(self.found.items()):
            total.update(repr(place).encode() + found.digest())
        return total.digest()


def _alone(value: object) -> bytes:
    """The hash of one value by itself, whatever was met before it."""
    look = _Look(None)
    look.at(value, "", 0)
    return look.all()


def _as_array(value: object) -> npt.NDArray[Any] | None:
    """The numbers of an array of NumPy or of another library, where it is one."""
    if type(value) in (np.ndarray, np.memmap):
        return value  # type: ignore[return-value]
    if isinstance(value, np.ndarray | type) or not hasattr(value, "__array__"):
        return None  # a masked array is more than its numbers
    for detached in (lambda: value, lambda: value.detach().cpu()):  # type: ignore[attr-defined]
        try:
            return np.asarray(detached())
        except Exception:  # a tensor that is to be differentiated gives no numbers
            continue
    return None


def _numbers(array: npt.NDArray[Any]) -> Iterator[bytes]:
    """The bytes of an array that mean something, in pieces; of one that holds objects none."""
    if array.dtype.names:
        for name in array.dtype.names:
            yield from _numbers(array[name])
    elif array.dtype.kind in "fc" and array.dtype.itemsize > np.dtype(np.complex128).itemsize // (
        1 if array.dtype.kind == "c" else 2
    ):
        yield from _long(array)
    elif not array.dtype.hasobject:
        flat: Any = array.reshape(-1) if array.flags.c_contiguous else array.flat  # no second copy of it
        yield from (flat[i : i + PIECE].tobytes() for i in range(0, array.size, PIECE))


def _long(array: npt.NDArray[Any]) -> Iterator[bytes]:
    """Long doubles as two doubles each, for some of their own bytes are never written."""
    kind = np.complex128 if array.dtype.kind == "c" else np.float64
    with np.errstate(all="ignore"):
        high = array.astype(kind)
        low = (array - high).astype(kind)
    yield from _numbers(high)
    yield from _numbers(np.where(np.isfinite(high), low, 0))


def _objects(array: npt.NDArray[Any]) -> Iterable[object]:
    if array.dtype.names:
        return [element for name in array.dtype.names for element in _objects(array[name])]
    return array.reshape(-1).tolist() if array.dtype.hasobject else ()


def _of_a_class(name: str, entry: object) -> Iterator[object]:
    """What an entry of a class's dict is about: a function, or a value that its methods may read."""
    for inner in ("__func__", "fget", "func"):  # of a static or class method, a property, a cached property
        if isinstance(getattr(entry, inner, None), FunctionType):
            entry = getattr(entry, inner)
    if isinstance(entry, FunctionType):
        yield entry
    elif not (name.startswith("__") and name.endswith("__")) and not hasattr(type(entry), "__get__"):
        yield entry


def _compiled_from(value: object) -> object:
    """The Python function inside a compiled or a caching one."""
    return getattr(value, "py_func", None) or getattr(value, "__wrapped__", None)


def _by_name(value: Any) -> str:
    """The name of a module, of a builtin function or of a dtype; empty for a builtin method of an object."""
    if isinstance(value, np.dtype | ModuleType):
        return str(value) if isinstance(value, np.dtype) else value.__name__
    if value.__self__ is None or isinstance(value.__self__, ModuleType | type):
        return f"{value.__module__}.{value.__qualname__}"
    return ""


def _name_of(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


@cache
def _is_library(module: str | None) -> bool:
    """Whether a module came with Python, fastgrad or an installed package, rather than being the user's."""
    if module is None or module == "__main__":
        return module is None
    if module.partition(".")[0] == "fastgrad" or module in sys.builtin_module_names:
        return True
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        return False
    parts = Path(file).parts
    installed = "site-packages" in parts or "dist-packages" in parts
    return installed or Path(file).is_relative_to(sysconfig.get_paths()["stdlib"])
