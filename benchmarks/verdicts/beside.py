"""The peers on the same rows: their alarms without any change, and what they find."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from ..environments import ROOT, Peer, find
from .laws import LAWS, Law
from .pairs import generator, table_of
from .power import changes

SEED = 77_004
PEERS = ("leadline", "evidently", "nannyml", "whylogs", "scipy")


class PeerError(Exception):
    """A peer's process ended; says what it said last."""


class Contestant:
    """A peer's process."""

    def __init__(self, peer: Peer, folder: Path) -> None:
        self.name = peer.name
        self._errors = (folder / f"{peer.name}.log").open("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            [str(peer.python), "-m", f"benchmarks.verdicts.peers.{peer.name}"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True,
        )  # fmt: skip
        self.versions: dict[str, str] = self._reply()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def alarms(self, reference: Path, current: Path) -> dict[str, list[str]]:
        """Which columns it says drifted, by its word for that."""
        assert self._process.stdin is not None
        print(json.dumps([str(reference), str(current)]), file=self._process.stdin, flush=True)
        found: dict[str, list[str]] = self._reply()
        return found

    def _reply(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            said = [line for line in self._errors.read().splitlines() if line.strip()]
            raise PeerError(f"{self.name}: {said[-1] if said else 'its process ended'}")
        return json.loads(line)


@dataclass(frozen=True, slots=True)
class Cell:
    """What is drawn once and shown to everybody."""

    label: str
    what: str
    law: Law
    rows: int
    amount: float
    seed: tuple[int, ...]

    def tables(self, pairs: int) -> tuple[pa.Table, pa.Table]:
        """Both sides; each column is one comparison."""
        random = generator(*self.seed)
        reference = table_of(self.law, random, self.rows, pairs)
        return reference, table_of(self.law, random, self.rows, pairs, self.amount)


def unchanged(rows: int) -> list[Cell]:
    """Every law without change."""
    return [
        Cell("alarms", law.name, law, rows, 0.0, (SEED, 0, place, rows))
        for place, law in enumerate(LAWS)
    ]


def changed() -> list[Cell]:
    """Every change of `power`."""
    return [
        Cell(
            "power",
            f"{change.law.name}: {change.what}",
            change.law,
            change.rows,
            change.amount,
            (SEED, 1, place, change.rows),
        )
        for place, change in enumerate(changes())
    ]


def run(cells: Sequence[Cell], pairs: int, environments: Path) -> dict[str, Any]:
    """Alarms of everybody in every cell."""
    peers = [find(name, environments) for name in PEERS]
    found: list[dict[str, Any]] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        there = [
            stack.enter_context(Contestant(peer, folder)) for peer in peers if peer.missing is None
        ]
        files = folder / "reference.parquet", folder / "current.parquet"
        for cell in cells:
            for path, table in zip(files, cell.tables(pairs), strict=True):
                pq.write_table(table, path, compression="none")
            alarms, seconds = {}, {}
            for contestant in there:
                begin = time.perf_counter()
                alarms[contestant.name] = {
                    word: len(names) for word, names in contestant.alarms(*files).items()
                }
                seconds[contestant.name] = round(time.perf_counter() - begin, 2)
            found.append(
                {"part": cell.label, "what": cell.what, "rows": cell.rows, "alarms": alarms}
            )
            print(f"  {cell.what}, {cell.rows:,}: {alarms} {seconds}", flush=True)
        versions = {contestant.name: contestant.versions for contestant in there}
    return {
        "pairs": pairs,
        "cells": found,
        "versions": versions,
        "missing": {peer.name: peer.missing for peer in peers if peer.missing is not None},
    }
