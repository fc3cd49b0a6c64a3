"""What is said where the user's functions take other arguments than fastgrad gives them.

`checks` and the checks of `vector` wrap their work in `calls_explained`. Nothing is asked of a function
before a call of it fails.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from fastgrad.errors import InputError
from fastgrad.printable import shortened

BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)

OWN = str(Path(__file__).parents[1])
"""The folder of this package."""


@contextlib.contextmanager
def calls_explained(args: tuple[Any, ...], between: str = "", **functions: Any) -> Iterator[None]:
    """Refuse, in words, functions that do not take (params, *args), where a call of one has failed for that.

    Parameters
    ----------
    args : what they get beside the parameters
    between : what else they get between the two, such as v of jvp(params, v, *args); empty for nothing
    functions : the user's, by what they are called, such as cost=

    Raises
    ------
    InputError
        In the place of a TypeError that Python raises at the call itself.
    """
    try:
        yield
    except TypeError as error:
        if _is_of_the_call(error):
            for name, function in functions.items():
                is_function = callable(function) and not hasattr(function, "shape")  # a LinearOperator
                if is_function and not takes(function, 1 + bool(between) + len(args)):
                    raise InputError(_sentence(name, function, args, between), code="FG212") from error
        raise


def takes(function: Callable[..., Any], count: int) -> bool:
    """Whether a function can be called with so many arguments; True where that is not known.

    Examples
    --------
    >>> takes(lambda p, X: 0, 2), takes(lambda p, X: 0, 1), takes(lambda p, X=None: 0, 1)
    (True, False, True)
    """
    try:
        signature = inspect.signature(function, follow_wrapped=False)
    except (TypeError, ValueError):
        return True
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True


def _is_of_the_call(error: TypeError) -> bool:
    """Whether no frame of the user's had begun."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code.co_filename.startswith(OWN)


def _sentence(name: str, function: Callable[..., Any], args: tuple[Any, ...], between: str) -> str:
    signature = inspect.signature(function, follow_wrapped=False)
    wanted = [p.name for p in signature.parameters.values() if p.default is p.empty and p.kind in BY_PLACE]
    first = f"params, {between}" if between else "params"
    given = f"({first})" if not args else f"({first}, *args) with {len(args)} in args"
    said = f"the {name} takes {shortened(str(signature))} and is called as {name}{given}"
    if len(wanted) > 1 + len(args) and not between:
        rest = shortened(", ".join(wanted[1:]))
        return (
            f"{said}. If {rest} are data, give them in args=(...). If they are parameters too: all of these "
            f"come as the first argument, so pass params=({wanted[0]}, ...) and lambda p, *args: f(*p, *args)"
        )
    beside = f"{between} and the parameters" if between else "the parameters"
    return f"{said}: give as many in args=(...) as it takes beside {beside}"
