"""What becomes of a check under faults: kills, signals, damaged files, full disks, edited costs, odd names.

scripts/faults [--short] [--only WORD]

    same report    the check, or the next run with its checkpoint, ends with that of an undisturbed one
    refused        it ends with an error that says what to do, and no report
    wrong          anything else: another report, a traceback, a hanging process
    processes, files, shared memory
                   what is left ten seconds after the end, of those trials that start processes

The exit status is 1 if anything was wrong or left.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import fault_files
import fault_names
import fault_places
import fault_processes
from fault_outcomes import report_of

SEED = 0
"""Of the moments, bits and lengths."""

LONG = {"processes": 6, "files": 250, "places": 2, "names": 20}
"""Trials of each kind: some five minutes."""

SHORT = {"processes": 1, "files": 10, "places": 1, "names": 3}
"""Trials of each kind in CI: less than a minute."""

KINDS = {
    "processes": fault_processes.rows,
    "files": fault_files.rows,
    "places": fault_places.rows,
    "names": fault_names.rows,
}


def main() -> int:
    """Try everything, and print the table."""
    parser = argparse.ArgumentParser(prog="scripts/faults", description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="few trials of each kind, as in CI")
    parser.add_argument("--only", choices=KINDS, help="one kind of fault")
    options = parser.parse_args()
    random.seed(SEED)
    times, began = SHORT if options.short else LONG, time.monotonic()
    chosen = [kind for kind in KINDS if options.only in (None, kind)]
    with ThreadPoolExecutor(1) as meanwhile:  # killed processes mostly wait
        waiting = [meanwhile.submit(KINDS[kind], times[kind]) for kind in chosen if kind == "processes"]
        rows = [row for kind in chosen if kind != "processes" for row in KINDS[kind](times[kind])]
        rows = [row for kind in waiting for row in kind.result()] + rows
    print(report_of(rows))
    print(f"\n{sum(row.tried for row in rows):,} trials in {time.monotonic() - began:.0f} s, seed {SEED}")
    return int(any(row.failed for row in rows))


if __name__ == "__main__":
    sys.exit(main())
