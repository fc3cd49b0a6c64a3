"""Cases in which each coordinate must be judged on its own scale."""

from __future__ import annotations

from corpus import (
    at_kinks,
    float32_kinks,
    from_libraries,
    inner_tolerances,
    local_features,
    mixed_units,
    plateaus,
    precisions,
    tiny,
    unused,
)

MODULES = (
    mixed_units,
    local_features,
    precisions,
    inner_tolerances,
    float32_kinks,
    at_kinks,
    unused,
    tiny,
    plateaus,
    from_libraries,
)

PART7_RIGHT = [case for module in MODULES for case in module.RIGHT]

PART7_WRONG = [case for module in MODULES for case in module.WRONG]
