"""The README's tables and picture of the last saved runs: peers, goals, trust.

track.py calls write_tables and peers_plot. Both are made of summaries that saved_runs.py reads.
"""

from __future__ import annotations

import operator
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comparison import figure_of
from saved_runs import HISTORY, Summary, newest_with, read_history

from fastgrad.cli.bench.plot import bar_chart

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Bench = dict[str, Any]

PEERS = "{table}\n\nWho has no verdict passes a gradient within 1e-6. {caption}"
GOALS = "{table}\n\n{caption}"
CAPTION = "`{command}` on {date:.10}, commit {commit}; {machine}; {libraries}."
SIZES = "{right} right gradients and {wrong} wrong ones"
TRUST = "{table}\n\n" + SIZES + ", by `scripts/trust` on {date:.10}, commit {commit}."
MISSING = "{file} has no <!-- bench: {name} --> ... <!-- /bench -->; its table:\n\n{table}\n"
PICTURE = "Coordinates a second over those of the textbook loop (logarithmic)"

MERGED = 3
"""Cases of one benchmark with one goal, from which they are one row."""


def caption(summary: Summary) -> str:
    """Machine, versions, date, commit and command, in one line."""
    libraries = ", ".join(f"{name} {version}" for name, version in summary["versions"].items())
    return CAPTION.format(**summary, libraries=libraries)


def significant(value: float) -> str:
    """Two digits, with thousands apart.

    Examples
    --------
    >>> significant(123456), significant(1.234), significant(0.0567)
    ('120,000', '1.2', '0.057')
    """
    rounded = float(f"{value:.2g}")
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:.2g}"


def _markdown(heads: list[str], body: list[list[str]], align: str) -> str:
    """A Markdown table; `align` is of all columns but the first (rich's Markdown tables have none)."""
    rows = [[cell.replace("|", r"\|") for cell in row] for row in body]
    rule = ["---"] + [align] * (len(heads) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in [heads, rule, *rows])


# Peers


def peers_of(summary: Summary) -> tuple[list[str], dict[str, dict[str, Bench]]]:
    """Networks, and for every peer its benchmark by network: fastest on the first network first.

    Those that look along one direction come last.
    """
    peers: dict[str, dict[str, Bench]] = {}
    networks: dict[str, None] = {}
    for bench in summary["benchmarks"].values():
        if "peer" in bench and "network" in bench:
            peers.setdefault(bench["peer"], {})[bench["network"]] = bench
            networks[bench["network"]] = None

    def speed(peer: str) -> float:
        return float(peers[peer].get(next(iter(networks)), {}).get("times_textbook", 0.0))

    return list(networks), {peer: peers[peer] for peer in sorted(peers, key=speed, reverse=True)}


def peers_table(summary: Summary) -> str:
    """Every peer on every network."""
    networks, peers = peers_of(summary)
    heads = ["coordinates a second (over the textbook loop's)", "workers", *networks]
    heads += ["evaluations each", "relative error", "right passes", "wrong is found"]
    body = []
    for peer, benches in peers.items():
        some = list(benches.values())
        speeds = [_speed(benches[network]) if network in benches else "" for network in networks]
        each = dict.fromkeys(significant(b["evaluations"] / b["coordinates"]) for b in some)
        errors = [b["relative_error"] for b in some if "relative_error" in b]
        error = f"{max(errors):.0e}" if errors else ""
        verdicts = (all(b[key] for b in some) for key in ("passes_right", "finds_wrong"))
        said = ["yes" if verdict else "**no**" for verdict in verdicts]
        body.append([peer, str(some[0]["workers"]), *speeds, ", ".join(each), error, *said])
    return PEERS.format(table=_markdown(heads, body, "---:"), caption=caption(summary))


def _speed(bench: Bench) -> str:
    if "coordinates_per_second" not in bench:
        return f"one direction in {significant(bench['seconds'] * 1e3)} ms"
    return f"{significant(bench['coordinates_per_second'])} ({significant(bench['times_textbook'])})"


def peers_plot(summary: Summary) -> Figure:
    """A row for every peer that looks at coordinates, in the table's order, with a bar for each network."""
    networks, peers = peers_of(summary)
    groups = {
        network: {
            peer: benches[network]["times_textbook"]
            for peer, benches in peers.items()
            if "times_textbook" in benches.get(network, {})
        }
        for network in networks
    }
    return bar_chart(PICTURE, groups, significant, caption(summary), start=1.0)


