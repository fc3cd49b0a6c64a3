"""What `fastgrad demo` shows: each file has a run(n_jobs) that prints, and says whether all went as told."""

from __future__ import annotations
