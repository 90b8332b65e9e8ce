"""Leadline: `compare` with all its defaults, each column alone, as if it were the only one."""

from __future__ import annotations

import pyarrow.parquet as pq

import leadline as ll

from .loop import Alarms, serve


def alarms(reference: str, current: str) -> Alarms:
    before, now = pq.read_table(reference), pq.read_table(current)
    found: Alarms = {"drift": [], "possible": []}
    for name in before.column_names:
        sides = (ll.profile(side.select([name]), threads=1) for side in (before, now))
        verdict = str(ll.compare(*sides)[name].verdict)
        if verdict in found:
            found[verdict].append(name)
    return found


if __name__ == "__main__":
    serve(alarms, "leadline", "numpy", "pyarrow")
