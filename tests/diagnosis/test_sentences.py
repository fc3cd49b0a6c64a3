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

    def test_one_factor_in_all_blocks(self):
        """A factor without a name in all blocks may be the slope of the loss; not if one block is right."""
        rng = np.random.default_rng(6)
        d = rng.normal(size=(3, 9))
        wrong = [block(f"v{i}", 0.37 * v, v) for i, v in enumerate(d)]

        (all_blocks,) = diagnose(wrong)
        (some,) = diagnose([*wrong[:2], block("v2", d[2], d[2])])
        (single,) = diagnose(wrong[:1])
        (doubled,) = diagnose([block(f"v{i}", 2 * v, v) for i, v in enumerate(d)])

        said = "or is it the gradient of the output, not of the loss?"
        assert said in all_blocks.sentence
        assert said in single.sentence
        assert said not in some.sentence
        assert said not in doubled.sentence
