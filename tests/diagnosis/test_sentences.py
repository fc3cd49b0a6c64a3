"""The sentences of a diagnosis."""

from __future__ import annotations

import numpy as np
from diagnosis_cases import block

from fastgrad.diagnosis.diagnose import diagnose


class TestSentences:
    def test_many_without_a_name(self):
        """Many blocks that nothing explains share one sentence."""
        rng = np.random.default_rng(6)
        (found,) = diagnose([block(f"v{i}", rng.normal(size=9), rng.normal(size=9)) for i in range(12)])

        assert found.kind == "unexplained"
        assert found.sentence.startswith(
            "v0, v1, v2, v3, v4, v5, v6 and 5 more: wrong in no way that has a name"
        )
