"""A cookie is believed only as we signed it, and it holds nothing about a person."""

import base64
import hashlib
import zlib

import pytest
from flask.sessions import TaggedJSONSerializer
from itsdangerous import URLSafeTimedSerializer

from practice.cookies import SignedCookies
from tests.builders.accounts import make_client, sign_in

NAME = "attune"


@pytest.fixture
def signed_in(session, http):
    """A client who is signed in, with the value of their cookie."""
    client = make_client(session, preferred_name="Samantha")
    sign_in(http, client.user)
    assert http.get("/account").status_code == 200
    return client, http.get_cookie(NAME).value


def opens(http, value: str) -> bool:
    http.set_cookie(NAME, value)
    return http.get("/account").status_code == 200


def other_hand(app, *, key: str | None = None, digest=hashlib.sha256) -> URLSafeTimedSerializer:
    """Somebody who signs cookies of the same form, but not quite as we do."""
    return URLSafeTimedSerializer(
        key or app.secret_key,
        salt=SignedCookies.salt,
        serializer=TaggedJSONSerializer(),
        signer_kwargs={"key_derivation": "hmac", "digest_method": digest},
    )


def test_a_cookie_that_was_changed_is_no_cookie(http, signed_in):
    _, value = signed_in
    content, _, rest = value.lstrip(".").partition(".")
    letter = "A" if content[5] != "A" else "B"
    assert opens(http, value)
    assert not opens(http, f"{content[:5]}{letter}{content[6:]}.{rest}")


def test_a_cookie_signed_by_somebody_else_is_no_cookie(app, http, signed_in):
    _, value = signed_in
    content = other_hand(app).loads(value)
    assert opens(http, other_hand(app).dumps(content))
    assert not opens(http, other_hand(app, key="a key of their own").dumps(content))


@pytest.mark.parametrize("digest", [hashlib.sha1, hashlib.md5, hashlib.sha512])
def test_a_cookie_signed_by_another_algorithm_is_no_cookie(app, http, signed_in, digest):
    _, value = signed_in
    content = other_hand(app).loads(value)
    assert not opens(http, other_hand(app, digest=digest).dumps(content))


def test_a_cookie_without_a_signature_is_no_cookie(http, signed_in):
    _, value = signed_in
    content = value.rpartition(".")[0]
    for unsigned in (content, f"{content}.", content.rpartition(".")[0]):
        assert not opens(http, unsigned)


def test_a_cookie_names_nobody(signed_in):
    client, value = signed_in
    held = content_of(value).lower()
    for told in (client.user.email, "samantha", str(client.public_id), str(client.user.public_id)):
        assert told.lower() not in held


def content_of(value: str) -> str:
    text = value.lstrip(".").split(".")[0]
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return (zlib.decompress(raw) if value.startswith(".") else raw).decode()
