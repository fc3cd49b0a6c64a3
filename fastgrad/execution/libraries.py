"""Which code came with Python, with fastgrad or with an installed package, rather than being the user's.

`function_code` and `contents` take such code by its name: nobody mends it between two runs of a check.
"""

from __future__ import annotations

import sys
import sysconfig
from functools import cache
from pathlib import Path
from typing import Any

_FASTGRAD = Path(__file__).parents[1]
_PYTHON = Path(sysconfig.get_paths()["stdlib"])


@cache
def is_library_file(file: str) -> bool:
    """Whether code of this file is a library's; "<string>" and a notebook's cell are not.

    Examples
    --------
    >>> import dataclasses
    >>> is_library_file(dataclasses.__file__), is_library_file("<string>"), is_library_file("/me/model.py")
    (True, False, False)
    """
    if file.startswith("<frozen "):
        return True
    path = Path(file)
    installed = "site-packages" in path.parts or "dist-packages" in path.parts
    return installed or path.is_relative_to(_PYTHON) or path.is_relative_to(_FASTGRAD)


@cache
def is_library(module: str | None) -> bool:
    """Whether a module is a library's; one that is not known, or has no file, is taken for the user's.

    Examples
    --------
    >>> is_library("numpy"), is_library("sys"), is_library("__main__"), is_library("my_model")
    (True, True, False, False)
    """
    if module is None or module == "__main__":
        return False
    if module in sys.builtin_module_names:
        return True
    file = getattr(sys.modules.get(module), "__file__", None)
    return file is not None and is_library_file(file)


def attribute(value: object, name: str) -> Any:
    """An attribute of any object; None where it has none, or an error of its own comes of asking."""
    try:
        return getattr(value, name, None)
    except Exception:
        return None
