"""Figures in the README and in the table of engines are those of the tables that scripts write.

Who saves a new run reads here which sentences to change.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def page(name):
    """The text of a page, its lines joined."""
    return (ROOT / name).read_text(encoding="utf-8")


def row(name, start):
    """The cells of the one row of a page's tables that starts so, without emphasis."""
    (found,) = [line for line in page(name).splitlines() if line.startswith(f"| {start} |")]
    return [cell.strip().strip("*") for cell in found.strip("|").split("|")]


def test_trust():
    """The README's counts of gradients, alarms and misses are those of the table in docs/trust.md."""
    text = " ".join(page("README.md").split())
    right, wrong = re.search(r"(\d+) right gradients .* and (\d+) wrong ones", page("docs/trust.md")).groups()
    table = page("docs/trust.md").split("<!-- bench: trust -->")[1].split("<!-- /bench -->")[0]
    rows = [re.split(r"(?<!\\)\|", line.strip("|")) for line in table.splitlines() if line.startswith("| ")][
        2:
    ]
    ours, *others = [[int(cell) for cell in cells[1:3]] for cells in rows]
    assert ours == [0, 0]
    alarms, misses = zip(*others, strict=True)
    assert (
        f"of {right} right gradients none was called wrong, of {int(wrong):,} wrong ones none passed" in text
    )
    assert f"the seven rules in use alarm at {min(alarms)} to {max(alarms)} of the right ones" in text
    assert f"pass {min(misses)} to {max(misses)} of the wrong" in text
    assert len(others) == 7


def test_speed_of_recorded_costs():
    """The README's and the engines' figure of a recorded NumPy cost is that of docs/traced.md."""
    by_parameters, by_nodes = (
        row("docs/traced.md", "784-256-128-10 tanh, 32 samples, a dict of blocks")[k] for k in (1, 3)
    )
    assert f"784-256-128-10 is checked {by_parameters.split(' / ')[0]} times as fast" in page("README.md")
    largest = by_parameters.split(" / ")[0], by_nodes.split(" / ")[0]
    assert "784-256-128-10: {} times, {} by nodes".format(*largest) in page("docs/engines.md")
    block = row("docs/traced.md", "transformer block, width 64, 4 heads, 16 tokens, batch 4")
    lstm = row("docs/traced.md", "LSTM, 20 steps, 64 units, 16 sequences")
    assert f"a transformer block {block[1].split(' / ')[0]} and {block[3].split(' / ')[0]}" in page(
        "docs/engines.md"
    )
    assert f"an LSTM {lstm[1].split(' / ')[0]} and {lstm[3].split(' / ')[0]}" in page("docs/engines.md")


@pytest.mark.parametrize(
    ("kind", "peers", "said"),
    [
        ("plain NumPy that is quick", ["fastgrad, NumPy cost"], "{0[2]}, on one worker"),
        (
            "Numba, `@njit`",
            ["fastgrad, Numba cost", "fastgrad, Numba cost, 2 workers"],
            "{0[2]}, on 2 workers {1[2]}",
        ),
        (
            "vectorized, `(k, n) -> (k,)`",
            ["fastgrad, vectorized cost", "fastgrad, vectorized cost, 2 workers"],
            "{0[2]}, on 2 workers {1[2]}",
        ),
        (
            "a `fastgrad.Network`",
            ["fastgrad, Network", "fastgrad, Network by nodes, 2 workers"],
            "64-32-10: {0[2]}; 784-256-128-10: {0[3]}, by nodes on 2 workers {1[3]}",
        ),
    ],
)
def test_engines(kind, peers, said):
    """What the table of engines says of a kind of cost is what the peers' table has of it."""
    over_the_loop = [
        [re.sub(r".*\((.*)\)", r"\1", cell) for cell in row("docs/speed.md", peer)] for peer in peers
    ]
    (line,) = [line for line in page("docs/engines.md").splitlines() if line.startswith(f"| {kind}")]
    assert said.format(*over_the_loop) in line


def test_large():
    """The README's time for 10^8 parameters is that of docs/large.md."""
    (seconds,) = re.findall(r"named and certified in (\d+) s at most", page("README.md"))
    assert f"to {seconds} s" in page("docs/large.md")
    assert f"to {seconds} s" in page("docs/engines.md")
