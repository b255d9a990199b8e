"""Measurements against a baseline in the same run; each prints a table, or JSON with --json."""
