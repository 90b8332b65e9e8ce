"""Run the benchmark: all of it into the documents, or some parts onto the terminal.

python -m benchmarks.run [PART...] [--quick] [--data FOLDER]
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

from . import documents, kernels, machine, promise, table
from .data import SIZES, Data
from .environments import ROOT
from .exact import DisagreementError
from .measure import Part, WorkerError, run_part, save
from .parts import ON_DEMAND, PARTS, Bench

KERNELS = "kernels"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    known = [*PARTS, KERNELS]
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of: {', '.join(known)}")
    parser.add_argument(
        "--quick", dest="size", action="store_const", const="quick", default="full",
        help="small data; nothing is promised of its figures",
    )  # fmt: skip
    parser.add_argument("--size", choices=SIZES, help=argparse.SUPPRESS)
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get("LEADLINE_BENCH_DATA", ROOT / "build" / "bench"),
        help="folder of data, peers' environments and results; default build/bench",
    )
    parser.add_argument("--keep", action="store_true", help="keep the files of the billion rows")
    parser.add_argument("--write", action="store_true", help="write the documents all the same")
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - set(known):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    return chosen


def run(names: list[str], bench: Bench) -> dict[str, Part]:
    """The parts one after the other; each is kept as soon as it is done."""
    found: dict[str, Part] = {}
    for name in names:
        path = bench.data.folder / "results" / f"{name}.json"
        if name == KERNELS:
            kernels.run(path)
            print("\n".join(kernels.table(path)))
            continue
        part = run_part(partial(PARTS[name], bench))
        missing = {each.name: each.missing for each in bench.peers.values() if each.missing}
        found[name] = replace(part, commit=machine.commit(), missing=missing)
        save(path, found[name])
        print(f"{name}: {part.seconds:.0f} s, others kept {part.others:.2f} cores busy")
        sys.stdout.flush()
    return found


def main() -> None:
    chosen = arguments()
    bench = Bench(Data.open(chosen.data, SIZES[chosen.size]), chosen.data / "environments")
    names = chosen.parts or [*(name for name in PARTS if name not in ON_DEMAND), KERNELS]
    try:
        parts = run(names, bench)
    except (DisagreementError, WorkerError, kernels.KernelsError) as failure:
        raise SystemExit(f"benchmarks: {failure}") from failure
    finally:
        if "billion" in names and not chosen.keep:
            shutil.rmtree(bench.data.folder / "billion", ignore_errors=True)
    results = {name: part.figures for name, part in parts.items()}
    sizes = bench.data.sizes
    print("\n".join([*table.every(results), "", *promise.promise(results, sizes)]))
    if "billion" in results:
        print("\n".join(table.billion(results["billion"], sizes)))
    for name, reason in {k: v for part in parts.values() for k, v in part.missing.items()}.items():
        print(f"{name} is left out: {reason}")
    if chosen.write or (not chosen.parts and chosen.size == "full"):
        documents.write(documents.kept(bench.data.folder), sizes, bench.data.folder)


if __name__ == "__main__":
    main()
