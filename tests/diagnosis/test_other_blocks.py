"""A block that holds another block's gradient."""

from __future__ import annotations

import numpy as np
from diagnosis_cases import block

from fastgrad.diagnosis.diagnose import diagnose


class TestOthersNamed:
    def test_off_by_one_in_a_list(self):
        """Gradients that are each the next one of a list are named one by one."""
        rng = np.random.default_rng(6)
        d = rng.normal(size=(4, 5))
        blocks = [block(f"params[{i}]", d[(i + 1) % 4], d[i]) for i in range(4)]

        found = [x.sentence.partition(": look")[0] for x in diagnose(blocks)]

        assert found == [
            f"params[{i}]: the claimed gradient is that of params[{(i + 1) % 4}]" for i in range(4)
        ]
