"""The table of NumPy's functions in docs/traced.md says what becomes of them."""

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "benchmarks"))

# ruff: noqa: E402
from numpy_calls import CALLS, MATRIX, PLAIN
from numpy_coverage import (
    BEGIN,
    END,
    METHODS_OF_UFUNCS,
    NOTHING,
    call_of,
    page_with,
    public_names,
    statuses,
    table,
)
from tape_cases import compared

from fastgrad.engines.traced.recorded_array import Recorded

STATUSES = statuses()
TRACED = [n for n, s in STATUSES.items() if not s.startswith(("plain", "declined"))]
SKIPPED = {"empty_like": "its values are not determined", "row_stack": "it is deprecated"}


def test_each_function_is_there():
    """Each public function has a place, and no name in the lists is of none."""
    names = set(public_names())
    assert set(STATUSES) == names | {f"ufunc.{name}" for name in METHODS_OF_UFUNCS}
    plain = {name for group in PLAIN.values() for name in group.split()}
    newer = {"astype", "cumulative_sum", "cumulative_prod", "unstack", "matvec", "vecmat"}
    assert (plain | set(CALLS)) - names - newer <= {"ldexp"}
    assert not plain & set(CALLS)


@pytest.mark.parametrize("name", TRACED)
def test_what_is_traced_gives_what_numpy_gives(name):
    """What the table says is traced is equal to NumPy's: at the parameters, replayed, sparse and dense."""
    if name in SKIPPED:
        pytest.skip(SKIPPED[name])
    call = METHODS_OF_UFUNCS[name.partition(".")[2]] if name.startswith("ufunc.") else call_of(name)
    compared(call, MATRIX, exactly=False, strays=True)


def test_no_files_are_left(tmp_path, monkeypatch):
    """What a call writes is not left in the current folder, which stays what it was."""
    written = []
    monkeypatch.setitem(CALLS, "save", lambda x: written.append(Path("x").write_text("saved")))
    monkeypatch.chdir(tmp_path)
    statuses()
    assert (len(written), Path.cwd(), list(tmp_path.iterdir())) == (1, tmp_path, [])


def test_most_is_traced():
    """What is declined is little; an entry of it has its reason."""
    declined = {n: s for n, s in STATUSES.items() if s.startswith("declined")}
    assert len(declined) < 60 < 300 < len(TRACED)
    assert all(len(s) > len("declined: ") for s in declined.values())
    assert STATUSES["exp"] == "elementwise"
    assert STATUSES["reshape"] == "entries moved"
    assert STATUSES["matmul"] == "product"
    assert STATUSES["asarray_chkfinite"] == NOTHING


def test_what_is_plain_gives_no_recorded_values():
    """What is plain by design gives no value that depends on the parameters."""
    for name in ("shape", "ndim", "result_type", "iscomplexobj", "may_share_memory", "size"):
        seen = []
        compared(lambda x, name=name, seen=seen: (seen.append(_of(name, x)), x * 1)[1], MATRIX)
        assert not any(isinstance(value, Recorded) for value in seen)


def _of(name, x):
    return getattr(np, name)(*((x, x) if name == "may_share_memory" else (x,)))


def test_the_page_has_the_table():
    """docs/traced.md has the table of this NumPy; with another one, only the place for it."""
    page = (ROOT / "docs" / "traced.md").read_text()
    assert BEGIN in page
    assert END in page
    version = ".".join(np.__version__.split(".")[:2])
    if f"NumPy {version}." in page:
        assert page == page_with(table(), version)
