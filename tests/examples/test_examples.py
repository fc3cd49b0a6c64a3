"""Every file of examples/ runs, does what it says, and prints the report of a wrong gradient.

An example whose library is not installed is skipped by name; the last step of CI has all of them.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SCRIPTS = sorted(path.name for path in EXAMPLES.glob("*.py") if not path.name.startswith("test_"))
NO_COMPILER = 77
"""The exit status of an example that needs a compiler where there is none."""


def run(*words):
    """A command of Python's, on this tree, whatever is installed."""
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, *words], env=here, cwd=ROOT, capture_output=True, text=True)


def imported(source):
    """The libraries that a source imports, by their first names."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def missing(source):
    """Which of them are not installed."""
    return sorted(name for name in imported(source) if find_spec(name) is None)


@pytest.mark.parametrize("name", SCRIPTS)
def test_script(name):
    """It ends with status 0, which each gives only where it found what it says, and prints its reports."""
    source = (EXAMPLES / name).read_text(encoding="utf-8")
    if lacks := missing(source):
        pytest.skip(f"{name} needs {', '.join(lacks)}")
    done = run(str(EXAMPLES / name))
    if done.returncode == NO_COMPILER and not (shutil.which("c++") or shutil.which("g++")):
        pytest.skip(f"{name}: {done.stderr.strip()}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "AGREE" in done.stdout
    assert name == "slow_cost.py" or "DISAGREE" in done.stdout


def test_suite():
    """The suite of tests passes with the plugin, and its summary counts the check that was to fail."""
    done = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "examples/test_gradients.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 checks: 2 agree, 1 disagree" in done.stdout


def notebook_cells(kind):
    """The cells of the notebook of one kind, as it is kept."""
    notebook = json.loads((EXAMPLES / "notebook.ipynb").read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == kind]


def test_notebook_is_kept_without_outputs():
    """Outputs are made when it is run, and are not kept."""
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in notebook_cells("code"))


def test_notebook():
    """Its cells run from top to bottom, the assertion at the end too. The docs' build runs it in Jupyter."""
    namespace = {}
    for cell in notebook_cells("code"):
        exec(compile("".join(cell["source"]), "notebook.ipynb", "exec"), namespace)
    assert "200" in " ".join(fastgrad_diagnosis(namespace))


def fastgrad_diagnosis(namespace):
    """What is said of the wrong gradient, which the notebook explains by its 200 samples."""
    import fastgrad

    names = "cost", "gradient", "params"
    args = namespace["X"], namespace["y"]
    return fastgrad.check_gradient(*(namespace[name] for name in names), args=args).diagnosis


def test_a_wrong_example_is_seen(tmp_path):
    """The twin: an example whose mistake is mended no longer ends with status 0."""
    source = (EXAMPLES / "numba_cost.py").read_text(encoding="utf-8")
    assert source.count("range(len(x) - 2)") == 1
    mended = tmp_path / "numba_cost.py"
    mended.write_text(source.replace("range(len(x) - 2)", "range(len(x) - 1)"), encoding="utf-8")
    assert run(str(mended)).returncode == 1


def test_missing_libraries_are_named():
    """What is not installed is found, in whatever form it is imported."""
    assert missing("import numpy\nimport nowhere.at_all\nfrom neither import x") == ["neither", "nowhere"]
