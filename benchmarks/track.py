"""What a run of the benchmarks says beside earlier ones, and the README's tables of them.

    scripts/bench                    runs, and compares with what was saved on machines of this kind
    scripts/bench --save             keeps a summary of the run in benchmarks/history/ as well
    scripts/bench --table            writes the README's tables from what was saved last, and runs nothing
    scripts/bench --plot FILE        draws the peers of the last saved run as SVG, and runs nothing
    scripts/bench --save --table     all of it

Machines are noisy, so seconds are never compared as such: each benchmark's figure is a ratio within its own
run, or is divided by the seconds of the reference kernel (benchmarks/reference.py), timed just before and
after it. The earlier figure is the median of the last saved ones of the same kind of machine.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
HISTORY = ROOT / "benchmarks" / "history"

THRESHOLD = 1.10
"""A figure that is worse or better by more than this factor is printed."""

REMEMBERED = 5
"""So many of the last saved runs of a benchmark make up its earlier figure, by their median."""

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

RATIO, SECONDS, RATE = "ratio", "seconds", "rate"

FIGURES = {
    # name in extra_info: what it is, and whether more of it is better. The first one present is compared.
    "times_faster_2_workers": (RATIO, True),
    "times_textbook": (RATIO, True),
    "speedup_2_workers": (RATIO, True),
    "efficiency_2_workers": (RATIO, True),
    "efficiency": (RATIO, True),
    "price_over_smallest": (RATIO, False),
    "share_of_peak": (RATIO, True),
    "speed_against_handwritten": (RATIO, True),
    "compiled_times_faster": (RATIO, True),
    "price_over_the_cost_alone": (RATIO, False),
    "price_over_central": (RATIO, False),
    "parent_peak_over_vector": (RATIO, False),
    "peak_MiB": (RATIO, False),
    "overhead_microseconds": (SECONDS, False),
    "microseconds_per_coordinate": (SECONDS, False),
    "ns_per_element": (SECONDS, False),
    "warm_seconds": (SECONDS, False),
    "import_seconds_beyond_numpy": (SECONDS, False),
    "first_check_seconds": (SECONDS, False),
    "seconds": (SECONDS, False),
    "coordinates_per_second": (RATE, True),
    "evaluations_per_second": (RATE, True),
}

Summary = dict[str, Any]


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
    count = cpu.get("count", 0)
    parts = [cpu.get("brand_raw") or machine_info.get("machine", "unknown"), f"{count} cores", vectors]
    return ", ".join(part for part in parts if part)


def summarise(raw: dict[str, Any], versions: dict[str, str], command: str) -> Summary:
    """What is kept of pytest-benchmark's JSON: medians and figures, machine, versions, commit.

    Parameters
    ----------
    raw : the JSON
    versions : of the libraries, by name
    command : that made it
    """
    machine, commit = raw["machine_info"], raw["commit_info"]
    kept = {}
    for bench in raw["benchmarks"]:
        extra = {k: _short(v) for k, v in bench["extra_info"].items() if v is not None}
        kept[bench["fullname"]] = {"median": _short(bench["stats"]["median"]), **extra}
    references = [b["reference_seconds"] for b in kept.values() if "reference_seconds" in b]
    return {
        "date": raw["datetime"][:16],
        "commit": str(commit["id"])[:10] + (" and changes" if commit.get("dirty") else ""),
        "machine": machine_kind(machine),
        "versions": {"python": machine["python_version"], **versions},
        "command": command,
        "reference_seconds": statistics.median(references) if references else None,
        "benchmarks": kept,
    }


def _short(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value


@dataclass(frozen=True)
class Figure:
    """The number by which a benchmark is compared: more is better, the machine's speed is divided out."""

    name: str
    shown: float
    merit: float


def figure_of(bench: dict[str, Any]) -> Figure | None:
    """The figure of a benchmark of a summary; None where it has none that can be compared.

    Examples
    --------
    >>> figure_of({"median": 1e-7, "speedup_2_workers": 1.9}).merit
    1.9
    >>> figure_of({"median": 0.5, "reference_seconds": 0.25})
    Figure(name='median', shown=0.5, merit=0.5)
    """
    candidates = {**FIGURES, "median": (SECONDS, False)}
    for name, (kind, more_is_better) in candidates.items():
        value = bench.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            continue
        if kind != RATIO and not bench.get("reference_seconds"):
            continue
        against = {RATIO: 1.0, SECONDS: bench.get("reference_seconds")}
        scaled = value / against[kind] if kind != RATE else value * bench["reference_seconds"]
        return Figure(name, float(value), scaled if more_is_better else 1 / scaled)
    return None


