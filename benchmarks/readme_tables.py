"""The tables of the last saved runs in the README and in docs/: peers, goals, trust."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from comparison import figure_of
from saved_runs import HISTORY, Summary, newest_with, read_history

PEERS = "{table}\n\nWho has no verdict passes a gradient within 1e-6. {caption}"
BRIEFLY = "{table}\n\n`{command}` on {day}, {machine}."
GOALS = "{table}\n\n{caption}"
CAPTION = "`{command}` on {day}, commit {commit}; {machine}; {libraries}."
TRUST = (
    "{table}\n\n{right} right gradients ({kinks} at kinks or jumps), {inexact} inexact ones and {wrong} "
    "wrong ones, by `scripts/trust` on {day}, commit {commit}."
)
MISSING = "{file} has no <!-- bench: {name} --> ... <!-- /bench -->; its table:\n\n{table}\n"

MERGED = 3
"""Cases of one benchmark with one goal, from which they are one row."""


def caption(summary: Summary) -> str:
    """Machine, versions, date, commit and command, in one line."""
    libraries = ", ".join(f"{name} {version}" for name, version in summary["versions"].items())
    return CAPTION.format(**summary, day=summary["date"][:10], libraries=libraries)


def significant(value: float) -> str:
    """Two digits, with thousands apart.

    Examples
    --------
    >>> significant(123456), significant(1.234), significant(0.0567)
    ('120,000', '1.2', '0.057')
    """
    rounded = float(f"{value:.2g}")
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:.2g}"


def _markdown(heads: list[str], body: list[list[str]], right: int) -> str:
    """A Markdown table; so many columns after the first are aligned to the right (rich's are not)."""
    rule = ["---"] + ["---:" if k < right else "---" for k in range(len(heads) - 1)]
    rows = [[cell.replace("|", r"\|") for cell in row] for row in [heads, rule, *body]]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


# Peers


def peers_of(summary: Summary) -> tuple[list[str], dict[str, dict[str, dict[str, Any]]]]:
    """Networks, and for every peer its benchmark by network: fastest on the first network first.

    Those that look along one direction come last.
    """
    peers: dict[str, dict[str, dict[str, Any]]] = {}
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
    body = [_peer_line(peer, networks, benches) for peer, benches in peers.items()]
    table = _markdown(heads, body, right=len(heads) - 1)
    return PEERS.format(table=table, caption=caption(summary))


def _peer_line(peer: str, networks: list[str], benches: dict[str, dict[str, Any]]) -> list[str]:
    some = list(benches.values())
    speeds = [_speed(benches[network]) if network in benches else "" for network in networks]
    each = dict.fromkeys(significant(bench["evaluations"] / bench["coordinates"]) for bench in some)
    errors = [bench["relative_error"] for bench in some if "relative_error" in bench]
    verdicts = [all(bench[key] for bench in some) for key in ("passes_right", "finds_wrong")]
    said = ["yes" if verdict else "**no**" for verdict in verdicts]
    error = f"{max(errors):.0e}" if errors else ""
    return [peer, str(some[0]["workers"]), *speeds, ", ".join(each), error, *said]


def _speed(bench: dict[str, Any]) -> str:
    if "coordinates_per_second" not in bench:
        return f"one direction in {significant(bench['seconds'] * 1e3)} ms"
    return f"{significant(bench['coordinates_per_second'])} ({significant(bench['times_textbook'])})"


BRIEF = ("fastgrad, Network by nodes, 2 workers", "fastgrad, NumPy cost", "textbook loop")
"""The peers in the README's table: what is fastest, what everybody has, and what both are compared with."""


def brief_table(summary: Summary) -> str:
    """Three peers on every network."""
    networks, peers = peers_of(summary)
    heads = ["coordinates a second (over the textbook loop's)", *networks]
    body = [
        [peer, *(_speed(peers[peer][network]) for network in networks)] for peer in BRIEF if peer in peers
    ]
    table = _markdown(heads, body, right=len(heads) - 1)
    command = summary["command"].split(" benchmarks/")[0]
    day, machine = summary["date"][:10], summary["machine"]
    return BRIEFLY.format(table=table, command=command, day=day, machine=machine)


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
        if len(cases) >= MERGED:
            body.append(_goal_line(f"{function} ({len(cases)} cases)", figure, goal, list(cases.values())))
        else:
            body += [_goal_line(name, figure, goal, [value]) for name, value in cases.items()]
    table = _markdown(["benchmark", "figure", "measured", "goal"], body, right=0)
    return GOALS.format(table=table, caption=caption(summary))


def _figure_of_goal(key: str, bench: dict[str, Any]) -> str:
    """The figure that a goal is of: "goal_cold" is of the one that has "cold" in its name."""
    part = key.removeprefix("goal").strip("_")
    if not part:
        figure = figure_of(bench)
        return "" if figure is None else figure.name
    return next((name for name in bench if part in name and not name.startswith("goal")), "")


def _goal_line(name: str, figure: str, goal: str, values: list[float]) -> list[str]:
    worst, *_, best = sorted([*values, values[0]], reverse=goal.startswith(("<", "parent <")))
    missed = misses(worst, goal)  # by how little can matter
    numbers = [f"{v:.3g}" if missed and v < 1000 else significant(v) for v in (worst, best)]
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


# Trust


def trust_table(saved: dict[str, Any]) -> str:
    """What benchmarks/trust.py saved: every rule's false alarms, misses, undecided and evaluations."""
    heads = [
        "rule",
        "false alarms",
        "misses",
        "undecided, right / wrong",
        "inexact called wrong",
        "evaluations",
    ]
    body = []
    for rule, tally in saved["rules"].items():
        undecided = (tally["undecided_right"], tally["undecided_wrong"])
        between = "{} / {}".format(*undecided) if any(undecided) else ""
        counts = [str(tally["false_alarms"]), str(tally["misses"]), between, str(tally["inexact"])]
        body.append([rule, *counts, f"{tally['evaluations']:,}"])
    return TRUST.format(**saved, table=_markdown(heads, body, right=5), day=saved["date"][:10])


# The pages

TABLES: dict[str, Callable[[Any], str]] = {
    "brief": brief_table,
    "peers": peers_table,
    "goals": goals_table,
    "trust": trust_table,
}

PAGES = {"README.md": ("brief",), "docs/speed.md": ("goals", "peers"), "docs/trust.md": ("trust",)}
"""Which tables stand on which page."""


def write_tables(root: Path, folder: Path = HISTORY) -> None:
    """The last saved tables between their markers in each page; on stdout where a page has none."""
    runs, trusts = read_history(folder), read_history(folder, "trust")
    with_peers = newest_with(runs, "peer")
    sources = {
        "brief": with_peers,
        "peers": with_peers,
        "goals": newest_with(runs, "goal"),
        "trust": trusts[-1] if trusts else None,
    }
    for page, names in PAGES.items():
        text = (root / page).read_text()
        for name in names:
            text = _written(text, page, name, sources[name])
        (root / page).write_text(text)


def _written(text: str, page: str, name: str, source: Any) -> str:
    """A page with one table, if anything was saved for it."""
    if source is None:
        print(f"no {name} table: nothing was saved for it")
        return text
    table = TABLES[name](source)
    replaced = between_markers(text, name, table)
    if replaced is None:
        print(MISSING.format(file=page, name=name, table=table))
        return text
    print(f"{page}: wrote the {name} table")
    return replaced


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