# Goals


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
    for (function, figure, goal), cases in groups.items():
        rows = {name: [value] for name, value in cases.items()}
        if len(cases) >= MERGED:
            rows = {f"{function} ({len(cases)} cases)": list(cases.values())}
        body += [[f"`{name}`", figure, _measured(values, goal), goal] for name, values in rows.items()]
    table = _markdown(["benchmark", "figure", "measured", "goal"], body, "---")
    return GOALS.format(table=table, caption=caption(summary))


def _figure_of_goal(key: str, bench: Bench) -> str:
    """The figure that a goal is of: "goal_cold" is of the one that has "cold" in its name."""
    part = key.removeprefix("goal").strip("_")
    if not part:
        figure = figure_of(bench)
        return "" if figure is None else figure.name
    return next((name for name in bench if part in name and not name.startswith("goal")), "")


def _measured(values: list[float], goal: str) -> str:
    """The worst and the best of the values, in bold where the worst misses the goal."""
    ends = [max(values), min(values)] if goal.startswith(("<", "parent <")) else [min(values), max(values)]
    missed = misses(ends[0], goal)  # by how little can matter
    numbers = [f"{v:.3g}" if missed and v < 1000 else significant(v) for v in ends]
    shown = " to ".join(dict.fromkeys(numbers))
    return f"**{shown}**" if missed else shown


def misses(value: float, goal: str) -> bool:
    """Whether a figure is on the wrong side of the first number in its goal.

    Examples
    --------
    >>> misses(58.0, ">= 60"), misses(5100.0, ">= 5,000"), misses(0.3, "none set")
    (True, False, False)
    """
    found = re.search(r"(<=|>=|<|>) *([\d,.]+)", goal)
    is_met = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}
    return found is not None and not is_met[found[1]](value, float(found[2].replace(",", "")))


# Trust


def trust_table(saved: dict[str, Any]) -> str:
    """What benchmarks/trust.py saved: every rule's false alarms, misses, undecided and evaluations."""
    heads = ["rule", "false alarms", "misses", "undecided, right / wrong", "evaluations"]
    body = []
    for rule, tally in saved["rules"].items():
        is_ever = tally["undecided_right"] or tally["undecided_wrong"]
        undecided = "{undecided_right} / {undecided_wrong}".format(**tally) if is_ever else ""
        counts = [str(tally["false_alarms"]), str(tally["misses"])]
        body.append([rule, *counts, undecided, f"{tally['evaluations']:,}"])
    return TRUST.format(**saved, table=_markdown(heads, body, "---:"))


# The README

TABLES = {"peers": peers_table, "goals": goals_table, "trust": trust_table}


def write_tables(readme: Path, folder: Path = HISTORY) -> None:
    """The last saved tables between their markers in the README; on stdout where it has none."""
    runs, trusts = read_history(folder), read_history(folder, "trust")
    sources = [newest_with(runs, "peer"), newest_with(runs, "goal"), trusts[-1] if trusts else None]
    text = readme.read_text()
    for (name, table_of), source in zip(TABLES.items(), sources, strict=True):
        if source is None:
            print(f"no {name} table: nothing was saved for it")
            continue
        table = table_of(source)
        replaced = between_markers(text, name, table)
        if replaced is None:
            print(MISSING.format(file=readme.name, name=name, table=table))
        else:
            text = replaced
            print(f"{readme.name}: wrote the {name} table")
    readme.write_text(text)


def between_markers(text: str, name: str, table: str) -> str | None:
    r"""The text with a table between `<!-- bench: name -->` and `<!-- /bench -->`; None without these.

    Examples
    --------
    >>> between_markers("a <!-- bench: x -->old<!-- /bench --> z", "x", "new")
    'a <!-- bench: x -->\nnew\n<!-- /bench --> z'
    """
    marked = rf"(?s)(<!-- bench: {re.escape(name)} -->).*?(<!-- /bench -->)"
    text, found = re.subn(marked, lambda markers: f"{markers[1]}\n{table}\n{markers[2]}", text)
    return text if found else None
