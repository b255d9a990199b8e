"""Answers kept under the caller's key and given again.

Rules: Stripe API reference, "Idempotent requests". A key lives 24 hours; the same key with other
parameters, or at another endpoint, is an error; an answer is kept whatever its status, once the
endpoint has begun to run.
"""

import hashlib
import json
from dataclasses import dataclass

from billing.sandbox.call import Call
from billing.sandbox.errors import BadParameter, IdempotencyMismatch

LIFETIME = 24 * 60 * 60
LONGEST_KEY = 255


@dataclass(frozen=True)
class Kept:
    status: int
    body: str
    request_id: str


def fingerprint(method: str, path: str, pairs: list[tuple[str, str]]) -> str:
    """Equal for equal requests, whatever the order of their parameters."""
    said = json.dumps([method, path, sorted(pairs)])
    return hashlib.sha256(said.encode()).hexdigest()


def recall(call: Call, print_: str) -> Kept | None:
    """The kept answer, if there is one. Raises IdempotencyMismatch for another request."""
    key = call.idempotency_key
    if key is None:
        return None
    if len(key) > LONGEST_KEY:
        raise BadParameter(f"An idempotency key has at most {LONGEST_KEY} characters.")
    row = call.books.db.execute(
        "SELECT status, body, request_id, fingerprint FROM answers WHERE key = ? AND kept_at > ?",
        (key, call.now - LIFETIME),
    ).fetchone()
    if row is not None and row[3] != print_:
        raise IdempotencyMismatch("This key was first used for a different request.")
    return None if row is None else Kept(*row[:3])


def keep(call: Call, print_: str, answer: Kept) -> None:
    if call.idempotency_key is not None:
        call.books.db.execute(
            "INSERT OR REPLACE INTO answers (key, fingerprint, status, body, request_id, kept_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                call.idempotency_key,
                print_,
                answer.status,
                answer.body,
                answer.request_id,
                call.now,
            ),
        )
