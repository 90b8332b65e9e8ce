"""Processes that write journals on a disk that fails, as `faults/faults.c` makes it fail.

One process waits with everything imported and forks a child for every run, which takes some
milliseconds instead of a second. Run as a module this is that process; tests use `Faults`.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Self

SOURCE = Path(__file__).parent / "faults" / "faults.c"


class Control(ctypes.Structure):
    """What goes wrong, as both sides see it: `struct control` of faults.c.

    Behind it stands how many rows a child has had acknowledged. Each number is stored at once,
    which `struct.pack_into` does not do: it first makes them zero, and a kill comes between.
    """

    _fields_ = tuple(
        (name, ctypes.c_int64)
        for name in (
            "calls", "die_at", "torn", "budget", "write_error", "sync_error", "change_error",
            "stall_us", "unsynced", "unsynced_names", "early", "acknowledged",
        )
    )  # fmt: skip

    @classmethod
    def of(cls, path: Path) -> Control:
        """The numbers in a file of one page."""
        with path.open("r+b") as file:
            return cls.from_buffer(mmap.mmap(file.fileno(), mmap.PAGESIZE))

    def reset(self) -> None:
        """Nothing goes wrong."""
        for name, _ in self._fields_:
            setattr(self, name, -1 if name in ("die_at", "budget") else 0)


class Faults:
    """Runs scenarios in children of a process whose disk fails.

    Parameters
    ----------
    base
        Folder in which the disk fails, and beside which the compiled library lies.
    """

    def __init__(self, base: Path) -> None:
        self.base = base / "disk"
        self.base.mkdir()
        library, page = base / "faults.so", base / "control"
        command = [os.environ.get("CC", "cc"), "-std=c11", "-O1", "-shared", "-fPIC"]
        subprocess.run([*command, str(SOURCE), "-o", str(library), "-ldl"], check=True)
        page.write_bytes(bytes(mmap.PAGESIZE))
        self.control = Control.of(page)
        self.control.reset()
        preload = " ".join(filter(None, [os.environ.get("LD_PRELOAD"), str(library)]))
        environment = {
            **os.environ,
            "LD_PRELOAD": preload,
            "LEADLINE_FAULTS": str(page),
            "LEADLINE_FAULTS_FOLDER": str(self.base),
            "PYTHONPATH": os.pathsep.join([str(SOURCE.parent), *sys.path]),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faulting", str(page)],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(
        self, scenario: str, folder: Path, first: int = 0, kill_after: float | None = None
    ) -> int:
        """Run one function of `faults/scenarios.py`; the child's exit code, as Python says it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        for name in ("calls", "unsynced", "unsynced_names", "early", "acknowledged"):
            setattr(self.control, name, 0)
        asked = [scenario, str(folder), first, kill_after]
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def _child(scenario: str, folder: Path, first: int, control: Control) -> None:
    import scenarios

    code = 1
    try:
        os.dup2(2, 1)
        getattr(scenarios, scenario)(folder, control, first)
        code = 0
    except BaseException:  # noqa: BLE001 (the exit code says it)
        traceback.print_exc()
    finally:
        os._exit(code)


def serve(page: Path) -> None:
    """Fork a child for every line that comes."""
    import scenarios

    control = Control.of(page)
    scenarios.sync_works(page.parent / "first", control, 0)  # loads what is loaded late
    for line in sys.stdin:
        scenario, folder, first, kill_after = json.loads(line)
        child = os.fork()
        if child == 0:
            _child(scenario, Path(folder), first, control)
        if kill_after is not None:
            time.sleep(kill_after)
            os.kill(child, signal.SIGKILL)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)  # noqa: T201


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
