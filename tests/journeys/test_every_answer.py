"""The headers of every answer, on every address, for everybody, read or sent."""

import re
from dataclasses import replace
from typing import Any

import pytest

from core.request_ids import HEADER
from practice.headers import SAME_FOR_ALL
from tests.journeys.test_private_pages import ALL, FEWEST_REQUESTS, Walk, bank, walk

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
LEADS_TO_PAYMENT = "groups.enrolment"


@pytest.fixture
def over_tls(walk: Walk) -> Walk:
    settings = walk.app.extensions["settings"]
    walk.app.extensions["settings"] = replace(settings, base_url="https://localhost")
    yield walk
    walk.app.extensions["settings"] = settings


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_answer_to_everybody_carries_them_all(over_tls: Walk, method: str) -> None:
    for endpoint, _thing, address in over_tls.addresses(method):
        for name in sorted(ALL):
            answer = over_tls.ask(name, address, method)
            missing = [*faults_of(answer, endpoint)]
            assert missing == [], f"{method} {address} for {name}: {missing}"
    assert over_tls.requests > FEWEST_REQUESTS // 2


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


def test_every_cookie_is_out_of_reach_of_scripts_and_of_other_sites(over_tls: Walk) -> None:
    seen = 0
    for _endpoint, _thing, address in over_tls.addresses("GET"):
        for name in ("a visitor", "ann", "rosa", "ines"):
            for cookie in over_tls.ask(name, address).headers.getlist("Set-Cookie"):
                parts = {part.strip() for part in cookie.split(";")}
                assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= parts, (address, cookie)
                assert not any(part.startswith("Domain") for part in parts), (address, cookie)
                seen += 1
    assert seen
