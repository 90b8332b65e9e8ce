"""Where inputs live: files found by path, folder or glob, named, and opened for reading."""

from .base import Location
from .find import find, lineage_names, path_on_disk
from .local import LocalFile
from .remote import REQUESTS, scheme_of, shown
from .stream import Stream

__all__ = [
    "REQUESTS",
    "LocalFile",
    "Location",
    "Stream",
    "find",
    "lineage_names",
    "path_on_disk",
    "scheme_of",
    "shown",
]
