"""What the code of a function does and reads, without the lines and the file that it stands in.

`contents` hashes it, so that a function which was defined once more, with comments of other lengths say, is
the same, and one that was mended is not. Bytecode is that of one minor version of Python.
"""

from __future__ import annotations

import dis
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from fastgrad.execution.libraries import attribute, is_library


def instructions(code: CodeType) -> tuple[Any, ...]:
    """What a code object does: its instructions and names; the constants are apart, see `constants`."""
    arguments = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return (code.co_code, code.co_exceptiontable, *arguments, *names, "|", *code.co_names)


def constants(code: CodeType) -> Iterator[object]:
    """The constants of a code object, but for the code of functions within it."""
    return (constant for constant in code.co_consts if not isinstance(constant, CodeType))


def with_inner(code: CodeType) -> Iterator[CodeType]:
    """A code object, and those of the functions and comprehensions that are defined in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from with_inner(constant)


def names_read(code: CodeType) -> list[tuple[str, ...]]:
    """The global names that some code reads, each with the attributes that are then asked of it.

    Examples
    --------
    >>> names_read(compile("scale * np.linalg.norm(x)", "", "eval"))
    [('scale',), ('np', 'linalg', 'norm'), ('x',)]
    """
    found: dict[tuple[str, ...], None] = {}
    for each in with_inner(code):
        chain: tuple[str, ...] = ()
        for step in dis.get_instructions(each):
            if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                found |= {chain: None} if chain else {}
                chain = (str(step.argval),)
            elif chain and step.opname in ("LOAD_ATTR", "LOAD_METHOD"):
                chain += (str(step.argval),)
            elif step.opname != "EXTENDED_ARG":
                found |= {chain: None} if chain else {}
                chain = ()
    return list(found)


def globals_read(function: FunctionType) -> Iterator[tuple[str, object]]:
    """The global values that a function reads, by the names it has for them: config.SCALE is one of them.

    What a library's module holds is given by its name: an object in there may hold a seed of this process.
    """
    for first, *attributes in names_read(function.__code__):
        if first not in function.__globals__:
            continue  # a builtin, or not there yet
        name, value = first, function.__globals__[first]
        for asked in attributes:
            if not isinstance(value, ModuleType) or attribute(value, asked) is None:
                break
            owner, name, value = value.__name__, f"{name}.{asked}", attribute(value, asked)
            if is_library(owner) and not isinstance(value, ModuleType | int | float):
                value = f"{owner}.{asked}"
        yield name, value


def closure_of(function: FunctionType) -> Iterator[tuple[str, object]]:
    """The values of enclosing functions that a function reads, by name, but for those not there yet."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:
            continue
