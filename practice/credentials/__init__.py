"""Checks and decisions: who looked where, and what was decided."""
