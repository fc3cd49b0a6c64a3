"""What jax raises, in one sentence."""

from __future__ import annotations

import pytest

pytest.importorskip("jax")

from fastgrad.adapters.jax.errors import first_line


def test_the_first_line_alone():
    """Lines about tracers and addresses are left out, and so is a full stop before the next sentence."""
    assert first_line(ValueError("no such axis.\nThis Tracer was created")) == "ValueError: no such axis"
    assert first_line(ValueError()) == "ValueError"
