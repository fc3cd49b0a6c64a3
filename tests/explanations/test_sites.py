"""Each error of the package has a code that is explained, and each explained code is used."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import fastgrad
from fastgrad.explanations import codes

PACKAGE = Path(fastgrad.__file__).parent
ERRORS = ("InputError", "AnotherCostError", "WorkerError")
CODE = re.compile(r"FG\d{3}")

PASSED_ON = {"sampling/guarantee.py", "forms/several.py", "networks/chain.py"}
"""Modules that say more about an error, and pass its code on."""


def sites(source):
    """(line, code) of each error that some code makes: a code in letters, "" for one passed on, else None."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) in ERRORS:
            given = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            yield node.lineno, _code(given[0]) if given else None


def _code(value):
    if isinstance(value, ast.Constant):
        return value.value
    return "" if ast.unparse(value) == "error.code" else None


def test_each_error_has_an_explained_code():
    """A code stands at each place in letters, so that it can be searched for."""
    passed_on = set()
    for path in PACKAGE.rglob("*.py"):
        for line, code in sites(path.read_text()):
            if code == "":
                passed_on.add(str(path.relative_to(PACKAGE)))
            else:
                assert code in codes(), f"{path}:{line}"
    assert passed_on == PASSED_ON


def test_each_explained_code_is_used():
    """No explanation is of something that does not happen any more."""
    used = set()
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text())
        strings = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
        used |= {text for text in strings if isinstance(text, str) and CODE.fullmatch(text)}
    assert set(codes()) == used


def test_a_site_without_a_code_is_seen():
    """The twin: no code, and one that is put together, are found."""
    assert list(sites('InputError("no")')) == [(1, None)]
    assert list(sites('InputError("no", code=f"FG{n}")')) == [(1, None)]
    assert list(sites('InputError("no", code="FG101")')) == [(1, "FG101")]
    assert list(sites('InputError("no", code=error.code)')) == [(1, "")]
