"""Runs of the benchmarks as benchmarks/history/ keeps them: medians, figures, machine, versions, commit.

pytest-benchmark's own storage keeps the machine's name and no versions. track.py has its JSON of a run
summarised and saved here. comparison.py and readme_tables.py are given what is read.
"""

from __future__ import annotations

import json
import re
import statistics
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pytest_benchmark.utils import get_commit_info

HISTORY = Path(__file__).parent / "history"

# fmt: off
LIBRARIES = (
    "fastgrad", "numpy", "numba", "scipy", "joblib",
    "numdifftools", "statsmodels", "optimagic", "jacobi", "fdm", "torch", "jax",
)
# fmt: on
"""The libraries whose versions are kept: fastgrad's own and its peers."""

VECTORS = {"avx512f": "AVX-512", "avx2": "AVX2"}
"""The widest vector instructions of a processor, by their flag, the widest first."""

Summary = dict[str, Any]


def summarise(raw: dict[str, Any], versions: dict[str, str], command: str) -> Summary:
    """What is kept of pytest-benchmark's JSON of a run.

    Parameters
    ----------
    raw : the JSON
    versions : of the libraries, by name
    command : that made it
    """
    kept = {
        bench["fullname"]: {
            key: _short(value)
            for key, value in {"median": bench["stats"]["median"], **bench["extra_info"]}.items()
            if value is not None
        }
        for bench in raw["benchmarks"]
    }
    references = [bench["reference_seconds"] for bench in kept.values() if "reference_seconds" in bench]
    return {
        "date": raw["datetime"][:16],
        "commit": _commit(raw["commit_info"]),
        "machine": machine_kind(raw["machine_info"]),
        "versions": {"python": raw["machine_info"]["python_version"], **versions},
        "command": command,
        "reference_seconds": statistics.median(references) if references else None,
        "benchmarks": kept,
    }


def machine_kind(machine_info: dict[str, Any]) -> str:
    """The kind of machine, by processor, cores and widest vectors; nothing that names the machine.

    Examples
    --------
    >>> machine_kind({"machine": "x86_64", "cpu": {"brand_raw": "AMD EPYC", "count": 2, "flags": ["avx2"]}})
    'AMD EPYC, 2 cores, AVX2'
    """
    cpu = machine_info.get("cpu", {})
    processor = cpu.get("brand_raw") or machine_info.get("machine", "unknown")
    vectors = [name for flag, name in VECTORS.items() if flag in cpu.get("flags", ())]
    return ", ".join([processor, f"{cpu.get('count', 0)} cores", *vectors[:1]])


def _commit(info: dict[str, Any]) -> str:
    return str(info["id"])[:10] + (" and changes" if info.get("dirty") else "")


def _short(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value


def now_and_commit() -> dict[str, str]:
    """Date and commit, for a run that pytest-benchmark did not make."""
    return {"date": datetime.now(UTC).isoformat()[:16], "commit": _commit(get_commit_info("fastgrad"))}


def installed_versions() -> dict[str, str]:
    """The versions of those LIBRARIES that are installed."""
    return {name: version(name) for name in LIBRARIES if find_spec(name)}


def read_history(folder: Path = HISTORY, kind: str = "run") -> list[Summary]:
    """What was saved of a kind, "run" or "trust", in order of dates."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob(f"{kind}-*.json"))]


def newest_with(history: list[Summary], key: str) -> Summary | None:
    """The last summary in which a benchmark has a key that starts so, with those benchmarks alone."""
    for summary in reversed(history):
        chosen = {n: b for n, b in summary["benchmarks"].items() if any(k.startswith(key) for k in b)}
        if chosen:
            return {**summary, "benchmarks": chosen}
    return None


def save(what: Summary, folder: Path = HISTORY, kind: str = "run") -> Path:
    """Write a summary to the history; its name is its date and commit."""
    folder.mkdir(exist_ok=True, parents=True)
    date, commit = what["date"].replace(":", ""), what["commit"].split()[0]
    path = folder / f"{kind}-{date}-{commit}.json"
    path.write_text(to_lines(what))
    return path


def to_lines(what: Summary) -> str:
    """JSON with one line for each benchmark or rule, so that differences can be read."""
    indented = json.dumps(what, indent=1)
    return re.sub(r"\{[^{}]*\}", lambda inner: json.dumps(json.loads(inner[0])), indented) + "\n"
