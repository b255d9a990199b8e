"""The home page and the start of everybody's day."""
