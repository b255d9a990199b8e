"""What the real web server writes down while people, and some who mean no good, ask for pages."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa

from core.logs import SHAPES
from tests.journeys.house import House, answers, wait_for

CANARY = "canary"
MALFORMED = (
    b"GET /canary HTTP/9.9\r\nHost: localhost\r\n\r\n",
    b"canary canary\r\n\r\n",
    b"GET /canary HTTP/1.1\r\nHost: localhost\r\nX-Canary canary\r\n\r\n",
    b"GET /" + b"canary" * 2_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: canary\r\n\r\n",
)


@pytest.fixture
def house(own_migrated_url: str, tmp_path: Path) -> Iterator[House]:
    house = House.over(own_migrated_url, tmp_path)
    house.start("web")
    wait_for(lambda: answers(f"{house.base}/health"), "the web server does not answer")
    yield house
    house.stop()


def test_the_servers_own_log_holds_nothing_of_a_request(house: House, tmp_path: Path) -> None:
    for words in MALFORMED:
        send(house.settings.port, words)
    headers = {"User-Agent": CANARY, "X-Request-Id": CANARY, "Cookie": f"attune={CANARY}"}
    for address in (f"/{CANARY}?{CANARY}={CANARY}", f"/therapists?concern={CANARY}"):
        requests.get(house.base + address, headers=headers, timeout=10)
    requests.post(f"{house.base}/sign-in", data={"email": CANARY}, headers=headers, timeout=10)
    drop_a_table(house.settings.database_url)
    assert requests.get(f"{house.base}/demo/mails?{CANARY}", timeout=10).status_code >= 500
    log = (tmp_path / "web.log").read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    assert CANARY not in log.lower()
    assert {name for line in lines for name in line} <= {"at", *SHAPES}
    events = {line["event"] for line in lines}
    assert {"request.answered", "request.failed", "library.spoke"} <= events
    assert all(line.get("request") for line in lines if line["event"].startswith("request"))


def send(port: int, words: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(words)
        connection.recv(1000)


def drop_a_table(url: str) -> None:
    """Something that no page expects."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE kept_mails"))
    engine.dispose()
