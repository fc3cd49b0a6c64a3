"""The picture of a saved run: how many times faster than the textbook loop every peer is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from readme_tables import caption, peers_of, significant
from saved_runs import Summary

from fastgrad.cli.bench.plot import bar_chart

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Coordinates a second over those of the textbook loop (logarithmic)"


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
    return bar_chart(TITLE, groups, significant, caption(summary), start=1.0)
