"""Options: what may be given, and what is refused in words."""

from __future__ import annotations

import re

import numpy as np
import pytest

from fastgrad.errors import InputError
from fastgrad.options import check_tolerance


class TestTolerance:
    @pytest.mark.parametrize("good", [None, 0, 0.0, 1e-3, 1, np.float32(0.5), np.int64(1)])
    def test_taken(self, good):
        """None and every finite number from 0 are taken."""
        check_tolerance(good)

    @pytest.mark.parametrize("bad", [-1e-9, float("nan"), float("inf"), True, "1e-3", [1e-3], 1e-3j])
    def test_refused(self, bad):
        """Anything else is refused with what came."""
        message = f"tolerance must be a finite number >= 0, or None; got {bad!r}"
        with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
            check_tolerance(bad)
