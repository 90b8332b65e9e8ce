"""The fixed-memory summary of a table: columns, cells (window x segment) and the merge laws."""

from .column import ColumnProfile, ColumnState
from .profile import (
    NULL_WINDOW,
    Cell,
    LineageEntry,
    Profile,
    SchemaEvent,
    Settings,
    Window,
)

__all__ = [
    "NULL_WINDOW",
    "Cell",
    "ColumnProfile",
    "ColumnState",
    "LineageEntry",
    "Profile",
    "SchemaEvent",
    "Settings",
    "Window",
]