@dataclass(frozen=True)
class Change:
    """A benchmark now and before: `factor` is above 1 where it got better."""

    benchmark: str
    figure: str
    now: float
    before: float
    runs: int
    factor: float

    def __str__(self) -> str:
        by = self.factor if self.factor >= 1 else 1 / self.factor
        word = "better" if self.factor >= 1 else "WORSE"
        return (
            f"{word} by {by:.2f}: {self.benchmark}: {self.figure} {self.now:.4g}, "
            f"{self.before:.4g} before ({self.runs} saved)"
        )


def compare(now: Summary, history: Iterable[Summary]) -> list[Change]:
    """Each benchmark that earlier runs on the same kind of machine have too, with how it changed.

    Parameters
    ----------
    now : a summary
    history : earlier ones, in order of their dates
    """
    earlier = [summary for summary in history if summary["machine"] == now["machine"]]
    changes = []
    for name, bench in now["benchmarks"].items():
        figure = figure_of(bench)
        if figure is None:
            continue
        past = [figure_of(s["benchmarks"][name]) for s in earlier if name in s["benchmarks"]]
        same = [p for p in past if p is not None and p.name == figure.name][-REMEMBERED:]
        if same:
            merit = statistics.median(p.merit for p in same)
            shown = statistics.median(p.shown for p in same)
            factor = figure.merit / merit
            changes.append(Change(name, figure.name, figure.shown, shown, len(same), factor))
    return changes


def worth_telling(changes: Iterable[Change], threshold: float = THRESHOLD) -> list[Change]:
    """Those that got worse by more than the threshold, worst first, then those better, best first."""
    worse = sorted((c for c in changes if c.factor < 1 / threshold), key=lambda c: c.factor)
    better = sorted((c for c in changes if c.factor > threshold), key=lambda c: -c.factor)
    return worse + better


def report(now: Summary, history: list[Summary]) -> str:
    """The comparison in words."""
    changes = compare(now, history)
    if not changes:
        return f"nothing saved to compare with for {now['machine']}: scripts/bench --save keeps a run"
    told = worth_telling(changes)
    within = len(changes) - len(told)
    new = len(now["benchmarks"]) - len(changes)
    closing = (
        f"{within} of {len(changes)} within {(THRESHOLD - 1) * 100:.0f}% of before; {new} have no before"
    )
    return "\n".join([*map(str, told), closing])


# The README's tables


def between_markers(text: str, name: str, table: str) -> str | None:
    r"""The text with a table between `<!-- bench: name -->` and `<!-- /bench -->`; None without these.

    Examples
    --------
    >>> between_markers("a <!-- bench: x -->old<!-- /bench --> z", "x", "new")
    'a <!-- bench: x -->\nnew\n<!-- /bench --> z'
    """
    marked = re.compile(rf"(<!-- bench: {re.escape(name)} -->)(.*?)(<!-- /bench -->)", re.DOTALL)
    if not marked.search(text):
        return None
    return marked.sub(lambda found: f"{found[1]}\n{table}\n{found[3]}", text)


def peers_table(summary: Summary) -> str:
    """Every peer on every network, fastest on the first first; those that look along one direction last."""
    rows = _peer_rows(summary)
    networks = list(dict.fromkeys(network for network, _ in rows))
    names = dict.fromkeys(peer for _, peer in rows)

    def speed(peer: str) -> float:
        return float(rows.get((networks[0], peer), {}).get("times_textbook", 0.0))

    ordered = sorted(names, key=speed, reverse=True)
    heads = ["coordinates a second (over the textbook loop's)", "workers", *networks]
    heads += ["evaluations each", "relative error", "right passes", "wrong is found"]
    body = [_peer_line(peer, [rows.get((network, peer), {}) for network in networks]) for peer in ordered]
    table = _markdown(heads, body, right=len(heads) - 1)
    return f"{table}\n\nWho has no verdict passes a gradient within 1e-6. {caption(summary)}"


def _peer_rows(summary: Summary) -> dict[tuple[str, str], dict[str, Any]]:
    benches = summary["benchmarks"].values()
    return {(b["network"], b["peer"]): b for b in benches if "peer" in b and "network" in b}


def _peer_line(peer: str, rows: list[dict[str, Any]]) -> list[str]:
    known = next(row for row in rows if row)
    cells = [peer, str(known["workers"])]
    for row in rows:
        if "coordinates_per_second" in row:
            times = significant(row["times_textbook"])
            cells.append(f"{significant(row['coordinates_per_second'])} ({times})")
        else:
            cells.append(f"one direction in {significant(row['seconds'] * 1e3)} ms" if row else "")
    each = [significant(row["evaluations"] / row["coordinates"]) for row in rows if row]
    error = max((row["relative_error"] for row in rows if "relative_error" in row), default=None)
    verdicts = [all(row[key] for row in rows if row) for key in ("passes_right", "finds_wrong")]
    said = ["yes" if verdict else "**no**" for verdict in verdicts]
    return [*cells, ", ".join(dict.fromkeys(each)), "" if error is None else f"{error:.0e}", *said]


