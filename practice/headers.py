"""Headers of every answer: a strict content policy, no referrer, private pages not kept.

Each is tested on every route by tests/journeys/test_every_answer.py.
"""

import secrets

from flask import Flask, Response, g, request

from core.config import current_settings

TWO_YEARS = 2 * 365 * 24 * 60 * 60
STRIPE_CHECKOUT = "https://checkout.stripe.com"
# What no page of ours asks a browser for. Passkeys are asked for by our own pages alone.
PERMISSIONS = ", ".join(
    [
        *(f"{feature}=()" for feature in (
            "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media",
            "fullscreen", "geolocation", "gyroscope", "magnetometer", "microphone", "midi",
            "payment", "picture-in-picture", "screen-wake-lock", "usb", "xr-spatial-tracking",
            "browsing-topics",
        )),
        "publickey-credentials-get=(self)",
        "publickey-credentials-create=(self)",
    ]
)  # fmt: skip
SAME_FOR_ALL = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS,
}
# After these, "back" must find nothing: browsers drop the pages they keep, shown or not.
ENDS_A_VISIT = frozenset({"accounts.sign_out", "accounts.end_every_browser"})


def install(app: Flask) -> None:
    app.after_request(_add_headers)
    app.context_processor(lambda: {"csp_nonce": script_nonce})


def script_nonce() -> str:
    """What a script element of this answer carries; another one for each answer."""
    if "script_nonce" not in g:
        g.script_nonce = secrets.token_urlsafe(16)
    return str(g.script_nonce)


def let_forms_lead_to_payment() -> None:
    """This page has the button that leads to the payment page, so its policy names that page."""
    g.leads_to_payment = True


def _add_headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", _content_policy())
    headers.update(SAME_FOR_ALL)
    if request.endpoint != "static":
        headers.setdefault("Cache-Control", "no-store")
    if request.endpoint in ENDS_A_VISIT:
        headers["Clear-Site-Data"] = '"cache"'
    if current_settings().served_over_tls:
        headers["Strict-Transport-Security"] = f"max-age={TWO_YEARS}; includeSubDomains"
    return response


def _content_policy() -> str:
    directives = [
        "default-src 'none'",
        f"script-src 'nonce-{script_nonce()}'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        f"form-action {_where_forms_lead()}",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
    if current_settings().served_over_tls:
        directives.append("upgrade-insecure-requests")
    return "; ".join(directives)


def _where_forms_lead() -> str:
    """The payment page answers the form that asks for it with a redirect, so it is named there."""
    if not g.get("leads_to_payment"):
        return "'self'"
    return f"'self' {current_settings().stripe_api_base or STRIPE_CHECKOUT}"
