"""Where inputs live: files found by path, folder or glob, named, and opened for reading."""

from .base import Location
from .find import find, lineage_names
from .local import LocalFile
from .remote import REQUESTS
from .stream import Stream

__all__ = ["REQUESTS", "LocalFile", "Location", "Stream", "find", "lineage_names"]
