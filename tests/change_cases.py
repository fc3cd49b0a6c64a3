"""Cases and helpers that several tests share."""

from __future__ import annotations

import numpy as np

EPS = np.finfo(float).eps
