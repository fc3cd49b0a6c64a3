"""Which layers are right says where in the backward pass the mistake is."""

from __future__ import annotations

import numpy as np
import pytest
from diagnosis_cases import B1, B2, EVERY, MATRIX, RIGHT, VECTOR, W1, W2, Bugs, backprop, block, changed, said

from fastgrad.diagnosis.diagnose import diagnose
from fastgrad.diagnosis.layers import group, over_layers

# what is claimed: all that is said, as (kind, sentence)
NAMED = {
    "W for W.T": (
        backprop(Bugs(delta_product="W")),
        [
            (
                "delta",
                "W1 and b1 disagree and all blocks from W2 on agree: the delta is lost on the way from "
                "the layer of W2 back to that of W1; look at the product with W2 (transposed) and at the "
                "activation derivative of the layer of W1",
            )
        ],
    ),
    "derivative at z": (
        backprop(Bugs(derivative="1 - z^2")),
        [
            (
                "delta",
                "W1, b1, W2 and b2 disagree and all blocks from W3 on agree: the delta is lost on the "
                "way from the layer of W3 back to that of W2; look at the product with W3 (transposed) "
                "and at the activation derivative of the layer of W2",
            )
        ],
    ),
    "bias of the first sample": (
        backprop(Bugs(bias="first")),
        [
            (
                "bias",
                "W2 agrees and b2 does not: the delta is right, look at how the bias sums it over the batch",
            )
        ],
    ),
    "bias averaged": (
        backprop(Bugs(bias="mean")),
        [
            (
                "factor",
                f"b2: claimed = 0.125 * numeric {EVERY}: a mean over the 8 entries along an axis of the "
                "data where the loss takes the sum, or 8 divided by twice",
            ),
            (
                "bias",
                "W2 agrees and b2 does not: the delta is right, look at how the bias sums it over the batch",
            ),
        ],
    ),
}


class TestNamed:
    @pytest.mark.parametrize("bug", NAMED)
    def test_bug(self, bug):
        """Each bug in the gradient of a small network is named with its numbers, and nothing else is said."""
        claimed, expected = NAMED[bug]

        assert said(claimed) == expected

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


class TestNotNamed:
    """What only looks like a mistake that has a name."""

    def test_layer_with_names_of_its_own(self):
        """Blocks of the first layer with mistakes of their own do not mean a lost delta."""
        assert "delta" not in [kind for kind, _ in said(changed(W1=W1[::-1], b1=B1[::-1]))]

    def test_wrong_in_the_middle(self):
        """A layer that is wrong between two that are right is no delta that is lost."""
        rng = np.random.default_rng(6)
        found = said(changed(W2=W2 + 0.1 * rng.normal(size=(5, 5)), b2=B2 + 0.1 * rng.normal(size=5)))

        ends = said(changed(W1=W1 + rng.normal(size=(6, 5)), b1=B1 + rng.normal(size=5), b3=[1.0, 2.0, 4.0]))

        assert [kind for kind, _ in found] == ["unexplained", "unexplained"]
        assert "delta" not in [kind for kind, _ in ends]

    def test_biases_wrong_by_themselves(self):
        """A bias with a mistake that has a name of its own is not called a wrong sum."""
        assert [kind for kind, _ in said(changed(b2=B2[::-1]))] == ["flipped"]


class TestDirectly:
    def test_delta(self):
        """Where the blocks up to one layer are wrong and all later ones right, the delta is lost between."""
        blocks = [block(name, MATRIX + (name[1] == "1"), MATRIX) for name in ("W1", "V1", "W2", "V2")]

        (found,) = over_layers(blocks, dict.fromkeys(("W1", "V1"), "unexplained"))

        assert (found.kind, found.blocks) == ("delta", ("W1", "V1"))
        assert over_layers(blocks, dict.fromkeys(("W1", "V1"), "transposed")) == []

    def test_group(self):
        """Blocks are grouped by the path before the last key, else by their number, else by matrix."""
        arrays = {"W": MATRIX, "V": MATRIX, "b": VECTOR, "c": VECTOR}

        def grouped(*names):
            of_names = [arrays[name.rpartition(".")[2][0]] for name in names]
            return [[b.name for b in layer] for layer in group(list(map(block, names, of_names, of_names)))]

        assert grouped("a.W", "a.b", "c.W") == [["a.W", "a.b"], ["c.W"]]
        assert grouped("W1", "W2", "b1", "b2") == [["W1", "b1"], ["W2", "b2"]]
        assert grouped("W", "b", "V", "c") == [["W", "b"], ["V", "c"]]
