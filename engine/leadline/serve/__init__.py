"""Rows of a running service -> journals, status, verdicts, metrics."""