def significant(value: float) -> str:
    """Two digits, with thousands apart.

    Examples
    --------
    >>> significant(123456), significant(1.234), significant(0.0567)
    ('120,000', '1.2', '0.057')
    """
    rounded = float(f"{value:.2g}")
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:.2g}"


MERGED = 3
"""Cases of one benchmark with one goal, from which they are one row."""


def goals_table(summary: Summary) -> str:
    """Every benchmark that has a goal, with its figure beside it, in bold where it is missed.

    Cases of one benchmark that have one goal are one row, from the worst to the best.
    """
    groups: dict[tuple[str, str, str], dict[str, float]] = {}
    for name, bench in summary["benchmarks"].items():
        shown = name.rpartition("::")[2].removeprefix("bench_")
        for key, goal in bench.items():
            figure = _figure_of_goal(key, bench) if key.startswith("goal") else ""
            if figure:
                groups.setdefault((shown.partition("[")[0], figure, str(goal)), {})[shown] = bench[figure]
    body = []
    for key, cases in groups.items():
        alone = [{name: value} for name, value in cases.items()]
        body += [_goal_line(*key, some) for some in ([cases] if len(cases) >= MERGED else alone)]
    return _markdown(["benchmark", "figure", "measured", "goal"], body, right=0) + "\n\n" + caption(summary)


def _figure_of_goal(key: str, bench: dict[str, Any]) -> str:
    """The figure that a goal is of: "goal_cold" is of the one that has "cold" in its name."""
    part = key.removeprefix("goal").strip("_")
    if not part:
        figure = figure_of(bench)
        return "" if figure is None else figure.name
    return next((name for name in bench if part in name and not name.startswith("goal")), "")


def _goal_line(function: str, figure: str, goal: str, cases: dict[str, float]) -> list[str]:
    first = next(iter(cases))
    name = first if len(cases) == 1 else f"{function} ({len(cases)} cases)"
    ordered = sorted(cases.values(), reverse=goal.startswith(("<", "parent <")))
    missed = misses(ordered[0], goal)  # by how little can matter
    numbers = [f"{v:.3g}" if missed and v < 1000 else significant(v) for v in (ordered[0], ordered[-1])]
    shown = " to ".join(dict.fromkeys(numbers))
    return [f"`{name}`", figure, f"**{shown}**" if missed else shown, goal]


def misses(value: float, goal: str) -> bool:
    """Whether a figure is on the wrong side of the first number in its goal.

    Examples
    --------
    >>> misses(58.0, ">= 60"), misses(5100.0, ">= 5,000"), misses(0.3, "none set")
    (True, False, False)
    """
    found = re.search(r"(<=|>=|<|>) *([\d,.]+)", goal)
    if found is None:
        return False
    limit = float(found[2].replace(",", ""))
    return {"<=": value > limit, ">=": value < limit, "<": value >= limit, ">": value <= limit}[found[1]]


def trust_table(saved: dict[str, Any]) -> str:
    """What benchmarks/trust.py saved: every rule's false alarms, misses, undecided and evaluations."""
    heads = ["rule", "false alarms", "misses", "undecided, right / wrong", "evaluations"]
    body = []
    for rule, tally in saved["rules"].items():
        undecided = (tally["undecided_right"], tally["undecided_wrong"])
        between = f"{undecided[0]} / {undecided[1]}" if any(undecided) else ""
        counts = [tally["false_alarms"], tally["misses"], between]
        body.append([rule, *map(str, counts), f"{tally['evaluations']:,}"])
    closing = (
        f"{saved['right']} right gradients and {saved['wrong']} wrong ones, by `scripts/trust` on "
        f"{saved['date'][:10]}, commit {saved['commit']}."
    )
    return _markdown(heads, body, right=4) + "\n\n" + closing


def caption(summary: Summary) -> str:
    """Machine, versions, date, commit and command, in one line."""
    versions = ", ".join(f"{name} {version}" for name, version in summary["versions"].items())
    when = f"on {summary['date'][:10]}, commit {summary['commit']}"
    return f"`{summary['command']}` {when}; {summary['machine']}; {versions}."


def _markdown(heads: list[str], body: list[list[str]], right: int) -> str:
    """A Markdown table; so many columns after the first are aligned to the right."""
    rule = ["---"] + ["---:" if k < right else "---" for k in range(len(heads) - 1)]
    rows = [[cell.replace("|", r"\|") for cell in row] for row in [heads, rule, *body]]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


TABLES = {"peers": peers_table, "goals": goals_table, "trust": trust_table}


