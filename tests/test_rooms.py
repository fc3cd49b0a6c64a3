"""Tests follow the rooms: each module has a test file of its own name, in the folder of its package."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]

TESTED_ELSEWHERE = {
    "_version.py": "the wheel and the report print it",
}
"""Modules without a test file of their own name, and where they are tested."""


def untested(package, tests):
    """The modules without a test file of their name: that of kernels/_scalar.py is kernels/test_scalar.py."""
    found = []
    for path in sorted(package.rglob("*.py")):
        module = path.relative_to(package)
        test = tests / module.parent / f"test_{module.name.removeprefix('_')}"
        if not module.name.startswith("__") and not test.exists():
            found.append(str(module))
    return found


def test_each_module_has_its_test():
    """Who looks for the test of a module finds it by name; what is listed above has none."""
    assert set(untested(ROOT / "fastgrad", ROOT / "tests")) == TESTED_ELSEWHERE.keys()


def test_a_missing_test_is_seen(tmp_path):
    """The twin: a module without a test file is found."""
    (tmp_path / "fastgrad" / "room").mkdir(parents=True)
    (tmp_path / "fastgrad" / "room" / "new.py").write_text("")
    assert untested(tmp_path / "fastgrad", tmp_path) == ["room/new.py"]
