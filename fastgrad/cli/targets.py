"""The TARGET of `fastgrad check`: file.py:name or package.module:name, a Problem or a function returning one.

cli/main.py calls load_target with the text, and gets the Problem.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from fastgrad.cli.source_loader import SourceLoader
from fastgrad.cli.tracebacks import user_traceback
from fastgrad.errors import InputError
from fastgrad.problem.calls import takes
from fastgrad.problem.describe import joined_names
from fastgrad.problem.problem import Problem

_FILE_MODULE_PREFIX = "fastgrad_target_"
"""A file is imported under its name with this in front, so that it hides no module of the same name."""


def load_target(target: str) -> Problem:
    """The Problem that a target names.

    Raises
    ------
    InputError
        For a target that is not of the form, does not import (with the user's own traceback), has no such
        name, or is no Problem.
    """
    place, _, name = target.rpartition(":")
    if not place:
        place, name = target, ""
    module = _import_file(Path(place)) if place.endswith(".py") else _import_module(place)
    if not name:
        raise InputError(f"which problem in {place}? Say {place}:NAME; {_problems_in(module)}", code="FG901")
    value = _attribute(module, name, place)
    if callable(value) and not isinstance(value, Problem):
        value = _call(value, target)
    if not isinstance(value, Problem):
        raise InputError(
            f"{target} must be a fastgrad.Problem or a function that returns one; got {type(value).__name__}",
            code="FG901",
        )
    return value


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise InputError(f"there is no file {path}", code="FG902")
    name = _FILE_MODULE_PREFIX + path.stem
    spec = importlib.util.spec_from_file_location(name, path, loader=SourceLoader(name, str(path)))
    if spec is None or spec.loader is None:
        raise InputError(f"{path} is not a Python file", code="FG902")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    _search_first(path.resolve().parent)  # the file can import its neighbours, as under `python file.py`
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: a script may end itself
        sys.modules.pop(name, None)
        raise _import_failure(str(path), error) from error
    _pickle_by_value(module)
    return module


def _import_module(name: str) -> ModuleType:
    _search_first(Path.cwd())
    try:
        return importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise _import_failure(name, error) from error


def _search_first(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _pickle_by_value(module: ModuleType) -> None:
    # No worker process could import a module of this made-up name, so its functions are sent as code.
    import cloudpickle

    cloudpickle.register_pickle_by_value(module)


def _import_failure(place: str, error: BaseException) -> InputError:
    return InputError(f"{place} does not import:", user_traceback(error), code="FG903")


def _attribute(module: ModuleType, name: str, place: str) -> Any:
    value: Any = module
    try:
        for part in name.split("."):
            value = getattr(value, part)
    except KeyboardInterrupt:
        raise
    except AttributeError as error:
        raise InputError(f"{place} has no {name}; {_problems_in(module)}", code="FG901") from error
    except BaseException as error:  # a property, or a __getattr__ of the module
        raise InputError(f"reading {name} of {place} failed:", user_traceback(error), code="FG903") from error
    return value


def _call(function: Any, target: str) -> Any:
    try:
        return function()
    except KeyboardInterrupt:
        raise
    except TypeError as error:
        if takes(function, 0):
            raise InputError(f"calling {target}() failed:", user_traceback(error), code="FG903") from error
        raise InputError(
            f"{target} is a function that takes arguments, such as a cost: name a fastgrad.Problem, or a "
            "function without arguments that returns one. problem = fastgrad.Problem(cost, gradient, params, "
            "args=(X, y)) makes one",
            code="FG901",
        ) from None
    except BaseException as error:
        raise InputError(f"calling {target}() failed:", user_traceback(error), code="FG903") from error


def _problems_in(module: ModuleType) -> str:
    held = getattr(module, "__dict__", {})  # a module may put any object in its place in sys.modules
    names = [name for name, value in held.items() if isinstance(value, Problem)]
    if not names:
        return "it holds no fastgrad.Problem"
    return f"it holds the problem{'s' * (len(names) > 1)} {joined_names(names)}"
