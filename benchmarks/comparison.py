"""A run of the benchmarks beside saved ones of the same kind of machine.

pytest-benchmark compares seconds, and machines are noisy. Here each benchmark has one figure: a ratio within
its own run, or seconds over those of the reference kernel (benchmarks/reference.py), which is timed just
before and after it. The earlier figure is the median of the last saved ones.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from saved_runs import Summary

THRESHOLD = 1.10
"""A figure that is worse or better by more than this factor is printed."""

REMEMBERED = 5
"""So many of the last saved runs of a benchmark make up its earlier figure, by their median."""

RATIO, SECONDS, RATE = "ratio", "seconds", "rate"

FIGURES = {
    # name in extra_info: what it is, and whether more of it is better. The first one present is compared.
    "times_faster_2_workers": (RATIO, True),
    "times_textbook": (RATIO, True),
    "times_plain_1_worker": (RATIO, True),
    "speedup_2_workers": (RATIO, True),
    "efficiency_2_workers": (RATIO, True),
    "efficiency": (RATIO, True),
    "price_over_smallest": (RATIO, False),
    "share_of_peak": (RATIO, True),
    "speed_against_handwritten": (RATIO, True),
    "compiled_times_faster": (RATIO, True),
    "price_over_bare_loops": (RATIO, False),
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
    "median": (SECONDS, False),
}


@dataclass(frozen=True)
class Figure:
    """The number by which a benchmark is compared: more merit is better, whatever the machine's speed."""

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
    reference = bench.get("reference_seconds")
    for name, (kind, more_is_better) in FIGURES.items():
        value = bench.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            continue
        if kind != RATIO and not reference:
            continue
        scaled = value / reference if kind == SECONDS else value * reference if kind == RATE else value
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
        word, by = ("better", self.factor) if self.factor >= 1 else ("WORSE", 1 / self.factor)
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
    earlier = [summary["benchmarks"] for summary in history if summary["machine"] == now["machine"]]
    changes = []
    for name, bench in now["benchmarks"].items():
        figure = figure_of(bench)
        past = [figure_of(benchmarks[name]) for benchmarks in earlier if name in benchmarks]
        same = [p for p in past if p and figure and p.name == figure.name][-REMEMBERED:]
        if figure and same:
            shown = statistics.median(p.shown for p in same)
            factor = figure.merit / statistics.median(p.merit for p in same)
            changes.append(Change(name, figure.name, figure.shown, shown, len(same), factor))
    return changes


def worth_telling(changes: Iterable[Change], threshold: float = THRESHOLD) -> list[Change]:
    """Those that got worse by more than the threshold, worst first, then those better, best first."""
    ordered = sorted(changes, key=lambda change: change.factor)
    worse = [c for c in ordered if c.factor < 1 / threshold]
    return worse + [c for c in reversed(ordered) if c.factor > threshold]


def report(now: Summary, history: Iterable[Summary]) -> str:
    """The comparison in words."""
    changes = compare(now, history)
    if not changes:
        return f"nothing saved to compare with for {now['machine']}: scripts/bench --save keeps a run"
    told = worth_telling(changes)
    within, new = len(changes) - len(told), len(now["benchmarks"]) - len(changes)
    bound = f"{(THRESHOLD - 1) * 100:.0f}%"
    closing = f"{within} of {len(changes)} within {bound} of before; {new} have no before"
    return "\n".join([*map(str, told), closing])
