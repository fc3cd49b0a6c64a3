"""What is done with a run of the benchmarks, and with those that were saved; scripts/bench starts it.

scripts/bench                    runs, and compares with what was saved on machines of this kind
scripts/bench --save             keeps a summary of the run in benchmarks/history/ as well
scripts/bench --table            writes the tables of README and docs/ from what was saved, and runs nothing
scripts/bench --plot FILE        draws the peers of the last saved run (svg, png, pdf), and runs nothing
scripts/bench --save --table     all of it
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from comparison import report
from readme_tables import write_tables
from saved_runs import installed_versions, newest_with, read_history, save, summarise

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Compare, save, write tables, draw, as asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("result", nargs="?", type=Path, help="pytest-benchmark's JSON of this run")
    parser.add_argument("--command", default="scripts/bench", help="that made it")
    parser.add_argument("--tiny", action="store_true", help="sizes were small: compare and keep nothing")
    parser.add_argument("--save", action="store_true", help="keep a summary in benchmarks/history")
    parser.add_argument("--table", action="store_true", help="write the tables of the README and docs/")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the peers")
    chosen = parser.parse_args()
    if chosen.result is not None and chosen.result.exists() and chosen.result.stat().st_size:
        now = summarise(json.loads(chosen.result.read_text()), installed_versions(), chosen.command)
        if chosen.tiny:
            print(f"{len(now['benchmarks'])} benchmarks ran, tiny: not compared with saved ones")
        else:
            print(report(now, read_history()))
            if chosen.save:
                print(f"saved {save(now).relative_to(ROOT)}")
    if chosen.table:
        write_tables(ROOT)
    if chosen.plot:
        from peers_plot import peers_plot

        from fastgrad.cli.bench.plot import save as save_plot

        latest = newest_with(read_history(), "peer")
        if latest is None:
            parser.error("nothing to draw: scripts/bench --save benchmarks/bench_peers.py keeps a run")
        save_plot(peers_plot(latest), chosen.plot)
        print(f"wrote {chosen.plot}")


if __name__ == "__main__":
    main()
