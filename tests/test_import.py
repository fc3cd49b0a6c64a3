"""`import fastgrad` is light."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

import pytest
from subprocesses import output_of

import fastgrad
import fastgrad.kernels

HEAVY = ("numba", "joblib", "scipy", "rich", "matplotlib", "sklearn", "torch", "jax", "pandas", "xarray")
"""What an import of fastgrad must not load: Numba, what is used later if at all, and optional things."""


def loaded_by(statement):
    """Which heavy modules a fresh process has after a statement."""
    code = f"import sys, json\n{statement}\nprint(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    return json.loads(output_of([sys.executable, "-c", code]))


def test_import_loads_nothing_heavy():
    """Importing fastgrad loads neither Numba nor joblib nor any optional library."""
    assert loaded_by("import fastgrad") == []


@pytest.mark.parametrize("module", ["numba", "joblib"])
def test_the_test_above_can_fail(module):
    """The same question about a statement that does import something heavy names it."""
    assert module in loaded_by(f"import fastgrad, {module}")


def test_a_check_of_a_python_cost_loads_no_numba():
    """Checking a plain Python cost on one worker needs no Numba either."""
    check = "fastgrad.check_gradient(lambda x: float(x @ x), lambda x: 2 * x, np.ones(3))"
    assert loaded_by(f"import fastgrad, numpy as np\n{check}") == []


def test_kernels_are_one_import_away():
    """`from fastgrad import kernels` works; the first use of one is what loads Numba."""
    assert loaded_by("from fastgrad import kernels") == []
    assert "numba" in loaded_by("from fastgrad import kernels\nkernels.tanh(0.5)")


def test_networks_come_when_asked_for():
    """Layers are there by name, and as a module, but an import alone does not load them."""
    code = "import sys, fastgrad\nprint('fastgrad.networks' in sys.modules, 'Dense' in dir(fastgrad))\n"
    code += "print(fastgrad.Dense(2, 3).inputs, fastgrad.networks.Tanh is fastgrad.Tanh)"
    assert output_of([sys.executable, "-c", code]).split() == ["False", "True", "2", "True"]


def names_for_type_checkers(module):
    """The names that a module imports for type checkers only."""
    tree = ast.parse(Path(module.__file__).read_text())
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for block in blocks for node in block.body if node.module.startswith("fastgrad")]
    return sorted(alias.name for node in imports for alias in node.names)


def test_type_checkers_know_the_names():
    """The names imported for type checkers are those that are found when the program runs."""
    assert names_for_type_checkers(fastgrad) == fastgrad.__all__
    assert names_for_type_checkers(fastgrad.kernels) == fastgrad.kernels.__all__


def test_all_names():
    """`from fastgrad import *` gives every public name, and each is an attribute."""
    found = {}
    exec("from fastgrad import *", found)
    assert {"check_gradient", "Report", "Network", "Dense", "Tanh"} <= found.keys()
    assert sorted(found.keys() - {"__builtins__"}) == fastgrad.__all__
    assert all(getattr(fastgrad, name) is thing for name, thing in found.items() if name in fastgrad.__all__)


def test_unknown_names():
    """A name that there is not is refused as any module refuses it."""
    with pytest.raises(AttributeError, match="module 'fastgrad' has no attribute 'nope'"):
        _ = fastgrad.nope
