"""Inside a running service: rows to windows, windows to snapshot files, verdicts and metrics."""

from .monitor import Monitor
from .status import Status

__all__ = ["Monitor", "Status"]
