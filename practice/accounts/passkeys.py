"""Passkeys (WebAuthn Level 3): what a browser is asked for, and whether its answer holds.

The authenticator must know its owner (a PIN, a finger, a face): such a passkey is two factors in
one. The site is the host of BASE_URL, never what a request claims.
"""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from core.config import Settings
from core.errors import Refusal
from practice.accounts.models import Passkey, User

TIMEOUT_MILLISECONDS = 300_000
LONGEST_ANSWER = 16_384
TRANSPORTS = {one.value: one for one in AuthenticatorTransport}


class PasskeyRefused(Refusal):
    message = "That passkey did not work here. Please try again, or use another way."


@dataclass(frozen=True)
class NewKey:
    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: list[str]


@dataclass(frozen=True)
class UsedKey:
    """A passkey whose answer was right: its row, the count kept so far, and the one it showed."""

    row: int
    kept_count: int
    shown_count: int


def registration_options(
    settings: Settings, user: User, challenge: bytes, known: list[Passkey]
) -> dict[str, Any]:
    """What navigator.credentials.create() is given, as JSON values."""
    options = generate_registration_options(
        rp_id=site(settings),
        rp_name=settings.organisation,
        user_id=user.public_id.bytes,
        user_name=user.email,
        user_display_name=user.name or user.email,
        challenge=challenge,
        timeout=TIMEOUT_MILLISECONDS,
        exclude_credentials=_descriptors(known),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
    )
    return _as_json(options)


def authentication_options(
    settings: Settings, challenge: bytes, known: list[Passkey]
) -> dict[str, Any]:
    """What navigator.credentials.get() is given; `known` is empty when nobody is named yet."""
    options = generate_authentication_options(
        rp_id=site(settings),
        challenge=challenge,
        timeout=TIMEOUT_MILLISECONDS,
        allow_credentials=_descriptors(known) or None,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return _as_json(options)


def verified_new(settings: Settings, answer: dict[str, Any], challenge: bytes) -> NewKey:
    """The new public key; raises PasskeyRefused."""
    try:
        verified = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site(settings),
            expected_origin=origin(settings),
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise PasskeyRefused from None
    return NewKey(
        verified.credential_id,
        verified.credential_public_key,
        verified.sign_count,
        _transports(answer),
    )


def verified_use(
    settings: Settings, answer: dict[str, Any], challenge: bytes, passkey: Passkey
) -> UsedKey:
    """What is to be noted of this use; raises PasskeyRefused, also for a count that went back.

    A count that does not grow means that there are two copies of the key (§6.1.1); authenticators
    that do not count say 0 each time.
    """
    try:
        verified = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site(settings),
            expected_origin=origin(settings),
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise PasskeyRefused from None
    return UsedKey(passkey.id, passkey.sign_count, verified.new_sign_count)


def parsed(text: str) -> dict[str, Any]:
    """The JSON of a credential as the browser sent it; raises PasskeyRefused."""
    try:
        answer = json.loads(text) if len(text) <= LONGEST_ANSWER else None
    except (ValueError, RecursionError):
        raise PasskeyRefused from None
    if not isinstance(answer, dict) or not isinstance(answer.get("response"), dict):
        raise PasskeyRefused
    return answer


def challenge_of(answer: dict[str, Any]) -> bytes:
    """Which challenge the browser says it answers; whether it was signed is seen afterwards."""
    try:
        data = json.loads(_bytes(answer["response"].get("clientDataJSON")))
    except (ValueError, RecursionError):
        return b""
    return _bytes(data.get("challenge")) if isinstance(data, dict) else b""


def credential_id_of(answer: dict[str, Any]) -> bytes:
    return _bytes(answer.get("rawId"))


def handle_of(answer: dict[str, Any]) -> bytes:
    """Whose key the authenticator says this is: the bytes of a public id."""
    return _bytes(answer["response"].get("userHandle"))


def site(settings: Settings) -> str:
    return urlsplit(settings.base_url).hostname or ""


def origin(settings: Settings) -> str:
    parts = urlsplit(settings.base_url)
    return f"{parts.scheme}://{parts.netloc}"


def _descriptors(known: list[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    """With how each key is reached (§5.8.3), so that a browser need not ask for all of them."""
    return [
        PublicKeyCredentialDescriptor(
            id=passkey.credential_id,
            transports=[TRANSPORTS[one] for one in passkey.transports if one in TRANSPORTS],
        )
        for passkey in known
    ]


def _transports(answer: dict[str, Any]) -> list[str]:
    named = answer["response"].get("transports") or []
    return [str(one)[:20] for one in named[:6]] if isinstance(named, list) else []


def _bytes(text: object) -> bytes:
    try:
        return base64url_to_bytes(text) if isinstance(text, str) else b""
    except ValueError:
        return b""


def _as_json(options: Any) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(options_to_json(options))
    return values
