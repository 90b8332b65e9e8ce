"""The loop inside a peer's process: two files in, what it says of their columns out."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from importlib import metadata

# What a peer says, by its own word for it, and the columns of which it says that.
Alarms = dict[str, list[str]]


def serve(alarms: Callable[[str, str], Alarms], *distributions: str) -> None:
    """Answer every line ``["reference.parquet", "current.parquet"]`` until standard input ends."""
    warnings.simplefilter("ignore")
    out, sys.stdout = sys.stdout, sys.stderr  # peers print what they like
    versions = {name: metadata.version(name) for name in distributions}
    print(json.dumps(versions), file=out, flush=True)
    for line in sys.stdin:
        reference, current = json.loads(line)
        print(json.dumps(alarms(reference, current)), file=out, flush=True)
