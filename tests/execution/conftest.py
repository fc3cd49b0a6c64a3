"""What the tests of execution share."""

from __future__ import annotations

import pytest


@pytest.fixture
def path(tmp_path):
    """Where a checkpoint may be made."""
    return tmp_path / "run.checkpoint"
