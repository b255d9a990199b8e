"""Which page of a list an address asks for."""

from flask import request

# Far behind the end of any list, and a row number that both databases can count to.
LAST_PAGE = 1_000_000


def page_number() -> int:
    """`?page=`, at least 1 and at most LAST_PAGE; 1 for whatever is no number."""
    text = request.args.get("page", "")
    if not (text.isascii() and text.isdecimal()):
        return 1
    return min(max(1, int(text)), LAST_PAGE) if len(text) < 12 else LAST_PAGE
