"""Leadline: mergeable profiles of ML model logs, and comparisons that know their own error.

>>> import leadline as ll
>>> reference = ll.profile({"age": [31, 44, 25, 44]})
>>> reference["age"].mean
36.0
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .compare import (
        ColumnComparison,
        Comparison,
        CustomStatistic,
        Limits,
        Thresholds,
        compare,
    )
    from .errors import (
        ComparisonError,
        InputError,
        LeadlineError,
        PolicyError,
        SchemaConflictError,
        SnapshotError,
    )
    from .estimate import Estimate
    from .policy import Check, Policy, check, infer
    from .profile import ColumnProfile, CustomSummary, Profile, Window
    from .profile.profile import merge
    from .scan import profile
    from .serve import Monitor, Status
    from .snapshot import read
    from .trend import Look, Trend, look, trend

_HOMES = {
    "Check": "policy",
    "ColumnComparison": "compare",
    "ColumnProfile": "profile",
    "Comparison": "compare",
    "ComparisonError": "errors",
    "CustomStatistic": "compare",
    "CustomSummary": "profile",
    "Estimate": "estimate",
    "InputError": "errors",
    "LeadlineError": "errors",
    "Limits": "compare",
    "Look": "trend",
    "Monitor": "serve",
    "Policy": "policy",
    "PolicyError": "errors",
    "Profile": "profile",
    "SchemaConflictError": "errors",
    "SnapshotError": "errors",
    "Status": "serve",
    "Thresholds": "compare",
    "Trend": "trend",
    "Window": "profile",
    "check": "policy",
    "compare": "compare",
    "infer": "policy",
    "look": "trend",
    "merge": "profile.profile",
    "profile": "scan",
    "read": "snapshot",
    "trend": "trend",
}

__all__ = [
    "Check",
    "ColumnComparison",
    "ColumnProfile",
    "Comparison",
    "ComparisonError",
    "CustomStatistic",
    "CustomSummary",
    "Estimate",
    "InputError",
    "LeadlineError",
    "Limits",
    "Look",
    "Monitor",
    "Policy",
    "PolicyError",
    "Profile",
    "SchemaConflictError",
    "SnapshotError",
    "Status",
    "Thresholds",
    "Trend",
    "Window",
    "__version__",
    "check",
    "compare",
    "infer",
    "look",
    "merge",
    "profile",
    "read",
    "trend",
]


class _Package(ModuleType):
    """This package; loads what is asked for, so that `leadline --help` imports no NumPy.

    The functions ``profile`` and ``compare`` share their names with two folders of the package.
    The import system would put a folder's module in the function's place; here the function stays.
    """

    def __getattr__(self, name: str) -> Any:
        if name == "__version__":
            from importlib import metadata

            return metadata.version("leadline")
        if name not in _HOMES:
            raise AttributeError(f"module 'leadline' has no attribute {name!r}")
        value = getattr(import_module(f"leadline.{_HOMES[name]}"), name)
        super().__setattr__(name, value)
        return value

    def __setattr__(self, name: str, value: object) -> None:
        if not (isinstance(value, ModuleType) and name in _HOMES):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return __all__

    def __reduce__(self) -> tuple[Any, ...]:
        # Ray, Spark and MLflow send functions with the modules that they use. What they know to be
        # sent by its name is a module of exactly that class.
        return import_module, (__name__,)


sys.modules[__name__].__class__ = _Package
