"""Nothing typed is lost: a form that came too late is kept, sealed, until its owner is back.

The database holds the ciphertext for half an hour; the key is in a cookie of that one browser and
nowhere else, so neither a copy of the database nor another browser of the same person opens it.
"""

import base64
import binascii
import json
import os
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import after_this_request, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.clock import now
from core.config import current_settings
from core.database import db, unit_of_work
from core.errors import NotFound
from practice.accounts.models import KeptForm, User

KEPT_FOR = timedelta(minutes=30)
MOST_KEPT = 5
LARGEST = 256 * 1024
KEY_BYTES, NONCE_BYTES = 32, 12
# Secrets are typed again, and tokens are fresh ones.
NEVER_KEPT = frozenset({"csrf_token", "password", "current_password", "code", "credential"})

# Sent by a script or by a button that only ends something: nobody would want to send it later.
NOTHING_TYPED = frozenset(
    "accounts.stay accounts.sign_out accounts.end_browser accounts.end_other_browsers "
    "accounts.end_every_browser accounts.passkey_options accounts.new_passkey_options".split()
)

Values = list[tuple[str, str]]


@dataclass(frozen=True)
class Typed:
    """A form: where it was sent ("" for what is only to be read), its fields in their order."""

    path: str
    values: Values


def keep_request(user: User) -> str:
    """Keep what this request brought; returns the path where its owner finds it again, or ""."""
    if request.endpoint in NOTHING_TYPED:
        return ""
    typed = Typed(request.full_path.rstrip("?"), _values_of_request())
    if sum(len(value) for _, value in typed.values) > LARGEST:
        return ""
    return url_for("accounts.kept", kept=keep_here(user, typed))


def keep_here(user: User, typed: Typed) -> uuid.UUID:
    """Keep it for this person on this browser, whose cookie gets the key if it has none."""
    key = _key_of_browser() or _give_key()
    with unit_of_work() as session:
        return keep(session, user, typed, key, now()).public_id


def keep(session: Session, user: User, typed: Typed, key: bytes, at: datetime) -> KeptForm:
    row = KeptForm(public_id=uuid.uuid4(), user_id=user.id, created_at=at, expires_at=at + KEPT_FOR)
    row.sealed = _sealed(typed, key, row)
    session.add(row)
    session.flush()
    _forget_older(session, user)
    return row


def kept_form(user: User, public_id: uuid.UUID) -> Typed:
    """What this person typed on this browser; raises NotFound for all else and when it is over."""
    mine = sa.and_(
        KeptForm.public_id == public_id, KeptForm.user_id == user.id, KeptForm.expires_at > now()
    )
    row, key = db.session.scalars(sa.select(KeptForm).where(mine)).first(), _key_of_browser()
    if row is None or key is None:
        raise NotFound
    return _opened(row, key)


def throw_away(session: Session, user: User, public_id: uuid.UUID) -> None:
    mine = sa.and_(KeptForm.public_id == public_id, KeptForm.user_id == user.id)
    session.execute(sa.delete(KeptForm).where(mine))


def without_key(answer: Response) -> Response:
    """The browser forgets its key: nothing kept for it can be read any more."""
    answer.delete_cookie(_cookie(), secure=current_settings().served_over_tls, httponly=True)
    return answer


def _values_of_request() -> Values:
    pairs = request.form.items(multi=True)
    return [(name, value) for name, value in pairs if name not in NEVER_KEPT]


def _forget_older(session: Session, user: User) -> None:
    mine = sa.select(KeptForm.id).where(KeptForm.user_id == user.id)
    newest = mine.order_by(KeptForm.id.desc()).limit(MOST_KEPT)
    others = sa.and_(KeptForm.user_id == user.id, KeptForm.id.not_in(list(session.scalars(newest))))
    session.execute(sa.delete(KeptForm).where(others))


def _sealed(typed: Typed, key: bytes, row: KeptForm) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    plain = json.dumps([typed.path, typed.values]).encode()
    return nonce + AESGCM(key).encrypt(nonce, plain, row.public_id.bytes)


def _opened(row: KeptForm, key: bytes) -> Typed:
    nonce, ciphertext = row.sealed[:NONCE_BYTES], row.sealed[NONCE_BYTES:]
    try:
        plain = AESGCM(key).decrypt(nonce, ciphertext, row.public_id.bytes)
    except InvalidTag:
        raise NotFound from None
    path, values = json.loads(plain)
    return Typed(path, [(name, value) for name, value in values])


def _cookie() -> str:
    return "__Host-attune-kept" if current_settings().served_over_tls else "attune-kept"


def _key_of_browser() -> bytes | None:
    try:
        key = base64.urlsafe_b64decode(request.cookies.get(_cookie(), ""))
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None


def _give_key() -> bytes:
    key = os.urandom(KEY_BYTES)
    name, tls = _cookie(), current_settings().served_over_tls

    @after_this_request
    def give(response: Response) -> Response:
        response.set_cookie(
            name, base64.urlsafe_b64encode(key).decode(), httponly=True, secure=tls,
            samesite="Lax", max_age=int(timedelta(hours=12).total_seconds()),
        )  # fmt: skip
        return response

    return key
