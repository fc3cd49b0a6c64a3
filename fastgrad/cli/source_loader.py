"""How the user's files are read: from their source, whatever Python has kept of them in __pycache__.

Python takes what it has kept for up to date where the time in whole seconds and the size are those of the
source: of two saves within a second, as `2.0` and then `2.1`, the second would not be seen.
"""

from __future__ import annotations

import importlib.machinery
from collections.abc import Mapping
from typing import Any


class SourceLoader(importlib.machinery.SourceFileLoader):
    """Imports a file from its source, and keeps nothing of it on disk."""

    def path_stats(self, path: Any) -> Mapping[str, Any]:
        """Refuse: importlib then neither reads nor writes what is kept."""
        raise OSError(f"{path} is read from its source")
