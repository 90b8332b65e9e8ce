"""Where inputs live: files found by path, folder or glob, named, and opened for reading."""

from .base import Location
from .local import LocalFile, local_files

__all__ = ["LocalFile", "Location", "local_files"]
