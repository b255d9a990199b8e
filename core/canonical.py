"""The bytes of the ledger: how acts and checkpoints are written, hashed and signed.

docs/reference/ledger.md describes them for whoever writes a verifier of their own.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from core.merkle import leaf_hash

LEDGER = "attune-ledger"
VERSION = 1
CHAIN_START = bytes(32)
KEY_ANNOUNCED = "ledger.key_announced"

Act = Mapping[str, Any]


def canonical(value: Any) -> bytes:
    """JSON as in RFC 8785, of text, whole numbers, booleans, null, lists and objects alone.

    Raises ValueError for anything else. Keys are ASCII, so that every sorting of them agrees.
    """
    _require_plain(value)
    return written(value)


def written(value: Any) -> bytes:
    """JSON as our tables keep it; of plain values these are the canonical bytes."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode()


def parsed(data: bytes) -> Any:
    """The value of canonical bytes; raises ValueError for any other way of writing it."""
    try:
        value = json.loads(data)
        if canonical(value) == data:
            return value
    except RecursionError:
        pass
    raise ValueError("not written canonically")


def sealed_leaf(act: Act) -> bytes:
    """The Merkle leaf of an act."""
    return leaf_hash(canonical(act))


def chained(previous: bytes, leaf: bytes) -> bytes:
    """The head of the chain after one more leaf; before the first it is CHAIN_START."""
    return hashlib.sha256(b"\x02" + previous + leaf).digest()


def commitment(salt: str, value: Any) -> str:
    """HMAC-SHA-256, in hex, of the written value under a salt (hex): not to be guessed without."""
    return hmac.digest(bytes.fromhex(salt), written(value), "sha256").hex()


def digest(value: Any) -> str:
    """SHA-256 of the canonical value, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def instant(at: datetime) -> str:
    """UTC to the microsecond: "2026-12-01T18:00:00.000000Z"."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def key_id(public: bytes) -> str:
    """The first 16 bytes of the SHA-256 of a public key, in hex."""
    return hashlib.sha256(public).hexdigest()[:32]


def checkpoint_statement(checkpoint: Mapping[str, Any]) -> bytes:
    """What the signature of a checkpoint is over."""
    signed = {name: checkpoint[name] for name in ("at", "chain", "key", "root", "size")}
    return canonical(signed | {"statement": "attune-ledger-checkpoint-v1"})


def key_statement(public: bytes) -> bytes:
    """What a key signs of the key that follows it, and the first one of itself."""
    signed = {"key": key_id(public), "public": public.hex()}
    return canonical(signed | {"statement": "attune-ledger-key-v1"})


def unhexed(text: Any, size: int) -> bytes:
    """Exactly `size` bytes from lower-case hex; raises ValueError for any other writing."""
    data = bytes.fromhex(text) if isinstance(text, str) else b""
    if len(data) != size or data.hex() != text:
        raise ValueError("not lower-case hex of the right length")
    return data


def _require_plain(value: Any) -> None:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if not isinstance(name, str) or not name.isascii():
                raise ValueError("a name must be ASCII text")
            _require_plain(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _require_plain(inner)
    elif value is not None and not isinstance(value, str | int):
        raise ValueError(f"{type(value).__name__} has no canonical form")
