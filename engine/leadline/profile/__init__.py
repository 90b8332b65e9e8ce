"""The fixed-memory summary of a table: columns, cells (window x segment) and the merge laws."""

from .cells import NULL_WINDOW, Cell, Window
from .column import ColumnProfile, ColumnState
from .custom import CustomSummary
from .profile import Profile
from .provenance import Continuation, LineageEntry, SchemaEvent, Settings

__all__ = [
    "NULL_WINDOW",
    "Cell",
    "ColumnProfile",
    "ColumnState",
    "Continuation",
    "CustomSummary",
    "LineageEntry",
    "Profile",
    "SchemaEvent",
    "Settings",
    "Window",
]
