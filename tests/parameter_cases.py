"""Random nestings of arrays."""

from __future__ import annotations

from collections import namedtuple

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

Layer = namedtuple("Layer", ["W", "b"])

DTYPES = ["<f8", "<f4", ">f8", ">f4"]

# how an array may lie in memory, by name
LAYOUTS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "strided": lambda a: np.repeat(a, 2, axis=-1)[..., ::2] if a.ndim else a,
    "reversed": lambda a: a[::-1].copy()[::-1] if a.ndim else a,
    "read-only": lambda a: np.frombuffer(a.tobytes(), dtype=a.dtype).reshape(a.shape),
}

shapes = st.lists(st.integers(0, 3), max_size=3).map(tuple)


@st.composite
def arrays(draw):
    """A float array of any small shape, dtype and layout; its entries are short decimals."""
    shape = draw(shapes)
    size = int(np.prod(shape, dtype=int))
    tenths = draw(st.lists(st.integers(-99, 99), min_size=size, max_size=size))
    array = (np.array(tenths, dtype=float) / 10).reshape(shape).astype(draw(st.sampled_from(DTYPES)))
    return LAYOUTS[draw(st.sampled_from(sorted(LAYOUTS)))](array)


def containers(children):
    """Dicts, lists, tuples and namedtuples of such structures."""
    return st.one_of(
        st.dictionaries(st.text("zyxab", min_size=1, max_size=2), children, max_size=3),
        st.lists(children, max_size=3),
        st.lists(children, max_size=3).map(tuple),
        st.tuples(children, children).map(Layer._make),
    )


structures = st.recursive(
    st.one_of(arrays(), st.none(), st.floats(-9, 9).map(lambda v: round(v, 1))), containers, max_leaves=6
)


def holds_numbers_only(structure):
    """Reference: whether a structure is a list or a tuple of floats, which is one vector."""
    is_filled = type(structure) in (list, tuple) and len(structure) > 0
    return is_filled and all(type(entry) is float for entry in structure)


def naive_leaves(structure):
    """Reference: all leaves as flat arrays, in the order in which the user wrote them."""
    if structure is None:
        return []
    if holds_numbers_only(structure):
        return [np.asarray(structure)]
    if isinstance(structure, dict):
        structure = list(structure.values())
    if isinstance(structure, list | tuple):
        return [leaf for entry in structure for leaf in naive_leaves(entry)]
    return [np.asarray(structure)]


def flat_of(structure):
    """Reference: all numbers as one float64 vector."""
    flat = [leaf.reshape(-1).astype(np.float64) for leaf in naive_leaves(structure)]
    return np.concatenate(flat) if flat else np.empty(0)


def nonempty(structure):
    """The structure, if it has a number in it; otherwise hypothesis looks for another one."""
    assume(flat_of(structure).size > 0)
    return structure
