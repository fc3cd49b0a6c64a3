"""Blocks with the same mistake share one sentence, which says what they have in common."""

from __future__ import annotations

import numpy as np
import pytest
from diagnosis_cases import ALL, EVERY, LAMBDA, PARAMS, RIGHT, SAME, VECTOR, Bugs, backprop, block, said

from fastgrad.diagnosis.diagnose import diagnose
from fastgrad.diagnosis.evidence import Explanation, Number
from fastgrad.diagnosis.sentences import sentences

# what is claimed: all that is said, as (kind, sentence)
NAMED = {
    "clipped by the norm": (
        {name: v * 0.25 / np.sqrt(sum((v**2).sum() for v in RIGHT.values())) for name, v in RIGHT.items()},
        [
            (
                "factor",
                f"{ALL}: claimed = 0.158224 * numeric {EVERY}: a constant factor: look for a scale that "
                "is in only one of the two, such as the weight of a term, a learning rate or the 1 / (1 "
                f"- p) of dropout.{SAME}; or is the gradient clipped by its norm? It is 0.25",
            )
        ],
    ),
    "biases regularised": (
        backprop(Bugs(penalty_on_biases=1)),
        [
            (
                "l2 extra",
                f"b1, b2 and b3: claimed - numeric = 0.1 * parameters {EVERY}: the gradient has an L2 "
                "term with lambda = 0.1 on the biases too, the loss has not",
            )
        ],
    ),
}


class TestNamed:
    @pytest.mark.parametrize("bug", NAMED)
    def test_bug(self, bug):
        """Each bug in the gradient of a small network is named with its numbers, and nothing else is said."""
        claimed, expected = NAMED[bug]

        assert said(claimed) == expected

    def test_biases_regularised_by_the_loss(self):
        """An L2 term on the biases that only the loss has is named, in the bias of 3 entries too."""
        truth = {name: v + LAMBDA * PARAMS[name] * (name[0] == "b") for name, v in RIGHT.items()}

        assert said(RIGHT, truth=truth) == [
            (
                "l2 missing",
                f"b1, b2 and b3: numeric - claimed = 0.1 * parameters {EVERY}: the loss has an L2 term with "
                "lambda = 0.1 on the biases too, the gradient has not",
            )
        ]

    def test_many_without_a_name(self):
        """Many blocks that nothing explains share one sentence."""
        rng = np.random.default_rng(6)
        (found,) = diagnose([block(f"v{i}", rng.normal(size=9), rng.normal(size=9)) for i in range(12)])

        assert found.kind == "unexplained"
        assert found.sentence.startswith(
            "v0, v1, v2, v3, v4, v5, v6 and 5 more: wrong in no way that has a name"
        )


class TestDirectly:
    def test_blocks_with_the_same_mistake_share_a_sentence(self):
        """Two explanations that agree are one sentence, with what both know; one that does not is another."""
        a, b, c = (block(name, 2 * VECTOR, VECTOR) for name in "abc")

        def scale(low, high):
            return Explanation("scale", "claimed = {0} * numeric", (Number(low, high),))

        found = [(a, scale(2.0, 2.2)), (b, scale(1.8, 2.0)), (c, scale(3.0, 3.0))]

        assert [(d.blocks, d.sentence) for d in sentences(found, [a, b, c])] == [
            (("a", "b"), "a and b: claimed = 2 * numeric"),
            (("c",), "c: claimed = 3 * numeric"),
        ]