def newest_with(history: list[Summary], key: str) -> Summary | None:
    """The last summary in which a benchmark has this key, with those benchmarks alone."""
    for summary in reversed(history):
        chosen = {n: b for n, b in summary["benchmarks"].items() if any(k.startswith(key) for k in b)}
        if chosen:
            return {**summary, "benchmarks": chosen}
    return None


def peers_plot(summary: Summary) -> str:
    """How many times faster than the textbook loop every peer is, network by network, as SVG."""
    from fastgrad.cli.bench.svg import Bar, bar_chart

    rows = _peer_rows(summary)
    bars = []
    for network in dict.fromkeys(network for network, _ in rows):
        there = [(p, row) for (n, p), row in rows.items() if n == network and "times_textbook" in row]
        for peer, row in sorted(there, key=lambda pair: -pair[1]["times_textbook"]):
            times = row["times_textbook"]
            bars.append(Bar(peer, times, network, f"{significant(times)} times"))
    title = "Coordinates a second over those of the textbook loop (logarithmic)"
    return bar_chart(title, bars, caption(summary))


# Files


def read_history(folder: Path = HISTORY, kind: str = "run") -> list[dict[str, Any]]:
    """What was saved of a kind, "run" or "trust", in order of dates."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob(f"{kind}-*.json"))]


def save(what: dict[str, Any], folder: Path = HISTORY, kind: str = "run") -> Path:
    """Write a summary to the history; its name is its date and commit."""
    folder.mkdir(exist_ok=True, parents=True)
    date, commit = what["date"].replace(":", ""), what["commit"].split()[0]
    path = folder / f"{kind}-{date}-{commit}.json"
    path.write_text(to_lines(what))
    return path


def to_lines(what: dict[str, Any]) -> str:
    """JSON with one line for each benchmark or rule, so that differences can be read."""
    lines = []
    for key, value in what.items():
        if isinstance(value, dict) and any(isinstance(v, dict) for v in value.values()):
            inner = [f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items()]
            lines.append(f" {json.dumps(key)}: {{\n" + ",\n".join(inner) + "\n }")
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def now_and_commit() -> dict[str, str]:
    """Date and commit, for what pytest-benchmark does not write."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
        return done.stdout.strip()

    commit = git("rev-parse", "--short=10", "HEAD") or "unknown"
    dirty = " and changes" if git("status", "--porcelain") else ""
    return {"date": datetime.now(UTC).isoformat()[:16], "commit": commit + dirty}


def installed_versions() -> dict[str, str]:
    """The versions of the libraries that are installed here."""
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def write_tables(readme: Path, folder: Path = HISTORY) -> None:
    """The last saved tables between their markers in the README; on stdout where it has none."""
    runs, trusts = read_history(folder), read_history(folder, "trust")
    sources = {
        "peers": newest_with(runs, "peer"),
        "goals": newest_with(runs, "goal"),
        "trust": trusts[-1] if trusts else None,
    }
    text = readme.read_text()
    for name, source in sources.items():
        if source is None:
            print(f"no {name} table: nothing was saved for it")
            continue
        table = TABLES[name](source)
        replaced = between_markers(text, name, table)
        if replaced is None:
            print(f"{readme.name} has no <!-- bench: {name} --> ... <!-- /bench -->; its table:\n\n{table}\n")
        else:
            text = replaced
            print(f"{readme.name}: wrote the {name} table")
    readme.write_text(text)


def main() -> None:
    """Compare, save, write tables, as asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("result", nargs="?", type=Path, help="pytest-benchmark's JSON of this run")
    parser.add_argument("--command", default="scripts/bench", help="that made it")
    parser.add_argument("--tiny", action="store_true", help="sizes were small: compare and keep nothing")
    parser.add_argument("--save", action="store_true", help="keep a summary in benchmarks/history")
    parser.add_argument("--table", action="store_true", help="write the README's tables")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the peers as SVG")
    chosen = parser.parse_args()
    if chosen.result is not None and chosen.result.exists() and chosen.result.stat().st_size:
        now = summarise(json.loads(chosen.result.read_text()), installed_versions(), chosen.command)
        if chosen.tiny:
            print(f"{len(now['benchmarks'])} benchmarks ran, tiny: not compared with saved ones")
        else:
            print(report(now, read_history()))
            if chosen.save:
                print(f"saved {save(now).relative_to(ROOT)}")
    if chosen.table:
        write_tables(ROOT / "README.md")
    if chosen.plot:
        latest = newest_with(read_history(), "peer")
        if latest is None:
            parser.error("nothing to draw: scripts/bench --save benchmarks/bench_peers.py keeps a run")
        chosen.plot.write_text(peers_plot(latest))
        print(f"wrote {chosen.plot}")


if __name__ == "__main__":
    main()
