"""Nobody finds out who has an account: not by the words, the headers, or the time it takes."""

import re
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from core.database import db
from practice.accounts.passwords import hash_password
from tests.builders.accounts import make_user

KNOWN, UNKNOWN = "sam@example.test", "kim@example.test"
RIGHT, WRONG = "five small words in order", "not the password of anybody"
ROUNDS = 12
# What is drawn anew for each answer, whoever asks.
DRAWN = re.compile(r'nonce[-=]"?[\w-]+|name="csrf_token"[^>]*|reference[^<]*<|[0-9a-f]{16}')


@pytest.fixture
def known(session):
    user = make_user(session, email=KNOWN, password_hash=hash_password(RIGHT))
    session.commit()
    return user


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The name of each slow step that was taken."""
    taken: list[str] = []
    for name in ("hash", "verify"):
        monkeypatch.setattr(PasswordHasher, name, noting(taken, getattr(PasswordHasher, name)))
    return taken


def noting(taken: list[str], step: Callable) -> Callable:
    def noted(*arguments, **values):
        taken.append(step.__name__)
        return step(*arguments, **values)

    return noted


ASKED = {
    "signing in": ("/sign-in", {"password": WRONG}),
    "signing up": ("/sign-up", {"adult": "yes", "password": RIGHT}),
    "forgotten": ("/forgotten", {}),
    "once more": ("/sign-up/sent", {}),
}


@pytest.mark.parametrize("what", ASKED)
def test_known_and_unknown_get_the_same_bytes_and_headers(http, known, what):
    address, typed = ASKED[what]
    answers = [http.post(address, data={"email": email, **typed}) for email in (KNOWN, UNKNOWN)]
    assert answers[0].status_code == answers[1].status_code
    assert plain(answers[0].text) == plain(answers[1].text)
    assert headers_of(answers[0]) == headers_of(answers[1])


@pytest.mark.parametrize("what", ASKED)
def test_known_and_unknown_cost_the_same_slow_steps(http, known, hashing, what):
    address, typed = ASKED[what]
    # The hash of nobody is made once a process; from then on both take the same steps.
    http.post(address, data={"email": UNKNOWN, **typed})
    steps = []
    for email in (KNOWN, UNKNOWN):
        hashing.clear()
        http.post(address, data={"email": email, **typed})
        steps.append([*hashing])
    assert steps[0] == steps[1]
    assert bool(steps[0]) == ("password" in typed)


@pytest.mark.prove
def test_known_and_unknown_take_the_same_time_within_a_twentieth(
    app, http, session, known, monkeypatch
):
    monkeypatch.setattr("practice.accounts.attempts.count", lambda *_arguments: None)
    settings = app.extensions["settings"]
    app.extensions["settings"] = replace(settings, argon2_time_cost=3, argon2_memory_kib=65536)
    app.extensions.pop("hash_of_nobody", None)
    known.password_hash = hash_password(RIGHT)
    session.commit()
    try:
        seconds: dict[str, list[float]] = {KNOWN: [], UNKNOWN: []}
        for _ in range(ROUNDS):
            for email, taken in seconds.items():
                began = time.perf_counter()
                http.post("/sign-in", data={"email": email, "password": WRONG})
                taken.append(time.perf_counter() - began)
    finally:
        app.extensions["settings"] = settings
        app.extensions.pop("hash_of_nobody", None)
    known_, unknown = (statistics.median(taken[2:]) for taken in seconds.values())
    assert abs(known_ - unknown) / unknown < 0.05


def plain(text: str) -> str:
    return DRAWN.sub("", text.replace(KNOWN, "").replace(UNKNOWN, ""))


def headers_of(answer) -> dict[str, str]:
    varying = {"Content-Length", "Set-Cookie", "X-Request-Id", "Date"}
    return {name: plain(value) for name, value in answer.headers.items() if name not in varying}


@pytest.mark.parametrize("what", ["forgotten", "once more", "signing up"])
def test_known_and_unknown_write_the_same_rows_before_the_answer(app, http, known, what):
    """Which address it was comes out in the worker, where nobody waits with a watch."""
    address, typed = ASKED[what]
    # The installation's own key is made with the first row.
    http.post(address, data={"email": "first@example.test", **typed})
    written = []
    for email in (KNOWN, UNKNOWN):
        with statements(app) as seen:
            http.post(address, data={"email": email, **typed})
        written.append(seen)
    assert written[0] == written[1]
    assert any(one.startswith("INSERT INTO outbox_messages") for one in written[0])


@contextmanager
def statements(app) -> Iterator[list[str]]:
    """Every statement and commit of the database meanwhile."""
    seen: list[str] = []
    with app.app_context():
        engine = db.engine
    noted = [
        ("before_cursor_execute", lambda _c, _u, statement, *_rest: seen.append(statement)),
        ("commit", lambda _connection: seen.append("COMMIT")),
    ]
    for name, note in noted:
        sa.event.listen(engine, name, note)
    try:
        yield seen
    finally:
        for name, note in noted:
            sa.event.remove(engine, name, note)
