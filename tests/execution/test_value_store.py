"""What a run without a file keeps: nothing."""

from __future__ import annotations

import numpy as np
import pytest
from checkpoint_cases import INDICES, OFFSETS, the_values

from fastgrad.errors import InputError
from fastgrad.execution.value_store import NoCheckpoint


def test_nothing_is_kept():
    """What was stored is not found again, a decision is made each time, and no time is counted."""
    with NoCheckpoint() as none:
        key = none.key("values", INDICES, OFFSETS)
        none.store(key, 0, the_values(0, 2))
        assert none.finished(key, 6, 2, np.float64) == []
        assert [none.remember("what", lambda answer=answer: answer) for answer in (1, 2)] == [1, 2]
        assert (none.seconds, none.name) == (0.0, "")
        none.note_changes()
        with pytest.raises(InputError, match=r"^why \[FG913\]$"):
            none.refuse("why")
