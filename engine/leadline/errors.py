"""Every exception that Leadline raises on purpose, under one root."""

from __future__ import annotations


class LeadlineError(Exception):
    """Root of all errors raised on purpose; a message says what, where and what to do."""


class InputError(LeadlineError):
    """The data, a path or an argument cannot be used as asked."""


class SchemaConflictError(InputError):
    """Two inputs give one column types that cannot be widened to a common one."""


class SnapshotError(LeadlineError):
    """A snapshot is damaged, of another version, or holds contradictory states."""


class ComparisonError(LeadlineError):
    """Two profiles cannot be compared or merged as asked."""


class PolicyError(LeadlineError):
    """A policy is not well formed, contradicts itself, or asks for what is not there."""
