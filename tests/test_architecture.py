"""Imports run down the layers that pyproject.toml lists, annotations and late imports included."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
RANK = {
    name.strip(" ()"): rank
    for rank, line in enumerate(reversed(CONTRACTS[0]["layers"]))
    for name in line.split("|")
}
"""How high each package or module of fastgrad stands."""

FACES = ("__init__", "__main__")
"""Modules that stand above all layers."""


def rooms_imported(source):
    """The packages and modules of fastgrad that some code imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "fastgrad":
            yield from (alias.name for alias in node.names if alias.name in RANK)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fastgrad."):
            yield node.module.split(".")[1]


def uphill(room, source):
    """What a module of a room imports that does not stand below it."""
    return [other for other in rooms_imported(source) if other != room and RANK[other] >= RANK[room]]


def test_arrows_run_down():
    """No module imports from its own layer or from one above, apart from its own package."""
    for path in (ROOT / "fastgrad").rglob("*.py"):
        room = path.relative_to(ROOT / "fastgrad").with_suffix("").parts[0]
        if room not in FACES:
            assert uphill(room, path.read_text()) == [], path


def test_an_uphill_import_is_seen():
    """The twin: one import uphill, hidden in a function or for annotations only, is found."""
    hidden = "def f():\n    from fastgrad.report.report import Report\n    return Report\n"
    annotation = "if TYPE_CHECKING:\n    from fastgrad.strategy.run import choose\n"
    assert uphill("coordinates", hidden) == ["report"]
    assert uphill("directions", annotation) == ["strategy"]
    assert uphill("strategy", "from fastgrad.coordinates.table import OWN\n") == []
