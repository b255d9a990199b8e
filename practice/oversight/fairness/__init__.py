"""The audit of fairness: whom it counts, what it found, and its words."""
