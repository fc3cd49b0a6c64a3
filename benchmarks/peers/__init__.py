"""The libraries that fastgrad is measured beside, one small file for each.

A peer is given a Case and some coordinates and prepares a run; a run is given a claimed gradient at these and
says what it found: derivatives, or a verdict on the claim, or both.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MODULES = (
    *("loop", "scipy", "numdifftools", "statsmodels", "optimagic"),
    *("jacobi", "fdm", "torch", "jax", "fastgrad"),
)


@dataclass(frozen=True)
class Found:
    """What a run found.

    Parameters
    ----------
    derivatives : at the coordinates, if the peer shows them
    agrees : its own verdict on the claim, if it has one
    evaluations : of the cost, if the peer says or the number is known; else calls are counted
    relative_error : of derivatives that it used but does not show, if that can be told
    """

    derivatives: Any = None
    agrees: bool | None = None
    evaluations: int | None = None
    relative_error: float | None = None


@dataclass(frozen=True)
class Peer:
    """One way of getting or checking derivatives.

    Parameters
    ----------
    name : as it is shown
    package : that must be installed
    prepare : called as prepare(case, piece), returns run(claimed) -> Found
    workers : processes or threads that it was told to use; 0 where it takes all cores by itself
    small, large : how many coordinates of the small and of the large network; None for all
    directions : whether it looks along one direction and not at each coordinate
    """

    name: str
    package: str
    prepare: Callable[[Any, Any], Callable[[Any], Found]]
    workers: int = 1
    small: int | None = None
    large: int | None = 200
    directions: bool = False

    @property
    def is_installed(self) -> bool:
        """Whether its package is here."""
        return importlib.util.find_spec(self.package) is not None


def all_peers() -> dict[str, Peer]:
    """Every peer by its name."""
    modules = [importlib.import_module(f"peers.by_{name}") for name in MODULES]
    return {peer.name: peer for module in modules for peer in module.PEERS}
