"""Structured logs that cannot hold health data: only fields on this list are ever written."""

import json
import logging
from typing import Any

ALLOWED_FIELDS = frozenset(
    (
        "event request_id method route status milliseconds kind attempts error count worker port"
    ).split()
)

_logger = logging.getLogger("attune")


class FieldNotAllowed(ValueError):
    """A field that the allow-list does not know was about to be logged."""


def log(event: str, **fields: Any) -> None:
    """Write one line of JSON; raises FieldNotAllowed for a field outside ALLOWED_FIELDS."""
    unknown = fields.keys() - ALLOWED_FIELDS
    if unknown:
        raise FieldNotAllowed(", ".join(sorted(unknown)))
    _logger.info(json.dumps({"event": event, **fields}, default=str))
