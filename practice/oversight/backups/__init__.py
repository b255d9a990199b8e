"""Backups as the console and the command line make them."""
