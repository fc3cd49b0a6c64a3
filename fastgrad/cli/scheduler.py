"""The option --scheduler of `fastgrad check`: a client of a dask scheduler, as long as a check takes.

cli/main.py enters `connected` and hands the backend on to the check.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

from fastgrad.errors import InputError
from fastgrad.execution.joblib_dask import INSTALL
from fastgrad.problem.describe import quoted

PATIENCE = 5.0
"""Seconds in which a scheduler is to answer."""


@contextlib.contextmanager
def connected(address: str | None) -> Iterator[Any]:
    """The joblib backend for a scheduler's address: None without one, "dask" with a client inside.

    Raises
    ------
    InputError
        Where dask is not installed, or nothing answers at the address.
    """
    if address is None:
        yield None
        return
    with _client(address):
        yield "dask"


def _client(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError(f"--scheduler: {INSTALL}", code="FG905") from error
    try:
        with _dask_silent():
            return Client(address, timeout=PATIENCE, name="fastgrad")
    except (OSError, ValueError, TypeError, RuntimeError) as error:  # a timeout is an OSError
        raise InputError(
            f"no dask scheduler answers at {address} ({quoted(error)}): --scheduler "
            "takes the address that `dask scheduler` prints, such as tcp://HOST:8786",
            code="FG842",
        ) from error


@contextlib.contextmanager
def _dask_silent() -> Iterator[None]:
    """What dask logs of a failed connection is left out: the error says it in one sentence."""
    logger = logging.getLogger("distributed")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)
