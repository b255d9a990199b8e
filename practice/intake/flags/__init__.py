"""Risk flags, from being raised to their outcome."""
