"""Headers of every answer: a strict content policy, no referrer, private pages not kept."""

from flask import Flask, Response, request

from core.config import Settings, current_settings


def install(app: Flask) -> None:
    app.after_request(_add_headers)


def _add_headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", _content_policy())
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "geolocation=(), camera=(), microphone=(), browsing-topics=()"
    if request.endpoint != "static":
        headers.setdefault("Cache-Control", "no-store")
    if _settings().served_over_tls:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return response


def _content_policy() -> str:
    # The payment page answers the form that asks for it with a redirect, so form-action names it.
    payment_page = _settings().stripe_api_base or "https://checkout.stripe.com"
    return "; ".join(
        (
            "default-src 'none'",
            "style-src 'self'",
            "script-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            f"form-action 'self' {payment_page}",
        )
    )


def _settings() -> Settings:
    return current_settings()
