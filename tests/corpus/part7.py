"""Cases in which each coordinate must be judged on its own scale."""

from __future__ import annotations

from corpus import float32_kinks, local_features, mixed_units, precisions

MODULES = (mixed_units, local_features, precisions, float32_kinks)

PART7_RIGHT = [case for module in MODULES for case in module.RIGHT]

PART7_WRONG = [case for module in MODULES for case in module.WRONG]
