"""Servers that tests start, ask and end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import httpx

from leadline import Profile, merge
from leadline.snapshot import read

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "serving"
UVICORN = ("uvicorn", "--fd", "{fd}", "--log-level", "warning")
GUNICORN = ("gunicorn", "--bind", "fd://{fd}", "--log-level", "warning", "--no-control-socket")


class Server:
    """A server in a process of its own, on a socket that listens before it does.

    Parameters
    ----------
    command
        Module to run and its arguments; ``{fd}`` stands for the socket.
    folder
        Where the code lies.
    environment
        What is added to the environment.
    """

    def __init__(self, command: Sequence[str], folder: Path, **environment: str) -> None:
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen(64)
            # Inherited by connections; a server that is given a socket does not set it.
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            fd = listening.fileno()
            self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            self._process = subprocess.Popen(
                [sys.executable, "-m", *(each.format(fd=fd) for each in command)],
                cwd=folder,
                env=os.environ | environment,
                pass_fds=[fd],
                stderr=subprocess.PIPE,
                text=True,
            )

    def __enter__(self) -> Self:
        return self

    def client(self) -> httpx.Client:
        """A connection of its own, which waits until the server has begun."""
        return httpx.Client(base_url=self.url, timeout=60)

    def end(self) -> str:
        """Tell the server to end, and see what it complained of."""
        self._process.send_signal(signal.SIGTERM)
        _, errors = self._process.communicate(timeout=60)
        assert self._process.returncode in {0, -signal.SIGTERM}, errors
        return errors

    def __exit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
            _, errors = self._process.communicate()
            print(errors)  # noqa: T201 (shown if the test failed)


def profile_of(folder: Path) -> Profile:
    """What all processes together have written."""
    return merge(read(path) for path in sorted(folder.glob("*.lead")))


def wait_until(what: object, seconds: float = 30.0) -> None:
    """Wait for a condition, which is a callable without arguments."""
    assert callable(what)
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
