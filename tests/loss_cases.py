"""Cases and helpers that several tests share."""

from __future__ import annotations

import numpy as np

INF, NAN = np.inf, np.nan
