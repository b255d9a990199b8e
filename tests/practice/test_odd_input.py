"""Whatever is typed or asked for, no page answers with an error of ours."""

import re

import pytest
from flask import url_for

from practice.accounts.models import Role
from practice.intake.pages import KEYS
from practice.therapists.sections import SECTIONS
from tests.builders.accounts import make_client, make_user, sign_in
from tests.builders.therapists import make_therapist

ODD = {
    "a NUL": "a\0b",
    "a long number": "9" * 400,
    "a negative number": "-99999999999999999999",
    "a long text": "ὐ" * 3_000,
    "half a character": "\ud83d",
    "no number": "sNaN",
    "other digits": "٣²",
    "a date that is none": "2026-02-30",
}
LISTS_TAKE = (
    "page place concern language format most kind topic limit name next for adult back therapist"
).split()
# Addresses with a word in them: each of the words that mean something, and one that does not.
WORDS = {
    "therapists.edit": [*(section.key for section in SECTIONS), "a\0b"],
    "intake.question": [*KEYS, "a\0b"],
}
PEOPLE = {
    "a visitor": lambda session: None,
    "a client": lambda session: make_client(session).user,
    "a therapist": lambda session: make_therapist(session).user,
    "everything else": lambda session: make_user(
        session, roles=[role for role in Role if role not in {Role.client, Role.therapist}]
    ),
}


@pytest.mark.parametrize("person", PEOPLE)
def test_odd_input_is_answered_kindly(app, http, session, person):
    if (user := PEOPLE[person](session)) is not None:
        sign_in(http, user)
    failed = []
    for address, posts in addresses(app):
        names = fields_of(http, address)
        for what, value in ODD.items():
            data = dict.fromkeys(names, value.encode("utf-8", "surrogatepass"))
            shorter = dict.fromkeys(LISTS_TAKE, data["page"][:400])
            if http.get(address, query_string=shorter).status_code >= 500:
                failed.append(f"GET {address}: {what}")
            if posts and http.post(address, data=data).status_code >= 500:
                failed.append(f"POST {address}: {what}")
    assert failed == []


def addresses(app):
    """Every address that names nobody, and whether it takes a POST."""
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if rule.endpoint in {"static", "payments.webhook"} or "uuid" in rule.rule:
                continue
            for word in WORDS.get(rule.endpoint, ["a\0b"]):
                yield (
                    url_for(rule.endpoint, **dict.fromkeys(rule.arguments, word)),
                    "POST" in rule.methods,
                )


def fields_of(http, address):
    """What the page of this address asks for."""
    return {*re.findall(r'name="([^"]+)"', http.get(address).text), "page"} - {"csrf_token"}
