"""Webhooks: signed as Stripe signs, delivered at least once, in whatever order is asked for."""

import hashlib
import hmac
import json
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from billing.sandbox.call import Call
from billing.sandbox.desk import Desk
from billing.sandbox.errors import Json
from billing.sandbox.events import queue_delivery

Post = Callable[[bytes, Mapping[str, str]], int]

GIVE_UP_AFTER = 3 * 24 * 60 * 60
LONGEST_WAIT = 60 * 60
LOG = logging.getLogger(__name__)

ORDERS = ("created", "reverse", "shuffle")
PATIENCE = 10.0


@dataclass(frozen=True)
class Attempt:
    """One delivery tried: the receiver's status, or 0 when it gave no answer."""

    event: str
    type: str
    status: int

    @property
    def arrived(self) -> bool:
        return 200 <= self.status < 300


def signature(body: bytes, secret: str, at: int) -> str:
    """`Stripe-Signature`: HMAC-SHA256 over "at.body" (Stripe, "Verify webhook signatures")."""
    signed = b"%d." % at + body
    return f"t={at},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


class Courier:
    """Carries what is due, one round at a time. Receivers must expect repeats."""

    def __init__(self, desk: Desk, url: str, secret: str) -> None:
        self._desk = desk
        self._url = url
        self._secret = secret
        self._round = threading.Lock()
        self._called = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def deliver(self, to: Post | None = None) -> list[Attempt]:
        """One round over everything due now, over HTTP unless `to` is given."""
        with self._round:
            return [self._carry(*row, to or self._post) for row in self._due()]

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._called.set()
        if self._thread is not None:
            self._thread.join(timeout=PATIENCE + 1)

    def call(self) -> None:
        """There may be something to carry."""
        self._called.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._called.wait(timeout=0.5)
            self._called.clear()
            if not self._stopped.is_set():
                self._deliver_come_what_may()

    def _deliver_come_what_may(self) -> None:
        try:
            self.deliver()
        except Exception:
            # The thread outlives one bad round: what it did not carry is still due.
            LOG.exception("a round of webhooks failed")

    def _due(self) -> list[tuple[int, str, str]]:
        with self._desk.quiet_call() as call:
            if call.books.setting("held", "no") == "yes":
                return []
            rows = call.books.db.execute(
                "SELECT seq, event, type FROM deliveries WHERE state = 'pending' AND due_at <= ?"
                " ORDER BY seq",
                (call.now,),
            ).fetchall()
            order, seed = call.books.setting("order", "created 0").split()
        return _ordered(rows, order, int(seed))

    def _carry(self, seq: int, event_id: str, type_: str, post: Post) -> Attempt:
        body = self._body(event_id)
        attempt = Attempt(event_id, type_, _tried(post, body, self._headers(body)))
        with self._desk.quiet_call() as call:
            _note(call, seq, attempt)
        return attempt

    def _body(self, event_id: str) -> bytes:
        with self._desk.store.transaction() as books:
            return json.dumps(books.get("event", event_id), indent=2).encode()

    def _headers(self, body: bytes) -> dict[str, str]:
        # Receivers compare with their own clock, so the stamp is never the sandbox's moved one.
        return {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(body, self._secret, int(time.time())),
            "User-Agent": "Attune-Sandbox/1.0",
        }

    def _post(self, body: bytes, headers: Mapping[str, str]) -> int:
        """The status answered; a redirect is not followed, since only 2xx is an arrival."""
        parts = urlsplit(self._url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.netloc, timeout=PATIENCE)
        with closing(connection):
            connection.request("POST", parts.path or "/", body, dict(headers))
            return connection.getresponse().status


def repeat(call: Call, type_: str | None) -> int:
    """Queue every event once more, or those of one type; how many."""
    events = call.books.all("event", **({"type": type_} if type_ else {}))
    for event in events:
        queue_delivery(call, event)
    return len(events)


def drop(call: Call, type_: str | None) -> int:
    """What is waiting will never arrive, or only those of one type; how many."""
    return call.books.db.execute(
        "UPDATE deliveries SET state = 'dropped' WHERE state = 'pending'"
        " AND (? IS NULL OR type = ?)",
        (type_, type_),
    ).rowcount


def deliveries(call: Call) -> list[Json]:
    rows = call.books.db.execute(
        "SELECT event, type, state, attempts, answered FROM deliveries ORDER BY seq"
    )
    names = ("event", "type", "state", "attempts", "answered")
    return [dict(zip(names, row, strict=True)) for row in rows]


def _ordered(rows: list[tuple[int, str, str]], order: str, seed: int) -> list[tuple[int, str, str]]:
    if order == "shuffle":
        return random.Random(seed).sample(rows, len(rows))
    return rows[::-1] if order == "reverse" else rows


def _tried(post: Post, body: bytes, headers: Mapping[str, str]) -> int:
    try:
        return post(body, headers)
    except (OSError, HTTPException):
        return 0


def _note(call: Call, seq: int, attempt: Attempt) -> None:
    tried, created = call.books.db.execute(
        "SELECT attempts + 1, json_extract(objects.body, '$.created') FROM deliveries"
        " JOIN objects ON objects.id = deliveries.event WHERE deliveries.seq = ?",
        (seq,),
    ).fetchone()
    state = _state_after(attempt, call.now - created)
    call.books.db.execute(
        "UPDATE deliveries SET attempts = ?, answered = ?, state = ?, due_at = ?"
        " WHERE seq = ? AND state = 'pending'",
        (tried, attempt.status, state, call.now + _wait(tried), seq),
    )


def _state_after(attempt: Attempt, age: int) -> str:
    if attempt.arrived:
        return "delivered"
    return "given up" if age > GIVE_UP_AFTER else "pending"


def _wait(attempts: int) -> int:
    """Seconds before the next try: 1, 2, 4 … up to an hour."""
    return int(min(2 ** min(attempts - 1, 30), LONGEST_WAIT))
