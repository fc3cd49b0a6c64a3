"""The end of joblib's worker processes, which else wait for the next check with the modules that they have.

`fastgrad watch` ends them before each check: they would not read a module again that the user has changed.
"""

from __future__ import annotations

import sys


def end_workers() -> None:
    """End the worker processes that joblib keeps, if there are any; the next check starts its own."""
    reusable = sys.modules.get("joblib.externals.loky.reusable_executor")
    executor = getattr(reusable, "_executor", None)  # get_reusable_executor() would start some
    if executor is not None:
        executor.shutdown(wait=True, kill_workers=True)
