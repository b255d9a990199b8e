"""Addresses that people write for others to press: whole https addresses, or else only text."""

from urllib.parse import urlsplit

from wtforms import Field, Form, ValidationError


class WebAddress:
    """A field that is empty or an address one may press."""

    def __call__(self, _form: Form, field: Field) -> None:
        if field.data and not is_web_address(field.data):
            raise ValidationError("Please write a link that begins with https://.")


def is_web_address(text: str) -> bool:
    """Whether `text` is one https address: a browser would run `javascript:` as our own page."""
    if not text.startswith("https://") or any(each <= " " for each in text):
        return False
    try:
        return bool(urlsplit(text).hostname)
    except ValueError:
        return False
