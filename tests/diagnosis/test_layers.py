"""What the pattern over the layers says."""

from __future__ import annotations

import numpy as np
from diagnosis_cases import B1, B2, RIGHT, W1, block, changed, said

from fastgrad.diagnosis.diagnose import diagnose


class TestLayersNamed:
    def test_layers_by_path(self):
        """Layers are told by the path of their blocks, in the order in which they come."""
        noise = np.random.default_rng(3).normal(size=5)
        names = {"b1": "enc.bias", "W1": "enc.weight", "b2": "dec.bias", "W2": "dec.weight"}
        wrong = {"b1": B1 + noise, "W1": W1 + noise}
        d = {name: RIGHT[name] for name in names}
        blocks = [block(names[n], wrong.get(n, d[n]), d[n]) for n in names]

        (found,) = diagnose(blocks)

        assert found.kind == "delta"
        assert "from the layer of dec.bias back to that of enc.bias" in found.sentence


class TestLayersNotNamed:
    def test_layer_with_names_of_its_own(self):
        """Blocks of the first layer with mistakes of their own do not mean a lost delta."""
        assert "delta" not in [kind for kind, _ in said(changed(W1=W1[::-1], b1=B1[::-1]))]

    def test_biases_wrong_by_themselves(self):
        """A bias with a mistake that has a name of its own is not called a wrong sum."""
        assert [kind for kind, _ in said(changed(b2=B2[::-1]))] == ["flipped"]
