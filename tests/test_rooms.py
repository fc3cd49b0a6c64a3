"""Every module of the package has a test file of its own name, in the folder of its package."""

from __future__ import annotations

from pathlib import Path

import fastgrad

PACKAGE = Path(fastgrad.__file__).parent
TESTS = Path(__file__).parent

WITHOUT = {
    "__main__.py": "tests/cli/test_main.py runs it",
    "_version.py": "one string, which `--version` and the JSON of a report are tested to show",
    "report/data.py": "fields only; the faces of a report are tested to show them",
}
"""Modules that need no test file of their own, and why."""

TO_BE_WRITTEN = {
    "coordinates/calibration.py",
    "coordinates/derivatives.py",
    "coordinates/engines.py",
    "coordinates/ladder_scales.py",
    "coordinates/live_count.py",
    "coordinates/measurement.py",
    "coordinates/stages.py",
    "coordinates/table.py",
    "coordinates/undecided.py",
    "execution/evaluator.py",
    "report/build.py",
    "strategy/ask_witnesses.py",
    "strategy/conclude.py",
    "strategy/outcome.py",
    "strategy/sampled.py",
}
"""Modules whose tests are still to be written. Nothing is ever added here."""


def modules(package=PACKAGE):
    """All modules of a package by their paths in it; an `__init__` holds names only."""
    paths = (path.relative_to(package) for path in package.rglob("*.py"))
    return sorted(path.as_posix() for path in paths if path.name != "__init__.py")


def place_of_tests(module):
    """Where the tests of a module stand: _scalar.py in kernels/ has tests/kernels/test_scalar.py."""
    path = Path(module)
    return path.with_name(f"test_{path.name.removeprefix('_')}")


def without_tests(package=PACKAGE, tests=TESTS):
    """The modules of a package that have no test file of their own."""
    return {module for module in modules(package) if not (tests / place_of_tests(module)).exists()}


def test_each_module_has_its_tests():
    """Each module has a test file of its own name, apart from those that are listed here."""
    assert without_tests() - WITHOUT.keys() - TO_BE_WRITTEN == set()


def test_lists_are_true():
    """What is listed here is a module without a test file: once it has one, it leaves the list."""
    assert TO_BE_WRITTEN | WITHOUT.keys() <= without_tests()


def test_it_can_fail(tmp_path):
    """A module without a test file is found, one with a file is not, and private names have no underscore."""
    for name in ("fastgrad/a/one.py", "fastgrad/a/_two.py", "fastgrad/a/three.py", "fastgrad/a/__init__.py",
                 "tests/a/test_one.py", "tests/a/test_two.py", "tests/test_three.py"):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    assert without_tests(tmp_path / "fastgrad", tmp_path / "tests") == {"a/three.py"}
