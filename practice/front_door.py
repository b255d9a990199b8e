"""Under which names we answer, and from where a request may change something.

Two walls beside others: links and mails are made from BASE_URL whatever a request claims, and every
form carries a token. These hold if one of those is ever forgotten.
"""

from urllib.parse import urlsplit

from flask import Flask, abort, request

from core.config import current_settings

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# A probe asks by the machine's address; it learns that all is well and nothing else.
ANSWERS_TO_ANY_NAME = frozenset({"today.health"})
# Called by the payment company's machines, which sign what they send.
FROM_ELSEWHERE = frozenset({"payments.webhook"})
READS = frozenset({"GET", "HEAD", "OPTIONS"})
OURS = frozenset({"same-origin", "none"})


def install(app: Flask) -> None:
    app.before_request(refuse_foreign_names)
    app.before_request(refuse_what_other_sites_send)


def refuse_foreign_names() -> None:
    if request.endpoint not in ANSWERS_TO_ANY_NAME and not _is_ours(_asked_for()):
        abort(400)


def refuse_what_other_sites_send() -> None:
    """Browsers say where a request comes from (Fetch Metadata, W3C); ours come from our pages."""
    if request.method in READS or request.endpoint in FROM_ELSEWHERE:
        return
    if not _comes_from_us():
        abort(403)


def _asked_for() -> str:
    """The host's name without its port; empty if it is not even a name."""
    try:
        return urlsplit(f"//{request.environ.get('HTTP_HOST', '')}").hostname or ""
    except ValueError:
        return ""


def _is_ours(host: str) -> bool:
    return host in LOOPBACK or host == urlsplit(current_settings().base_url).hostname


def _comes_from_us() -> bool:
    """Older browsers say no site, and "null" as the origin, because we send no referrer."""
    if site := request.headers.get("Sec-Fetch-Site"):
        return site in OURS
    origin = request.headers.get("Origin", "null")
    return origin == "null" or _is_our_origin(origin)


def _is_our_origin(origin: str) -> bool:
    own = f"{request.scheme}://{request.environ.get('HTTP_HOST', '')}"
    return origin in {own, current_settings().base_url}
