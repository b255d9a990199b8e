"""A reference for each request: said on its error page, in its log lines and in its answer."""

import re
import secrets

from flask import request

from core.config import current_settings

HEADER = "X-Request-Id"
SHAPE = re.compile(r"[0-9a-f]{16,32}")

_KEPT_UNDER = "attune.request_id"


def request_id() -> str:
    """The reference of the running request, the same however often it is asked for.

    Random, unless a proxy of ours gave one: lower-case hex, 16 to 32 digits. Anything else that
    came in from outside is ignored, so that nobody can write into a log.
    """
    known = request.environ.get(_KEPT_UNDER)
    if known is None:
        known = _given_by_a_proxy() or secrets.token_hex(8)
        request.environ[_KEPT_UNDER] = known
    return str(known)


def _given_by_a_proxy() -> str:
    given = request.headers.get(HEADER, "")
    trusted = current_settings().trusted_proxies > 0
    return given if trusted and SHAPE.fullmatch(given) else ""
