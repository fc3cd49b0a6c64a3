"""The problems that are timed are right, and their work is counted."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.cli.bench.problems import PROBLEMS, flops_of_a_weight
from fastgrad.differences.plan import make_plan
from fastgrad.differences.stencils import CENTRAL


class TestProblems:
    @pytest.mark.parametrize("name", PROBLEMS)
    def test_what_is_timed_is_right(self, name):
        """Each engine's differences on its built-in problem are those that the plain cost gives."""
        timed = PROBLEMS[name]()
        if timed is None:
            assert name == "compiled"
            return
        engine = timed.engine
        base = engine.baseline()
        plan = make_plan(engine.parameters, np.array([0, 7], dtype=np.intp), CENTRAL)
        found = engine.values(plan.indices, plan.displacements)
        assert found.shape == (2, 2)
        x = [leaf.copy() for leaf in engine.parameters.leaves]
        for k, i in enumerate(plan.indices):
            for s, by in enumerate(plan.displacements[k]):
                moved = [leaf.copy() for leaf in x]
                moved[0].reshape(-1)[i] += by
                expected = self.plain_cost(name, engine, moved)
                assert found[k, s] + engine.origin == pytest.approx(expected, abs=1e-12 * max(1, abs(base)))

    @staticmethod
    def plain_cost(name, engine, leaves):
        """The cost by the function that the problem was made of."""
        if name == "batched":
            return float(engine.cost(leaves[0][None])[0])
        if name == "network":
            shaped = [leaf.reshape(b.shape) for leaf, b in zip(leaves, engine.parameters.blocks, strict=True)]
            return engine.cost(engine.parameters.build(shaped), *engine.args)
        return float(engine.cost(leaves[0], *engine.args))

    def test_flops(self):
        """One relu weight of 3-2-2: 4 for its lane, 1 for each of 2 outputs, 19 each in the loss."""
        assert flops_of_a_weight((3, 2, 2), "ReLU", 1) == 4 + 2 * 1 + 2 * 19
        assert flops_of_a_weight((3, 2, 2), "ReLU", 10) == 10 * (4 + 2 * 1 + 2 * 19)
