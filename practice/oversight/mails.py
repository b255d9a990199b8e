"""Showing the demo's mails: text with its addresses made into links."""

import re
from dataclasses import dataclass

ADDRESS = re.compile(r"(https?://[^\s<>\"]+)")


@dataclass(frozen=True)
class Piece:
    text: str
    is_address: bool


def pieces(body: str) -> list[Piece]:
    """The text cut at its web addresses, in order; together they are the text."""
    parts = ADDRESS.split(body)
    return [Piece(text, n % 2 == 1) for n, text in enumerate(parts) if text]
