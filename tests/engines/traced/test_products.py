"""Products of arrays as products of matrices."""

import numpy as np
import pytest
from tape_cases import compared, recorded


def names(function, *leaves):
    """The operations that a function leaves on a tape, without those that only move entries."""
    recorder, _ = recorded(function, leaves)
    found = [operation.function.__name__ for operation in recorder.operations]
    return [name for name in found if name not in ("reshape", "transpose", "getitem")]


T, M = np.ones((2, 3, 4)), np.ones((4, 5))
EINSUMS = {
    "ij,jk->ik": ["matmul"], "bij,jk->bik": ["matmul"], "bij,bjk->bik": ["matmul"], "ij,ij->": ["matmul"],
    "i,j->ij": ["matmul"], "ij,k->ik": ["add.reduce", "matmul"], "ii,ij->j": ["einsum"],
}  # fmt: skip


@pytest.mark.parametrize("text", EINSUMS)
def test_einsum_as_a_product(text, rng):
    """An einsum of two arrays without repeated letters is one product; what one has alone is summed first."""
    shapes = [tuple(3 for _ in part) for part in text.partition("->")[0].split(",")]
    leaves = [rng.array(*shape) for shape in shapes]
    assert names(lambda x, y: np.einsum(text, x, y), *leaves) == EINSUMS[text]
    compared(lambda x, y: np.einsum(text, x, y), *leaves, exactly=False)


def test_a_product_of_more_axes_is_one_of_matrices():
    """All axes of the left factor but the last are rows; a stack of right factors stays one."""
    recorder, _ = recorded(lambda t: t @ M, [T])
    assert [o.function.__name__ for o in recorder.operations] == ["reshape", "matmul", "reshape"]
    assert names(lambda m: T @ np.stack([m, m]), M) == ["stack", "matmul"]
