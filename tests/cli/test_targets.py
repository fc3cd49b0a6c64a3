"""TARGET on the command line."""

from __future__ import annotations

import sys
import textwrap

import pytest

import fastgrad
from fastgrad.cli.main import main
from fastgrad.cli.targets import load_target

GOOD = """
    import numpy as np
    import fastgrad

    problem = fastgrad.Problem(lambda x: float(x @ x), lambda x: 2 * x, np.ones(3))
    number = 3

    class Holder:
        inside = problem

    def make():
        return problem

    def broken():
        raise LookupError("in make")
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """A function that writes a Python file and gives its path."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])

    def write(text, name="user_file.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    return write


@pytest.mark.parametrize("name", ["problem", "make", "Holder.inside"])
def test_file(write, name):
    """A file's Problem, a function that returns one, and an attribute of a class are targets."""
    assert isinstance(load_target(f"{write(GOOD)}:{name}"), fastgrad.Problem)


def test_module(write):
    """A dotted module from the current folder is a target."""
    write("", "some_package/__init__.py")
    write(GOOD, "some_package/inner.py")
    assert isinstance(load_target("some_package.inner:problem"), fastgrad.Problem)


def test_neighbours_of_the_file_import(write):
    """A file imports its neighbours, as it does when Python runs it."""
    write("SIZE = 3", "a_neighbour_of_it.py")
    path = write(
        """
        import numpy as np
        import fastgrad
        from a_neighbour_of_it import SIZE
        problem = fastgrad.Problem(lambda x: float(x @ x), lambda x: 2 * x, np.ones(SIZE))
        """
    )
    assert load_target(f"{path}:problem").params.size == 3


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nowhere.py:problem", "there is no file nowhere.py"),
        (
            "no_such_module:problem",
            r"no_such_module does not import \[FG903\]:\nModuleNotFoundError: No module named",
        ),
        ("user_file.py", r"which problem in user_file.py\? .*it holds the problem problem"),
        ("user_file.py:other", "user_file.py has no other; it holds the problem problem"),
        ("user_file.py:number", "user_file.py:number must be a fastgrad.Problem .*; got int"),
        (
            "user_file.py:broken",
            r"calling user_file.py:broken\(\) failed \[FG903\]:\n(.|\n)*LookupError: in make",
        ),
    ],
)
def test_messages(write, target, message):
    """Each way a target can be wrong has a sentence of its own."""
    write(GOOD)
    with pytest.raises(fastgrad.InputError, match=message):
        load_target(target)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("def broken():\n    return 1 / 0\nbroken()\n", "ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit(4)\n", "SystemExit: 4"),
        ("x = (\n", "SyntaxError"),
    ],
)
def test_users_own_traceback(write, text, error):
    """A file that does not import shows the user's traceback, without a frame of ours."""
    path = write(text)
    with pytest.raises(fastgrad.InputError, match="does not import") as caught:
        load_target(f"{path}:problem")
    message = str(caught.value)
    assert error in message
    assert "user_file.py" in message
    assert "targets.py" not in message
    assert "importlib" not in message


def test_a_cost_is_no_problem(tmp_path, capsys):
    """A function that takes arguments is seen to be none that returns a Problem."""
    (tmp_path / "costs_only.py").write_text("def cost(p, X):\n    return 0.0\n")
    assert main(["check", f"{tmp_path / 'costs_only.py'}:cost"]) == 2
    said = capsys.readouterr().err
    assert "is a function that takes arguments, such as a cost: name a fastgrad.Problem" in said
    assert said.endswith("[FG901]\n")
