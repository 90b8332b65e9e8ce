"""The command in a process that dies at a chosen call of the system, as if it were killed there."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

CALLS = ("open", "write", "fsync", "replace", "unlink", "truncate", "ftruncate")


def run(arguments: Sequence[str], place: int, report: str) -> None:
    """Run the command, with a checkpoint after every unit, and die at a call.

    Parameters
    ----------
    arguments
        Of the command.
    place
        Number of the call before which it dies, from 0; -1 lets the command end.
    report
        File that gets the exit code and the number of calls, if the command ends.
    """
    from leadline.cli import main
    from leadline.scan import checkpoint

    checkpoint.INTERVAL, checkpoint.COSTS = 0.0, 0
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    count = 0

    def dying(call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*values: Any, **options: Any) -> Any:
            nonlocal count
            if count == place:
                os.kill(os.getpid(), signal.SIGKILL)
            count += 1
            return call(*values, **options)

        return counted

    for name in CALLS:
        setattr(os, name, dying(getattr(os, name)))
    code = main(list(arguments))
    Path(report).write_text(f"{code} {count}")
    sys.exit(0)
