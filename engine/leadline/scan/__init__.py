"""Archives and objects -> profiles: in parallel, in order, in bounded memory."""

from .checkpoint import Checkpoint
from .options import Progress, prepare
from .run import profile, scan

__all__ = ["Checkpoint", "Progress", "prepare", "profile", "scan"]
