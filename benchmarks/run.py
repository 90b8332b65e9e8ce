"""Run the benchmark: all of it into the documents, or some parts onto the terminal.

python -m benchmarks.run [PART...] [--quick] [--data FOLDER]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from .data import SIZES, Data
from .environments import ROOT
from .exact import DisagreementError
from .measure import WorkerError, save
from .parts import PARTS, Bench, Figures
from .table import every, promise


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of: {', '.join(PARTS)}")
    parser.add_argument("--quick", dest="size", action="store_const", const="quick", default="full")
    parser.add_argument("--size", choices=SIZES, default="full", help=argparse.SUPPRESS)
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get("LEADLINE_BENCH_DATA", ROOT / "build" / "bench"),
        help="folder of data, peers' environments and results; default build/bench",
    )
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    return chosen


def run(names: list[str], bench: Bench) -> dict[str, Figures]:
    """The parts one after the other; each is kept as soon as it is done."""
    results = {}
    for name in names:
        start = time.perf_counter()
        results[name] = PARTS[name](bench)
        save(bench.data.folder / "results" / f"{name}.json", results[name])
        print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
    return results


def main() -> None:
    chosen = arguments()
    data = Data.open(chosen.data, SIZES[chosen.size])
    bench = Bench(data, chosen.data / "environments")
    try:
        results = run(chosen.parts or list(PARTS), bench)
    except (DisagreementError, WorkerError) as failure:
        raise SystemExit(f"benchmarks: {failure}") from failure
    print("\n".join([*every(results), "", *promise(results, data.sizes)]))
    for peer in bench.peers.values():
        if peer.missing is not None:
            print(f"{peer.name} is left out: {peer.missing}")


if __name__ == "__main__":
    main()
