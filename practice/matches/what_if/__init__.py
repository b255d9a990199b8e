"""Trying other wishes before anything is kept."""
