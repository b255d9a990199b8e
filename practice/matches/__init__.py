"""Rows to the engine and back: proposals, requests and answers."""
