"""Costs compiled by Numba, and every engine on one problem."""

from __future__ import annotations

import numba
import pytest
from problems import waves_loop

from fastgrad.engines.choose import is_numba_function

jitted_waves = numba.njit(waves_loop)

needs_jit = pytest.mark.skipif(not is_numba_function(jitted_waves), reason="there is nothing compiled")
