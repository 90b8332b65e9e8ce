"""Profiles and comparisons as tables for a terminal and as JSON."""
