"""Evidence on coordinates that the rule is applied to, made up or drawn."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
from hypothesis import strategies as st

from fastgrad.verdict.rule import Evidence


def evidence(claimed, numeric, bound=0.0, rounding=0.0, size=1.0, alike=None, **known):
    """What is known of m coordinates; all differ in size unless `alike` says that they do not."""
    m = len(claimed)
    columns = (np.broadcast_to(np.asarray(v, dtype=float), m).copy() for v in (bound, rounding, size))
    groups = np.arange(m) if alike is None else np.broadcast_to(np.asarray(alike, dtype=np.intp), m)
    numeric = np.asarray(numeric, dtype=float)
    return Evidence(np.asarray(claimed, dtype=float), numeric, *columns, groups, **known)


def part_of(known, at):
    """The evidence on some of the coordinates, in that order."""
    columns = {f.name: getattr(known, f.name) for f in fields(known)}
    return replace(known, **{name: v[at] for name, v in columns.items() if isinstance(v, np.ndarray)})


def joined(known, more):
    """The evidence on the coordinates of two, of which the first gives what is no column."""
    columns = {f.name: getattr(known, f.name) for f in fields(known)}
    some = {name: v for name, v in columns.items() if isinstance(v, np.ndarray)}
    return replace(known, **{name: np.concatenate([v, getattr(more, name)]) for name, v in some.items()})


small_numbers = st.floats(1e-12, 1e12).flatmap(lambda v: st.sampled_from([v, -v]))
bounds = st.one_of(st.just(0.0), st.floats(1e-20, 1e12))


@st.composite
def evidences(draw, least=1, most=12):
    """Coordinates of any derivative, bound, size and group, some with a right claim and some without."""
    m = draw(st.integers(least, most))
    numbers = lambda each: np.array(draw(st.lists(each, min_size=m, max_size=m)))  # noqa: E731
    numeric = numbers(st.one_of(small_numbers, st.just(0.0), st.just(np.nan)))
    claimed = numbers(st.one_of(small_numbers, st.just(0.0), st.just(np.nan)))
    near = numbers(st.booleans())
    claimed = np.where(near & ~np.isnan(numeric), numeric * (1 + 1e-5 * numbers(st.floats(-1, 1))), claimed)
    known = evidence(
        claimed, numeric, np.where(np.isnan(numeric), np.inf, numbers(bounds)),
        rounding=1e-9 * np.abs(np.nan_to_num(claimed)), size=numbers(st.floats(1e-9, 1e9)),
        alike=numbers(st.integers(0, 3)),
    )  # fmt: skip
    return replace(
        known, steepest=draw(st.one_of(st.just(0.0), st.floats(1e-9, 1e6))), moves=draw(st.booleans())
    )
