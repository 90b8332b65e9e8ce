"""Archives and objects -> profiles: in parallel, in order, in bounded memory."""

from .run import Progress, profile

__all__ = ["Progress", "profile"]
