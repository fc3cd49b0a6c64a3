"""Runs of the benchmarks as benchmarks/history/ keeps them: medians, figures, machine, versions, commit."""

from __future__ import annotations

import json
import statistics
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from pytest_benchmark.utils import get_commit_info

HISTORY = Path(__file__).parent / "history"

LIBRARIES = (
    "fastgrad",
    "numpy",
    "numba",
    "scipy",
    "joblib",
    "numdifftools",
    "statsmodels",
    "optimagic",
    "jacobi",
    "fdm",
    "torch",
    "jax",
)

Summary = dict[str, Any]


def summarise(raw: dict[str, Any], versions: dict[str, str], command: str) -> Summary:
    """What is kept of pytest-benchmark's JSON, whose own storage keeps every round and the machine's name.

    Parameters
    ----------
    raw : the JSON
    versions : of the libraries, by name
    command : that made it
    """
    kept = {}
    for bench in raw["benchmarks"]:
        extra = {k: _short(v) for k, v in bench["extra_info"].items() if v is not None}
        kept[bench["fullname"]] = {"median": _short(bench["stats"]["median"]), **extra}
    references = [b["reference_seconds"] for b in kept.values() if "reference_seconds" in b]
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
    flags = set(cpu.get("flags", ()))
    vectors = next((name for flag, name in (("avx512f", "AVX-512"), ("avx2", "AVX2")) if flag in flags), "")
    parts = [cpu.get("brand_raw") or machine_info.get("machine", "unknown"), f"{cpu.get('count', 0)} cores"]
    return ", ".join([*parts, vectors] if vectors else parts)


def _commit(info: dict[str, Any]) -> str:
    return str(info["id"])[:10] + (" and changes" if info.get("dirty") else "")


def _short(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value


def now_and_commit() -> dict[str, str]:
    """Date and commit, for a run that pytest-benchmark did not make."""
    return {"date": datetime.now(UTC).isoformat()[:16], "commit": _commit(get_commit_info("fastgrad"))}


def installed_versions() -> dict[str, str]:
    """The versions of the libraries that are installed here."""
    installed = {}
    for name in LIBRARIES:
        try:
            installed[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return installed


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
    lines = []
    for key, value in what.items():
        shown = json.dumps(value)
        if isinstance(value, dict) and any(isinstance(v, dict) for v in value.values()):
            inner = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items())
            shown = f"{{\n{inner}\n }}"
        lines.append(f" {json.dumps(key)}: {shown}")
    return "{\n" + ",\n".join(lines) + "\n}\n"
