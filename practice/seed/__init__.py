"""Believable invented worlds: the demo clinic, and worlds of any size for measuring."""
