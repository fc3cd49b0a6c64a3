"""Tests follow the rooms: each module has a test file of its own name, in the folder of its package."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]

TESTED_ELSEWHERE = {
    "_version.py": "the wheel and the report print it",
    "kernels/dense_tail.py": "tests/engines/network/test_engine.py: its values are those of the full network",
    "kernels/_scalar.py": "inlined in elementwise and losses, tested there",
    "cli/bench/measure.py": "tests/cli/test_bench.py",
    "cli/bench/problems.py": "tests/cli/test_bench.py",
    "cli/bench/result.py": "tests/cli/test_bench.py",
    "cli/bench/plot.py": "tests/cli/test_bench.py",
    "cli/demos/digits.py": "tests/cli/test_demos.py",
    "cli/demos/lesson.py": "tests/cli/test_demos.py",
}
"""Modules without a test file of their own name, and where they are tested."""

NETWORKS = "networks/"
"""Layers, activations and losses are one table of networks in tests/networks/test_networks.py."""


def untested(package, tests):
    """The modules that have neither a test file of their name nor an entry above."""
    found = []
    for path in sorted(package.rglob("*.py")):
        module = path.relative_to(package)
        known = str(module) in TESTED_ELSEWHERE or str(module).startswith(NETWORKS)
        tested = known or (tests / module.parent / f"test_{module.name}").exists()
        if not tested and not module.name.startswith("__"):
            found.append(str(module))
    return found


def test_each_module_has_its_test():
    """Who looks for the test of a module finds it by name."""
    assert untested(ROOT / "fastgrad", ROOT / "tests") == []


def test_a_missing_test_is_seen(tmp_path):
    """The twin: a module without a test file is found."""
    (tmp_path / "fastgrad" / "room").mkdir(parents=True)
    (tmp_path / "fastgrad" / "room" / "new.py").write_text("")
    assert untested(tmp_path / "fastgrad", tmp_path) == ["room/new.py"]
