"""Policies: rules and thresholds in a file, inferred from a reference, enforced on a profile."""

from .checking import Check, check
from .inference import infer
from .judging import Outcome, Status
from .policy import Policy, Rule, Section, Segment, Settings, Severity

__all__ = [
    "Check",
    "Outcome",
    "Policy",
    "Rule",
    "Section",
    "Segment",
    "Settings",
    "Severity",
    "Status",
    "check",
    "infer",
]
