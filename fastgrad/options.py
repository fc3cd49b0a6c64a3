"""The options of a check, with their defaults, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastgrad.steps import StepOption


@dataclass(frozen=True)
class Options:
    """How a gradient is checked; each field is a keyword of check_gradient, explained there."""

    coordinates: Any = "auto"
    seed: int = 0
    method: str = "central"
    step: StepOption = None
    engine: str = "auto"
    vectorized: bool = False
    n_jobs: int | None = None
    backend: Any = None
    tolerance: float | None = None
    progress: bool | None = None
