"""The headers of every answer, on every address, read or sent.

A cookie that names a domain is caught by the front of its name, `__Host-`, behind TLS.
"""

import re
from dataclasses import replace
from typing import Any

import pytest

from core.request_ids import HEADER
from practice.headers import SAME_FOR_ALL
from tests.journeys.street import VISITOR
from tests.journeys.test_private_pages import (
    MAY_SEND,
    OPEN_TO,
    Walk,
    audience_of,
    bank,
    walk,
)

__all__ = ["bank", "walk"]

NONCE = re.compile(r"script-src 'nonce-[A-Za-z0-9_-]{22}'(;|$)")
ALWAYS = (
    "default-src 'none'",
    "style-src 'self'",
    "connect-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
)
# Public texts may be kept, each under the name of its content.
MAY_BE_KEPT = {"styles.sheet", "static"}
OURS_ALONE = {"HttpOnly", "SameSite=Lax", "Path=/"}
FEWEST_ADDRESSES = 50
LEADS_TO_PAYMENT = "groups.enrolment"


@pytest.fixture
def over_tls(walk: Walk) -> Walk:
    settings = walk.app.extensions["settings"]
    walk.app.extensions["settings"] = replace(settings, base_url="https://localhost")
    yield walk
    walk.app.extensions["settings"] = settings


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_answer_carries_them_all_whether_it_opens_or_turns_away(
    over_tls: Walk, method: str
) -> None:
    table = OPEN_TO if method == "GET" else MAY_SEND
    for endpoint, thing, address in over_tls.addresses(method):
        for name in (VISITOR, *sorted(audience_of(table, endpoint, thing))[-1:]):
            answer = over_tls.ask(name, address, method)
            missing = [*faults_of(answer, endpoint), *faults_of_cookies(answer)]
            assert missing == [], f"{method} {address} for {name}: {missing}"
    assert over_tls.requests > 2 * FEWEST_ADDRESSES


def faults_of(answer: Any, endpoint: str) -> list[str]:
    """What an answer lacks, in words."""
    policy, headers = answer.headers["Content-Security-Policy"], answer.headers
    parts = {part.strip() for part in policy.split(";")}
    faults = [part for part in (*ALWAYS, "upgrade-insecure-requests") if part not in parts]
    faults += [name for name, value in SAME_FOR_ALL.items() if headers.get(name) != value]
    if not NONCE.search(policy) or "unsafe" in policy:
        faults.append("script-src")
    if endpoint != LEADS_TO_PAYMENT and "form-action 'self'" not in parts:
        faults.append("form-action")
    if endpoint not in MAY_BE_KEPT and "no-store" not in headers.get("Cache-Control", ""):
        faults.append("Cache-Control")
    if not headers.get("Strict-Transport-Security", "").startswith("max-age=63072000"):
        faults.append("Strict-Transport-Security")
    if not re.fullmatch(r"[0-9a-f]{16}", headers.get(HEADER, "")):
        faults.append(HEADER)
    return faults


def faults_of_cookies(answer: Any) -> list[str]:
    """Cookies that a script, another site or a neighbouring host could get at."""
    # One that is taken away holds nothing.
    cookies = [one for one in answer.headers.getlist("Set-Cookie") if "Max-Age=0" not in one]
    return [one for one in cookies if not {part.strip() for part in one.split(";")} >= OURS_ALONE]
