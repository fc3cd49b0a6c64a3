"""The pattern over layers: which layers are right shows where in the backward pass the mistake is.

`diagnose` calls `over_layers` after all blocks were explained one by one. The blocks must be in the order of
the layers.

Notation, from the last layer to the first: delta_l = (W_{l+1}^T delta_{l+1}) f'(z_l), dW_l = delta_l
a_{l-1}^T, db_l = the sum of delta_l over the batch.

    all right from layer l + 1 on, all wrong before    delta is lost on the way to layer l
    dW_l right, db_l wrong                             delta_l is right, its sum is not
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from fastgrad.diagnosis.evidence import Diagnosis, Evidence
from fastgrad.diagnosis.places import joined

Layer = list[Evidence]

KINDS_OF_A_WRONG_DELTA = {
    "unexplained",
    "per unit",
    "factor",
    "sign",
    "zero",
    "part",
    "rectangle",
    "range",
    "stride",
    "entry",
}
"""The kinds of mistakes that a wrong delta may look like. The other kinds are mistakes in one block alone."""

KINDS_OF_A_WRONG_SUM = {"unexplained", "factor"}
"""The kinds of mistakes that a wrong sum over the batch may look like."""


def over_layers(blocks: Sequence[Evidence], kinds: Mapping[str, str]) -> list[Diagnosis]:
    """The diagnoses that follow from which blocks are right and which are wrong.

    Parameters
    ----------
    blocks : all blocks, in the user's order
    kinds : the kind of the explanation of each wrong block, by the block's name
    """
    layers = group([b for b in blocks if len(b.inside)])
    found = [_delta(layers, kinds), _sums(layers, kinds)]
    return [diagnosis for diagnosis in found if diagnosis is not None]


def group(blocks: Sequence[Evidence]) -> list[Layer]:
    """The layers, as lists of blocks.

    Blocks are in one layer if their names have a number or a path in common (W1, b1; enc.W, enc.b). Without
    such names a layer is a matrix and the blocks that follow it.

    Examples
    --------
    >>> import numpy as np
    >>> none, empty = np.zeros(0), np.zeros(0, bool)
    >>> def block(name, *shape):
    ...     return Evidence(name, shape, none.astype(int), none, none, none, empty, empty, none)
    >>> W1, W2, b1, b2 = block("W1", 3, 2), block("W2", 2, 2), block("b1", 2), block("b2", 2)
    >>> [[b.name for b in layer] for layer in group([W1, W2, b1, b2])]
    [['W1', 'b1'], ['W2', 'b2']]
    """
    for key in (_path, _number):
        layers: dict[str, Layer] = {}
        for block in blocks:
            layers.setdefault(key(block.name), []).append(block)
        if 1 < len(layers) < len(blocks) and "" not in layers:
            return list(layers.values())
    by_matrix: list[Layer] = []
    for block in blocks:
        if _is_weight(block) or not by_matrix:
            by_matrix.append([])
        by_matrix[-1].append(block)
    return by_matrix


def _path(name: str) -> str:
    """A name without its last key: "net[0]" for "net[0].W"."""
    return re.sub(r"(\.[^.\[\]]+|\[[^\]]*\])$", "", name) if re.search(r"[.\[]", name) else ""


def _number(name: str) -> str:
    """The number that a name ends with: "1" for "W1"."""
    found = re.search(r"\d+$", name)
    return found[0] if found else ""


def _is_weight(block: Evidence) -> bool:
    return len(block.shape) > 1


def _is_wrong(layer: Layer) -> bool:
    return all(block.wrong.any() for block in layer)


def _is_right(layer: Layer) -> bool:
    return not any(block.wrong.any() for block in layer)


def _delta(layers: list[Layer], kinds: Mapping[str, str]) -> Diagnosis | None:
    """The diagnosis if all layers up to one are wrong, and all after it are right."""
    count = next((i for i, layer in enumerate(layers) if not _is_wrong(layer)), len(layers))
    before, after = layers[:count], layers[count:]
    names = tuple(block.name for layer in before for block in layer)
    if len(names) < 2 or not after or not all(map(_is_right, after)):
        return None
    if not all(kinds.get(name) in KINDS_OF_A_WRONG_DELTA for name in names):
        return None
    last, first = before[-1][0].name, after[0][0].name
    return Diagnosis(
        "delta",
        names,
        f"{joined(names)} disagree and all blocks from {first} on agree: the delta is lost on the way from "
        f"the layer of {first} back to that of {last}; look at the product with {first} (transposed) and "
        f"at the activation derivative of the layer of {last}",
    )


def _sums(layers: list[Layer], kinds: Mapping[str, str]) -> Diagnosis | None:
    """The diagnosis if weights are right, and the biases of the same layers are wrong."""
    right: list[str] = []
    wrong: list[str] = []
    for layer in layers:
        weights = [b for b in layer if _is_weight(b)]
        biases = [b.name for b in layer if not _is_weight(b) and kinds.get(b.name) in KINDS_OF_A_WRONG_SUM]
        if weights and biases and _is_right(weights):
            right += [b.name for b in weights]
            wrong += biases
    if not wrong:
        return None
    agree = "agrees" if len(right) == 1 else "agree"
    do_not = "does not" if len(wrong) == 1 else "do not"
    return Diagnosis(
        "bias",
        tuple(wrong),
        f"{joined(right)} {agree} and {joined(wrong)} {do_not}: the delta is right, look at how the bias "
        "sums it over the batch",
    )
