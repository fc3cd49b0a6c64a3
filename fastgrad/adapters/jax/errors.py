"""What jax raises, in one sentence: the lines after the first are about tracers, frames and addresses."""

from __future__ import annotations

from fastgrad.printable import shortened

LONGEST = 200
"""Characters of what jax raised that are shown."""


def first_line(error: BaseException) -> str:
    r"""An exception in its first line.

    Examples
    --------
    >>> first_line(TypeError("grad requires real-valued inputs.\nSee the docs."))
    'TypeError: grad requires real-valued inputs'
    """
    text = str(error).strip().split("\n")[0].rstrip(".")
    return shortened(f"{type(error).__name__}: {text}" if text else type(error).__name__, LONGEST)
