"""One value under one key: bytes in, bytes out, no database.

A sealed value is `version (1) · data key id (16) · nonce (12) · ciphertext and tag`, encrypted with
AES-GCM-SIV (RFC 8452), whose safety survives a nonce that comes twice. Where the value belongs is
authenticated with it, so that it opens nowhere else. Its length is hidden to 64 bytes.
"""

import os
import uuid
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

VERSION = b"\x01"
KEY_BYTES = 32
KEY_ID_BYTES = 16
HEADER_BYTES = len(VERSION) + KEY_ID_BYTES
NONCE_BYTES = 12
BUCKET = 64
_END = b"\x80"


class Unreadable(Exception):
    """What is stored does not open here: it was changed, moved or damaged. Carries no content."""


@dataclass(frozen=True)
class Place:
    """Where a value belongs. `owner` and `row` are public ids, both known before the flush."""

    table: str
    column: str
    owner: uuid.UUID
    row: uuid.UUID

    @property
    def bytes(self) -> bytes:
        return f"{self.table}.{self.column}\0".encode() + self.owner.bytes + self.row.bytes


def seal(plain: bytes, cipher: AESGCMSIV, key_id: bytes, place: Place) -> bytes:
    header, nonce = VERSION + key_id, os.urandom(NONCE_BYTES)
    return header + nonce + cipher.encrypt(nonce, _padded(plain), header + place.bytes)


def unseal(sealed: bytes, cipher: AESGCMSIV, place: Place) -> bytes:
    """The value sealed for this place; raises Unreadable for any other."""
    header, rest = sealed[:HEADER_BYTES], sealed[HEADER_BYTES:]
    nonce, ciphertext = rest[:NONCE_BYTES], rest[NONCE_BYTES:]
    try:
        return _unpadded(cipher.decrypt(nonce, ciphertext, header + place.bytes))
    except (InvalidTag, ValueError):
        raise Unreadable from None


def key_id_of(sealed: bytes) -> bytes:
    """The data key that a value says it needs; raises Unreadable for what is no sealed value."""
    if len(sealed) <= HEADER_BYTES + NONCE_BYTES or not sealed.startswith(VERSION):
        raise Unreadable
    return sealed[len(VERSION) : HEADER_BYTES]


def cipher_for(data_key: bytes, table: str, column: str) -> AESGCMSIV:
    """The key of one column, derived from its owner's data key (HKDF, RFC 5869)."""
    return AESGCMSIV(derive(data_key, f"column {table}.{column}"))


def derive(secret: bytes, purpose: str) -> bytes:
    """32 bytes for one purpose from a secret that is random already, so without extraction."""
    return HKDFExpand(hashes.SHA256(), KEY_BYTES, f"attune {purpose}".encode()).derive(secret)


def wrap(data_key: bytes, encrypting_key: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCMSIV(encrypting_key).encrypt(nonce, data_key, bound)


def unwrap(wrapped: bytes, encrypting_key: bytes, bound: bytes) -> bytes:
    nonce, ciphertext = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
    try:
        return AESGCMSIV(encrypting_key).decrypt(nonce, ciphertext, bound)
    except (InvalidTag, ValueError):
        raise Unreadable from None


def bound_to(owner: uuid.UUID, realm: str, key_id: bytes) -> bytes:
    """What a wrapped data key is bound to: it unwraps in no other row."""
    return f"data key {realm}\0".encode() + owner.bytes + key_id


def _padded(plain: bytes) -> bytes:
    """Whole buckets, ended as in ISO/IEC 7816-4."""
    return plain + _END + bytes(-(len(plain) + 1) % BUCKET)


def _unpadded(padded: bytes) -> bytes:
    return padded.rstrip(b"\0")[:-1]
