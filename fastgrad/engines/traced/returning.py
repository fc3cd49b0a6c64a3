"""Whether a number that Python asks for is what the cost returns, at once and with nothing in between.

`return float(loss)` is how many costs end. float() must give a plain number, which carries no note of where
it came from. It is safe to hand one out where every function on the way back to the recorder returns it at
once: then nothing can be done with it, and no branch can depend on it.
"""

from __future__ import annotations

import dis
import sys
from functools import lru_cache
from types import CodeType, FrameType

RECORDER = "_call_cost"
"""The function of this package that calls the cost."""


def returns_at_once() -> bool:
    """Whether what is being computed is returned at once by all of the user's functions on the stack."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if not _is_package(frame.f_code):
            if not _returns_next(frame.f_code, frame.f_lasti):
                return False
        elif frame.f_code.co_name == RECORDER:
            return True
        frame = frame.f_back
    return False


def _is_package(code: CodeType) -> bool:
    return code.co_filename.startswith(__file__.rpartition("returning")[0])


@lru_cache(maxsize=256)
def _returns_next(code: CodeType, at: int) -> bool:
    """Whether the instruction after a call returns what it gave.

    In Python 3.11 a call is PRECALL and CALL, and one that was made often is at the first of them.
    """
    names = {i.offset: i.opname for i in dis.get_instructions(code) if i.opname != "CACHE"}
    following = [name for offset, name in names.items() if offset > at]
    if names.get(at) == "PRECALL":
        following = following[1:]
    return following[:1] == ["RETURN_VALUE"]
